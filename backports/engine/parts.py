"""What a review of a series was of, as digests: the same parts later are what the reviewer saw.

A part is a hunk with its context, or what a file's diff does besides its hunks. Line numbers, the order of patches, and
in which patch of the series a hunk stands do not count; white space does, for reviewers read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence

from .diff import FileDiff, FileKind, Patch


def parts_of(patches: Sequence[Patch], files: Collection[str] = ()) -> list[str]:
    """Sorted digests of all parts, or of those of the files of these names (before or after) alone."""
    found = (part for patch in patches for file in patch.files if _is_of(file, files) for part in _parts(file))
    return sorted(hashlib.sha256(part).hexdigest() for part in found)


def names_of(patches: Sequence[Patch]) -> list[str]:
    """The names of all files that the series changes, each once."""
    return list(dict.fromkeys(_text(file.new_path or file.path) for patch in patches for file in patch.files))


def _is_of(file: FileDiff, names: Collection[str]) -> bool:
    return not names or _text(file.path) in names or _text(file.new_path or "") in names


def _parts(file: FileDiff) -> Iterator[bytes]:
    name = (file.new_path or file.path).encode("utf-8", "surrogateescape")
    if file.kind is not FileKind.MODIFY or file.new_mode or file.binary:
        told = f"{file.kind} {file.old_path} {file.new_mode} {file.new_oid if file.binary else ''}"
        yield name + b"\0" + told.encode("utf-8", "surrogateescape")
    for hunk in file.hunks:
        yield name + b"\0" + b"".join(line.tag.encode() + line.text for line in hunk.lines)


def _text(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
