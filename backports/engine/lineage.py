"""Keys by which a patch is known again: git's patch id, and a digest for each hunk that outlives new places."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .diff import FileDiff, Hunk, Patch
from .render import render

_SPACE = b" \t\n\r\f\v"
_ID_BYTES = 20
_WORD = re.compile(rb"\w\w")


@dataclass(frozen=True, slots=True)
class Lineage:
    """The keys of a series: a patch id for each patch, and a key for each hunk that says anything."""

    patch_ids: tuple[str, ...]
    hunk_keys: tuple[str, ...]

    def share_in(self, other: Lineage) -> float:
        """How many of these hunks, 0 to 1, the other series has too: 1 where it holds all, 0 where there are none."""
        mine = set(self.hunk_keys)
        return len(mine & set(other.hunk_keys)) / len(mine) if mine else 0.0


def of(patches: Sequence[Patch]) -> Lineage:
    """The keys of a series."""
    hunks = (hunk for patch in patches for file in patch.files for hunk in file.hunks)
    keys = dict.fromkeys(key for key in map(hunk_key, hunks) if key)
    return Lineage(tuple(patch_id(patch.files) for patch in patches), tuple(keys))


def hunk_key(hunk: Hunk) -> str:
    """A digest of what the hunk removes and adds, white space, context, place and file left out.

    "" for a hunk without a word, which is no sign of descent.
    """
    lines = ((line.tag.encode(), without_space(line.text)) for line in hunk.lines if line.tag != " ")
    telling = [tag + text for tag, text in lines if text]
    has_words = any(_WORD.search(line) for line in telling)
    return hashlib.sha256(b"\n".join(telling)).hexdigest()[:40] if has_words else ""


def patch_id(files: Iterable[FileDiff]) -> str:
    """What `git patch-id --stable` prints for these files (renames with their likeness, and binary ones, apart).

    The order of files, white space and line numbers do not count.
    """
    total = 0
    for file in files:
        digest = hashlib.sha1(_spoken(file), usedforsecurity=False).digest()
        total += int.from_bytes(digest, "little")
    return (total % (1 << (8 * _ID_BYTES))).to_bytes(_ID_BYTES, "little").hex()


def _spoken(file: FileDiff) -> bytes:
    """The diff's text as git hashes it: without index lines, hunk headings and white space."""
    told = render([file]).split(b"\n")
    start = next((at for at, line in enumerate(told) if line.startswith(b"@@ ")), len(told))
    head = (line for line in told[:start] if not line.startswith(b"index "))
    body = (line.tag.encode() + line.text for hunk in file.hunks for line in hunk.lines)
    return b"".join(without_space(line) for line in (*head, *body))


def without_space(text: bytes) -> bytes:
    """The text without any white space."""
    return text.translate(None, _SPACE)
