"""What became of a fix on its way: `git range-diff` between the source's patches and the result's commits.

The source may be a file that came in, whose tree nobody has. So its side is made anew: each patch becomes
a commit of the files that it touches, from the blobs that it names or else from what its hunks show,
written into a repository that is thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from backports.engine.apply import patched_base
from backports.engine.diff import FileDiff, FileKind, Hunk, Patch
from backports.engine.tree import REGULAR

from .errors import GitError
from .runner import run_git
from .scratch import scratch
from .store import commit_at, line_between
from .tree import GitTree

TIMEOUT = 20.0
OUTPUT_LIMIT = 8 * 1024 * 1024
ALWAYS_PAIRED = 999  # per cent: a patch is compared with what became of it, however little they share
USUALLY_PAIRED = 60  # git's own measure: patches that share less are two patches
_INDENT = b"    "
_HEAD = re.compile(rb" *(?:\d+|-): +(?:[0-9a-f]+|-+) ([=!<>]) +(?:\d+|-): +(?:[0-9a-f]+|-+) ?(.*)")
_MESSAGE = b"@@ Commit message"
_GAP = 8  # lines between two hunks, so that their context never meets


@dataclass(frozen=True, slots=True)
class Compared:
    """One patch of the source beside what became of it.

    `mark` is git's: `=` the same change, `!` changed, `<` only in the source, `>` only in the result.
    `lines` are a diff of the two diffs: the first byte says which side has the line (`-` the source's,
    `+` the result's, a blank both, `@` a heading), the second what that side's patch does.
    """

    mark: str
    subject: bytes
    lines: tuple[bytes, ...] = ()


def range_diff(
    mirror: Path | str, results: Path | str, base: str, tip: str, patches: Sequence[Patch]
) -> tuple[Compared, ...]:
    """Compares `patches` with the commits after `base` up to `tip` in the result repository.

    `patches` are those of the source that changed something, one for each commit, in order; line
    numbers do not count, and the commits' own messages are used on both sides. Raises GitError
    `no-such-commit`, `merge-commit`, `not-a-descendant`, `too-large`, `timeout`, `unsafe-path`, `mirror-missing`,
    `not-a-repository`.
    """
    with scratch(mirror, results) as repo:
        start, end = _write_source(repo, patches, line_between(repo, base, tip))
        found = _run(repo, f"{start}..{end}", f"{base}..{tip}", ALWAYS_PAIRED)
    return tuple(_read(found))


def with_others(
    mirror: Path | str, results: Path | str, base: str, tip: str, patches: Sequence[Patch]
) -> tuple[Compared, ...]:
    """Compares `patches` with commits that somebody else made, so many or others; paired as git range-diff does.

    Raises GitError as `range_diff` does.
    """
    with scratch(mirror, results) as repo:
        made = line_between(repo, base, tip)
        like = [made[min(at, len(made) - 1)] for at in range(len(patches))] if made else []
        start, end = _write_source(repo, patches[: len(like)], like)
        factor = ALWAYS_PAIRED if len(made) == len(patches) == 1 else USUALLY_PAIRED
        found = _run(repo, f"{start}..{end}", f"{base}..{tip}", factor)
    return tuple(_read(found))


def between_versions(
    mirror: Path | str, results: Path | str, one: tuple[str, str], other: tuple[str, str]
) -> tuple[Compared, ...]:
    """Compares the commits of two versions in the result repository, each told as base and tip, as git range-diff does.

    A patch that only one version has is `<` or `>`. Raises GitError as `range_diff` does.
    """
    with scratch(mirror, results) as repo:
        for oid in (*one, *other):
            commit_at(repo, oid)
        found = _run(repo, "..".join(one), "..".join(other), USUALLY_PAIRED)
    return tuple(_read(found, messages=True))


def _run(repo: pygit2.Repository, one: str, other: str, factor: int) -> list[bytes]:
    args = ["range-diff", "--no-color", f"--creation-factor={factor}", one, other]
    return run_git(args, git_dir=repo.path, timeout=TIMEOUT, output_limit=OUTPUT_LIMIT).split(b"\n")


def _write_source(repo: pygit2.Repository, patches: Sequence[Patch], made: Sequence[pygit2.Commit]) -> tuple[str, str]:
    """Commits for the patches; answers the one before the first and the last.

    Between two patches stands a merge, which range-diff passes over: it takes the files from how one
    patch left them to how the next one finds them.
    """
    root = last = None
    for patch, like in zip(patches, made, strict=True):
        files = [(file, *_sides(repo, like, file)) for file in patch.files if not file.binary]
        before = _tree(repo, ((file.old_path, file.old_mode, old) for file, old, _ in files))
        after = _tree(repo, ((file.new_path, file.new_mode or file.old_mode, new) for file, _, new in files))
        start = _commit(repo, like, before, [root, last] if root and last else [])
        last = _commit(repo, like, after, [start])
        root = root or start
    if root is None or last is None:
        raise GitError("no-such-commit", "The result has no commits of its own, so there is nothing to compare.")
    return str(root), str(last)


def _commit(repo: pygit2.Repository, like: pygit2.Commit, tree: pygit2.Oid, parents: list[pygit2.Oid]) -> pygit2.Oid:
    return repo.create_commit(None, like.author, like.committer, like.message, tree, parents)


def _tree(repo: pygit2.Repository, files: Iterable[tuple[str | None, int | None, bytes]]) -> pygit2.Oid:
    index = pygit2.Index()
    for path, mode, data in files:
        if path is None:
            continue
        try:
            index.add(pygit2.IndexEntry(path, repo.create_blob(data), FileMode(mode or REGULAR)))
        except (pygit2.GitError, UnicodeEncodeError, ValueError) as error:
            raise GitError("unsafe-path", "A path of the patch cannot be written into a tree.") from error
    return index.write_tree(repo)


def _sides(repo: pygit2.Repository, like: pygit2.Commit, file: FileDiff) -> tuple[bytes, bytes]:
    """The file before and after: whole when the store has what the patch was made on, else as its hunks show."""
    base = GitTree(repo, str(like.id)).blob(file.old_oid) if file.old_oid else None
    patched = patched_base(file.hunks, base.data) if base else None
    if base is not None and patched is not None:
        return base.data, patched
    return b"".join(_shown(file, old=True)), b"".join(_shown(file, old=False))


def _shown(file: FileDiff, *, old: bool) -> Iterator[bytes]:
    """What the hunks show of a file, each under its section; for a whole file all of it."""
    whole = file.kind in (FileKind.ADD, FileKind.DELETE)
    for number, hunk in enumerate(file.hunks):
        if not whole and hunk.old_start > 1:
            yield from _lead(hunk, number)
        yield from hunk.preimage if old else hunk.postimage
    if file.kind in (FileKind.RENAME, FileKind.MODE):
        weight = sum(len(line.text) for hunk in file.hunks for line in hunk.lines)
        yield from (b" #tail %d\n" % number for number in range(_GAP + weight // 4))


def _lead(hunk: Hunk, number: int) -> Iterable[bytes]:
    if hunk.section:
        yield hunk.section.rstrip() + b"\n"
    yield from (b" #%d.%d\n" % (number, line) for line in range(_GAP))


def _read(lines: Iterable[bytes], *, messages: bool = False) -> Iterator[Compared]:
    head: re.Match[bytes] | None = None
    body: list[bytes] = []
    for line in lines:
        if head and line.startswith(_INDENT):
            body.append(line.removeprefix(_INDENT))
        elif found := _HEAD.fullmatch(line):
            if head:
                yield _compared(head, body, messages=messages)
            head, body = found, []
    if head:
        yield _compared(head, body, messages=messages)


def _compared(head: re.Match[bytes], body: list[bytes], *, messages: bool) -> Compared:
    """Where the messages are the same on both sides, what git shows of them above the first file is left out."""
    if not messages and body and body[0] == _MESSAGE:
        body = body[next((at for at, line in enumerate(body) if line[1:4] == b" ##"), len(body)) :]
    return Compared(head[1].decode(), head[2], tuple(body))
