"""Parts of a fix whose code this branch does not have: proposals to leave them out, each with its proof.

Method: a part is what a rejected file diff or hunk changes. Its file must be absent (moves and renames were
searched by the ladder), or the function that the hunk is in. Then its anchors must be absent from the whole tree:
the function's name, and every distinctive line that the hunk removes or keeps around its change. A line is
distinctive when the tree that the fix was made on has it in one place only. And the commits that brought these
lines, all of them on the source's side of the fork, must have added code, not reworked it: what was only reworked
is in the branch in its older form, and may well be vulnerable there. Without an anchor there is no proof, hence
no proposal.
Nothing is left out by itself: absence of code is no proof that a branch is not affected in another way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pygit2

from backports.engine.diff import FileDiff, FileKind, Hunk, Patch
from backports.engine.functions import changed_span, functions_of, holder
from backports.engine.guards.ccode import WORD as NAME
from backports.engine.result import FileResult, SeriesResult
from backports.engine.scan import split_lines

from .anchors import anchors, distinctive, search
from .culprits import Place, lines_of, rejected
from .errors import GitError
from .filelog import Logged, file_log, fork_of
from .store import content_at, open_repository, tree_at

SECONDS = 4.0
MAX_ANCHORS = 80
REWORKED = 0.5  # of the added lines; a commit that removes more than that has reworked code
_TAG = re.compile(rb"^\s*(?:typedef\s+)?(?:struct|union|enum)\s+(\w+)\s*\{?\s*$")


@dataclass(frozen=True, slots=True)
class Drop:
    """One part that may be left out: a whole file diff (`hunk` None) or one hunk of it.

    `path` is the patch's name for the file, `name` the absent function's or type's, if that is what is absent.
    `lines` are the anchors that stand nowhere in the tree, `sentence` tells the proof, `origin` is the commit that
    brought most of them.
    """

    patch: int
    file: int
    hunk: int | None
    path: str
    name: bytes
    lines: tuple[bytes, ...]
    sentence: str
    origin: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A part whose file or function is absent, before its anchors were looked for in the tree."""

    places: tuple[Place, ...]
    file: FileResult
    whole: bool
    names: tuple[bytes, ...]
    lines: tuple[bytes, ...]


def find_drops(
    git_dir: Path | str, result: SeriesResult, base: str, target: str, *, seconds: float = SECONDS
) -> tuple[Drop, ...]:
    """Proposals for what did not land; `base` is the commit that the fix was made on, `target` that it was tried on.

    None are given when the whole tree cannot be searched in `seconds`. Raises GitError `no-such-commit`.
    """
    repo = open_repository(git_dir)
    trees = tree_at(repo, base), tree_at(repo, target)
    parts = list(_parts(result, *trees))
    if not parts:
        return ()
    try:
        parts = list(_absent(git_dir, parts, str(trees[0].id), str(trees[1].id), seconds))
        origins = _Origins(repo, Path(git_dir), base, target, parts)
    except GitError as error:
        if error.code in ("timeout", "too-large"):
            return ()
        raise
    return tuple(drop for part in parts for drop in _proved(part, origins))


def _absent(git_dir: Path | str, parts: Sequence[_Part], before: str, tree: str, seconds: float) -> Iterator[_Part]:
    """The parts whose names and distinctive lines the tree has nowhere, with those lines only."""
    names = {name for part in parts for name in part.names}
    lines = {line for part in parts for line in part.lines}
    here = search(git_dir, tree, lines, names, seconds=seconds / 2)
    there = search(git_dir, before, lines, seconds=seconds / 2)
    for part in parts:
        told = distinctive(part.lines, there, here)
        if told and not here.names.intersection(part.names):
            yield replace(part, lines=told)


def without(patches: Sequence[Patch], drops: Iterable[Drop]) -> tuple[Patch, ...]:
    """The fix without these parts; patches of which nothing is left are left out too."""
    gone = {(drop.patch, drop.file, drop.hunk) for drop in drops}
    kept = (replace(patch, files=tuple(_kept(patch, at, gone))) for at, patch in enumerate(patches))
    return tuple(patch for patch in kept if patch.files)


def _kept(patch: Patch, number: int, gone: Collection[tuple[int, int, int | None]]) -> Iterator[FileDiff]:
    for at, file in enumerate(patch.files):
        if (number, at, None) in gone:
            continue
        hunks = tuple(hunk for place, hunk in enumerate(file.hunks) if (number, at, place) not in gone)
        if hunks or not file.hunks:
            yield file if len(hunks) == len(file.hunks) else replace(file, hunks=hunks)


def _parts(result: SeriesResult, before: pygit2.Tree, here: pygit2.Tree) -> Iterator[_Part]:
    whole: dict[tuple[int, int], list[Place]] = {}
    for place, file, hunk in rejected(result):
        if file.code == "file-not-found" and file.diff.kind is FileKind.MODIFY:
            whole.setdefault((place.patch, place.file), []).append(place)
            continue
        name = enclosing(hunk.hunk, content_at(before, file.diff.path)) if not file.code else b""
        if name and name not in _names(here, file.path):
            yield _Part((place,), file, False, (name,), tuple(anchors(hunk.hunk)))
    for (patch, at), places in whole.items():
        file = result.patches[patch].files[at]
        lines = (line for hunk in file.diff.hunks for line in anchors(hunk))
        yield _Part(tuple(places), file, True, (), tuple(dict.fromkeys(lines))[:MAX_ANCHORS])


def enclosing(hunk: Hunk, base: bytes) -> bytes:
    """The function that all changed lines are in, told by the base, else the type that the section names; or b""."""
    function = holder(functions_of(split_lines(base)), *changed_span(hunk))
    if function is not None:
        return function.name
    tag = _TAG.match(hunk.section)
    return tag.group(1) if tag else b""


class _Origins:
    """Which commits of the source's side brought the anchors, and whether they added code or reworked it."""

    def __init__(self, repo: pygit2.Repository, git_dir: Path, base: str, target: str, parts: Sequence[_Part]) -> None:
        self._repo = repo
        self._brought: dict[bytes, Logged] = {}
        paths = {path for part in parts for path in (part.file.diff.path, part.file.path)}
        fork = fork_of(git_dir, base, target)
        wanted = {line for part in parts for line in part.lines}
        for commit in file_log(git_dir, fork, base, paths) if fork and wanted else ():
            for line in (line.strip() for block in commit.blocks for line in block.added):
                if line in wanted:
                    self._brought.setdefault(line, commit)

    def of(self, part: _Part) -> list[Logged]:
        """The commits that brought the anchors, the one that brought most first; none unless all are known."""
        if not all(line in self._brought for line in part.lines):
            return []
        found = Counter(self._brought[line] for line in part.lines)
        return [commit for commit, _ in found.most_common()]

    def adds(self, commit: Logged) -> bool:
        """Whether the commit adds far more lines than it removes."""
        added, removed = lines_of(self._repo, commit.oid)
        return removed <= added * REWORKED


def _proved(part: _Part, origins: _Origins) -> Iterator[Drop]:
    commits = origins.of(part)
    if not commits or not all(map(origins.adds, commits)):
        return
    for place in part.places[:1] if part.whole else part.places:
        name = part.names[0] if part.names else b""
        hunk = None if part.whole else place.hunk
        yield Drop(
            place.patch, place.file, hunk, part.file.diff.path, name, part.lines, _sentence(part, name), commits[0].oid
        )


def _sentence(part: _Part, name: bytes) -> str:
    many = f"none of the {len(part.lines)} lines by which its code can be told stands anywhere in the tree"
    proof = many if len(part.lines) > 1 else "the one line by which its code can be told stands nowhere in the tree"
    if part.whole:
        return f"{part.file.diff.path} is not in this branch under any name, and {proof}."
    shown = name.decode("utf-8", "replace")
    return f"{shown} is not in {part.file.path}, its name occurs nowhere in the tree, and {proof}."


def _names(tree: pygit2.Tree, path: str) -> frozenset[bytes]:
    return frozenset(NAME.findall(content_at(tree, path)))
