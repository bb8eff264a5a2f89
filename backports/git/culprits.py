"""Which commits made a hunk's place differ: why a rejected hunk does not find the lines that it expects.

Method: the histories of the file on both sides of the fork of source and target (`filelog.py`). A line
that the hunk expects and the target lacks was brought by the newest commit of the source's side that
adds it, or else taken away by the target's side; a line that stands in the place and that the source's file
lacks was taken away by the source's side, or else brought by the target's. Lines are compared without
the white space at their ends, and lines of hardly a word tell nothing.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pygit2
from pygit2.enums import DiffFind

from backports.engine.result import FileResult, HunkResult, SeriesResult

from .errors import GitError
from .filelog import Block, Logged, file_log, fork_of
from .store import Recent, commit_at, content_at, open_repository, tree_at
from .wording import Piece, word_diff

SECONDS = 4.0
PER_HUNK = 4
MAX_REJECTED = 60
LINES_TOLD = 6
WORDINGS = 3
BLOCK_LINES = 12
TREE_WIDE = 10
SIZES_KEPT = 4096
_WORD = re.compile(rb"\w")
_MIN_WORD_BYTES = 5
_SIZES: Recent[str, tuple[int, int, int]] = Recent(SIZES_KEPT)


class Side(StrEnum):
    """Whose history a culprit is in: that of the fix's own branch, or that of the branch it is tried on."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Culprit:
    """A commit that made a hunk's place differ.

    `lines` are those that the hunk expects and the target lacks because of it, `strange` those that stand in the place
    because of it and that the source's file lacks. `files` and `changed`: how many files and lines it touches in all.
    `wordings` tell word by word what it made of these lines. `is_there`: the target has a commit of the same subject.
    """

    oid: str
    subject: str
    side: Side
    lines: tuple[bytes, ...]
    strange: tuple[bytes, ...]
    files: int
    changed: int
    wordings: tuple[tuple[Piece, ...], ...] = ()
    is_there: bool = False

    @property
    def tree_wide(self) -> bool:
        """Whether it touches so many files that it is a clean-up: it explains, and is hardly ever worth a backport."""
        return self.files >= TREE_WIDE


@dataclass(frozen=True, slots=True)
class Place:
    """A rejected hunk, by its numbers from 0 in the series, the patch, and the file."""

    patch: int
    file: int
    hunk: int


@dataclass(frozen=True, slots=True)
class Culprits:
    """What was found: per rejected hunk the culprits, most relevant first; `complete` unless time ran out.

    `order` holds every commit of the source's side that was met, oldest first.
    """

    hunks: Mapping[Place, tuple[Culprit, ...]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    complete: bool = True

    def candidates(self) -> list[Culprit]:
        """Commits of the source's side that the target lacks, those that account for most lines first."""
        weight: dict[str, int] = defaultdict(int)
        found: dict[str, Culprit] = {}
        for culprit in (one for some in self.hunks.values() for one in some):
            if culprit.side is Side.SOURCE and not culprit.is_there:
                weight[culprit.oid] += len(culprit.lines) + len(culprit.strange)
                found.setdefault(culprit.oid, culprit)
        return sorted(found.values(), key=lambda one: (-weight[one.oid], one.files, one.oid))


def rejected(result: SeriesResult) -> Iterator[tuple[Place, FileResult, HunkResult]]:
    """Every hunk of the result that did not land."""
    for number, patch in enumerate(result.patches):
        for place, file in enumerate(patch.files):
            for at, hunk in enumerate(file.hunks):
                if hunk.rejection is not None:
                    yield Place(number, place, at), file, hunk


def find_culprits(
    git_dir: Path | str, result: SeriesResult, base: str, target: str, *, seconds: float = SECONDS
) -> Culprits:
    """The culprits of every hunk that did not land, in about `seconds`.

    `base` is the commit that the fix was made on, `target` the one that it was tried on. Raises GitError
    `no-such-commit`, `not-a-repository`.
    """
    hunks = list(rejected(result))[:MAX_REJECTED]
    if not hunks:
        return Culprits()
    until = time.monotonic() + seconds
    paths = {path for _, file, _ in hunks for path in (file.path, file.diff.old_path, file.diff.new_path) if path}
    try:
        histories = _Histories.read(git_dir, base, target, paths, seconds)
    except GitError as error:
        if error.code not in ("timeout", "too-large"):
            raise
        return Culprits(complete=False)
    case = _Case(open_repository(git_dir), base, target, histories)
    found: dict[Place, tuple[Culprit, ...]] = {}
    for place, file, hunk in hunks:
        if time.monotonic() > until:
            return Culprits(found, histories.order, complete=False)
        found[place] = tuple(case.of_hunk(file, hunk))
    return Culprits({place: some for place, some in found.items() if some}, histories.order)


@dataclass(frozen=True)
class _Side:
    """One side's history by line: the newest commit that added it, and the newest that removed it."""

    side: Side
    added: Mapping[bytes, Logged]
    removed: Mapping[bytes, Logged]
    subjects: frozenset[str]

    @classmethod
    def of(cls, side: Side, log: Sequence[Logged]) -> _Side:
        added: dict[bytes, Logged] = {}
        removed: dict[bytes, Logged] = {}
        for commit in log:
            for block in commit.blocks:
                new, old = ({line.strip() for line in lines} for lines in (block.added, block.removed))
                for line in new - old:
                    added.setdefault(line, commit)
                for line in old - new:
                    removed.setdefault(line, commit)
        return cls(side, added, removed, frozenset(commit.subject for commit in log))


@dataclass(frozen=True)
class _Histories:
    source: _Side
    target: _Side
    order: tuple[str, ...]

    @classmethod
    def read(cls, git_dir: Path | str, base: str, target: str, paths: Iterable[str], seconds: float) -> _Histories:
        until = time.monotonic() + seconds
        fork = fork_of(git_dir, base, target, timeout=seconds)
        names = sorted(paths)
        logs = [
            file_log(git_dir, fork, tip, names, timeout=max(0.1, until - time.monotonic())) if fork else ()
            for tip in (base, target)
        ]
        order = tuple(commit.oid for commit in reversed(logs[0]))
        return cls(_Side.of(Side.SOURCE, logs[0]), _Side.of(Side.TARGET, logs[1]), order)


class _Case:
    """One result's rejected hunks beside the two histories."""

    def __init__(self, repo: pygit2.Repository, base: str, target: str, histories: _Histories) -> None:
        self.repo = repo
        self.trees = {Side.SOURCE: tree_at(repo, base), Side.TARGET: tree_at(repo, target)}
        self.histories = histories
        self._lines: dict[tuple[Side, str], frozenset[bytes]] = {}

    def of_hunk(self, file: FileResult, hunk: HunkResult) -> list[Culprit]:
        """The hunk's culprits, those that account for most of its lines first."""
        lines: dict[tuple[Side, Logged], dict[bytes, bool]] = defaultdict(dict)
        for line, expected, side, commit in self._accounts(file, hunk):
            lines[side, commit][line] = expected
        ranked = sorted(lines, key=lambda key: (-len(lines[key]), key[0] is Side.TARGET))
        return [self._culprit(side, commit, lines[side, commit]) for side, commit in ranked[:PER_HUNK]]

    def _accounts(self, file: FileResult, hunk: HunkResult) -> Iterator[tuple[bytes, bool, Side, Logged]]:
        """Each line that makes the place differ, whether the hunk expects it, and who did it."""
        source, target = self.histories.source, self.histories.target
        expected = _telling(hunk.hunk.preimage)
        here, before = self.lines(Side.TARGET, file.path), self.lines(Side.SOURCE, file.diff.path)
        for line in dict.fromkeys(line for line in expected if line not in here):
            if line in source.added or line in target.removed:
                side, known = (source, source.added) if line in source.added else (target, target.removed)
                yield line, True, side.side, known[line]
        ours = _telling(hunk.rejection.ours if hunk.rejection else ())
        for line in dict.fromkeys(line for line in ours if line not in expected and line not in before):
            if line in source.removed or line in target.added:
                side, known = (source, source.removed) if line in source.removed else (target, target.added)
                yield line, False, side.side, known[line]

    def lines(self, side: Side, path: str) -> frozenset[bytes]:
        """The telling lines of one side's file; none when it has no such file."""
        key = (side, path)
        if key not in self._lines:
            self._lines[key] = frozenset(_telling(content_at(self.trees[side], path).split(b"\n")))
        return self._lines[key]

    def _culprit(self, side: Side, commit: Logged, lines: Mapping[bytes, bool]) -> Culprit:
        files, changed = size_of(self.repo, commit.oid)
        return Culprit(
            oid=commit.oid,
            subject=commit.subject,
            side=side,
            lines=tuple(line for line, expected in lines.items() if expected)[:LINES_TOLD],
            strange=tuple(line for line, expected in lines.items() if not expected)[:LINES_TOLD],
            files=files,
            changed=changed,
            wordings=tuple(_wordings(commit.blocks, frozenset(lines))),
            is_there=side is Side.SOURCE and commit.subject in self.histories.target.subjects,
        )


def size_of(repo: pygit2.Repository, oid: str) -> tuple[int, int]:
    """How many files a commit touches, and how many lines it adds and removes there."""
    files, added, removed = _SIZES.get(oid, lambda: _measure(repo, oid))
    return files, added + removed


def lines_of(repo: pygit2.Repository, oid: str) -> tuple[int, int]:
    """How many lines a commit adds, and how many it removes; files that it only renames count for none."""
    return _SIZES.get(oid, lambda: _measure(repo, oid))[1:]


def _measure(repo: pygit2.Repository, oid: str) -> tuple[int, int, int]:
    commit = commit_at(repo, oid)
    if not commit.parents:
        return len(commit.tree), 0, 0
    diff = commit.parents[0].tree.diff_to_tree(commit.tree, context_lines=0)
    diff.find_similar(DiffFind.FIND_RENAMES)
    return len(diff), diff.stats.insertions, diff.stats.deletions


def _telling(lines: Iterable[bytes]) -> list[bytes]:
    """The lines that have at least a word, without the space around them."""
    return [line.strip() for line in lines if len(_WORD.findall(line)) >= _MIN_WORD_BYTES]


def _wordings(blocks: Iterable[Block], lines: frozenset[bytes]) -> Iterator[tuple[Piece, ...]]:
    """What the commit made of these lines, block by block, each cut to what can be read."""
    concerned = (block for block in blocks if any(line.strip() in lines for line in (*block.removed, *block.added)))
    for block, _ in zip(concerned, range(WORDINGS), strict=False):
        old, new = (b"\n".join(_around(side, lines)) for side in (block.removed, block.added))
        yield word_diff(old, new)


def _around(side: Sequence[bytes], lines: frozenset[bytes]) -> Sequence[bytes]:
    """BLOCK_LINES of a long block, from a little before the first line that matters."""
    first = next((at for at, line in enumerate(side) if line.strip() in lines), 0)
    start = max(0, min(first - 2, len(side) - BLOCK_LINES))
    return side[start : start + BLOCK_LINES]
