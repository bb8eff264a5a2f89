"""Source packages as git history: the source as one commit, and each of its patches as one more on top.

A package is a tarball and a quilt series, or a Debian `.dsc` with the files that it names. Nothing is unpacked to disk:
what a tarball holds goes straight into git objects, within limits, and links are kept as links and never followed.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from backports.engine import intake
from backports.engine.diff import Patch
from backports.engine.ladder import apply_series
from backports.engine.result import Outcome, Rung

from .errors import GitError
from .results import commit_series
from .tree import GitTree

MAX_FILES = 200_000
MAX_FILE = 64 * 1024 * 1024
MAX_TOTAL = 1024 * 1024 * 1024
_STRICT = (Rung.EXACT, Rung.OFFSET, Rung.FUZZ, Rung.ALREADY_APPLIED)  # what quilt and patch(1) would place
_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_FIELD = re.compile(r"([A-Za-z0-9-]+):[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Package:
    """A source package: where its source lies, and its patches in order, each with its file's name."""

    name: str
    version: str
    source: Path
    patches: tuple[tuple[str, Patch], ...] = ()


def from_tarball(name: str, version: str, source: Path, series: tuple[str, bytes] | None = None) -> Package:
    """A tarball with a quilt series (the name and bytes of a tar of patches). Raises engine.intake.Refused."""
    return Package(name, version, source, _patches(*series) if series else ())


def from_dsc(files: Mapping[str, Path]) -> Package:
    """The package that the `.dsc` among the files describes; the others are checked against it.

    Its signature is not checked: who sends it answers for it. Raises GitError `no-dsc`, `bad-dsc`, `missing-file`,
    `wrong-checksum`, and engine.intake.Refused for its patches.
    """
    found = [name for name in files if name.endswith(".dsc")]
    if len(found) != 1:
        raise GitError("no-dsc", "Send exactly one .dsc file with the files that it names.")
    fields = _fields(files[found[0]].read_text("utf-8", "replace"))
    listed = _listed(fields)
    for name, digest in listed.items():
        _check(files, name, digest)
    source = _only(listed, ".orig.tar.") or _only(listed, ".tar.")
    if source is None:
        raise GitError("bad-dsc", "The .dsc names no source tarball.")
    changes = _only(listed, ".debian.tar.") or _only(listed, ".diff.gz")
    patches = _patches(changes, files[changes].read_bytes()) if changes else ()
    return Package(fields.get("Source", ""), fields.get("Version", ""), files[source], patches)


def write(repo: pygit2.Repository, package: Package, ref: str) -> str:
    """The package's history at `ref`; answers its tip. The same package gives the same commits.

    Raises GitError `bad-tarball`, `unsafe-path`, `too-large`, `patch-does-not-apply`.
    """
    tip = _write_source(repo, package)
    for name, patch in package.patches:
        tip = _write_patch(repo, tip, name, patch, ref)
    repo.references.create(ref, pygit2.Oid(hex=tip), force=True)
    return tip


def _patches(name: str, data: bytes) -> tuple[tuple[str, Patch], ...]:
    try:
        found = intake.read(name, data)
    except intake.Refused as error:
        if error.code == "no-patches":
            return ()
        raise
    return tuple((one.name, one.patch) for one in found.patches)


def _fields(text: str) -> dict[str, str]:
    """The fields of the one paragraph, without a signature around it; lines that go on keep their line ends."""
    if _SIGNED in text:
        text = text.partition(_SIGNED)[2].partition("\n\n")[2].partition(_SIGNATURE)[0]
    fields: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if line[:1].isspace() and last:
            fields[last] += f"\n{line.strip()}"
        elif found := _FIELD.fullmatch(line):
            last = found[1]
            fields[last] = found[2].strip()
    return fields


def _listed(fields: Mapping[str, str]) -> dict[str, str]:
    """The files by name, each with its SHA-256."""
    lines = [line.split() for line in fields.get("Checksums-Sha256", "").split("\n") if line.strip()]
    if not lines or any(len(line) != 3 or "/" in line[2] for line in lines):
        raise GitError("bad-dsc", "The .dsc names no files with SHA-256 checksums.")
    return {name: digest for digest, _, name in lines}


def _check(files: Mapping[str, Path], name: str, digest: str) -> None:
    if name.endswith(".asc"):
        return
    if name not in files:
        raise GitError("missing-file", f"The .dsc names {name}, which was not sent. Add it.")
    with files[name].open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
            raise GitError("wrong-checksum", f"{name} is not the file that the .dsc names: its checksum differs.")


def _only(names: Mapping[str, str], part: str) -> str | None:
    found = [name for name in names if part in name and not name.endswith(".asc")]
    return found[0] if len(found) == 1 else None


def _write_source(repo: pygit2.Repository, package: Package) -> str:
    index, newest = pygit2.Index(), 0
    try:
        with tarfile.open(package.source, "r:*") as tar:
            newest = _fill(repo, index, tar)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise GitError("bad-tarball", "The tarball cannot be read to its end. Send it again.") from error
    maker = pygit2.Signature("Source package", "source-package@localhost", newest, 0)
    message = f"{package.name} {package.version}\n\nThe source as the package has it, before its patches.\n"
    tree = index.write_tree(repo)
    return str(repo.create_commit(None, maker, maker, message, tree, []))


def _fill(repo: pygit2.Repository, index: pygit2.Index, tar: tarfile.TarFile) -> int:
    """Every file and link of the tarball, without the one folder above all if there is one; answers the newest time."""
    found: list[tuple[tuple[str, ...], pygit2.Oid, FileMode]] = []
    newest = total = 0
    for member in tar:
        if not (member.isfile() or member.issym()):
            if not member.isdir():
                raise GitError("bad-tarball", "The tarball holds something that is neither file, folder nor link.")
            continue
        total += member.size
        if len(found) >= MAX_FILES or member.size > MAX_FILE or total > MAX_TOTAL:
            raise GitError("too-large", f"The tarball expands to more than {MAX_FILES} files or {MAX_TOTAL} bytes.")
        newest = max(newest, int(member.mtime))
        found.append((_parts(member.name), *_blob(repo, tar, member)))
    tops = {parts[0] for parts, _, _ in found if len(parts) > 1} | {"" for parts, _, _ in found if len(parts) == 1}
    skip = 1 if len(tops) == 1 and "" not in tops else 0
    for parts, oid, mode in found:
        index.add(pygit2.IndexEntry("/".join(parts[skip:]), oid, mode))
    if not found:
        raise GitError("bad-tarball", "The tarball holds no file.")
    return max(0, newest)


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if not parts or name.startswith("/") or ".." in parts or any(part.lower() == ".git" for part in parts):
        raise GitError("unsafe-path", "A name in the tarball leaves it or points into .git; nothing was taken.")
    return parts


def _blob(repo: pygit2.Repository, tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[pygit2.Oid, FileMode]:
    if member.issym():
        return repo.create_blob(member.linkname.encode("utf-8", "surrogateescape")), FileMode.LINK
    stream = tar.extractfile(member)
    data = stream.read() if stream else b""
    return repo.create_blob(data), FileMode.BLOB_EXECUTABLE if member.mode & 0o100 else FileMode.BLOB


def _write_patch(repo: pygit2.Repository, tip: str, name: str, patch: Patch, ref: str) -> str:
    named = patch if patch.subject else replace(patch, subject=name.rpartition("/")[2])
    result = apply_series((named,), GitTree(repo, tip))
    if result.outcome is Outcome.ALREADY_APPLIED:
        return tip
    if result.outcome is not Outcome.APPLIED or result.rung not in _STRICT:
        sentence = (
            f"The patch {name} does not apply on those before it; is the series whole, and the source the right one?"
        )
        raise GitError("patch-does-not-apply", sentence)
    return commit_series(repo, tip, result, ref)
