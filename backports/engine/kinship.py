"""How near two series of patches are to each other, hunk by hunk: what is the same, adapted, missing, extra.

Method: each hunk is taken apart into its runs of changed lines, so that two hunks which one side joined are still two.
Runs of files that belong together are aligned in order so that the likeness of all pairs together is greatest (the
context breaks ties); what is left over is paired by likeness alone. A hunk is the same when all its runs have equals.
White space, line numbers and context do not count as a difference; that context differs is told.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .align import LIKENESS, WORD, best_pairs
from .diff import FileDiff, FileKind, Hunk, Patch
from .lineage import without_space

LOOSE = 0.5  # how alike runs must be that stand in another order, in the same file
STRANGE = 0.75  # and in files that do not belong together
HELD = 0.5  # the share of a run's lines that must stand elsewhere for it not to be missing
WEIGHT_OF_CONTEXT = 0.25
MOST_PAIRS = 4_000  # beyond so many, runs are aligned between those that are equal
MOST_FILES = 1_000
CONTEXT = 3


class Fate(StrEnum):
    """What became of a hunk."""

    SAME = "same"
    ADAPTED = "adapted"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Spot:
    """A hunk's place in its series: number of the patch and of the hunk in the file, from 1.

    `hunk` is None, and `number` 0, for what a file diff does besides its hunks: a rename, a new mode.
    """

    patch: int
    path: str
    number: int
    hunk: Hunk | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """One hunk of theirs and those of ours that hold it, or one of ours alone (`extra`).

    `new_context` says that the lines around it are others, `new_file` that it is in a file of another name.
    """

    fate: Fate
    theirs: Spot | None
    ours: tuple[Spot, ...] = ()
    new_context: bool = False
    new_file: bool = False


@dataclass(frozen=True, slots=True)
class Kinship:
    """Every hunk of theirs in order, then what ours has besides."""

    pairs: tuple[Pair, ...]

    def count(self, fate: Fate) -> int:
        """How many hunks have this fate."""
        return sum(pair.fate is fate for pair in self.pairs)

    @property
    def is_same(self) -> bool:
        """Whether both do the same, wherever they do it."""
        return all(pair.fate is Fate.SAME for pair in self.pairs)

    def having(self, *fates: Fate) -> list[Pair]:
        """The pairs with one of these fates."""
        return [pair for pair in self.pairs if pair.fate in fates]


@dataclass(slots=True, eq=False)
class _Run:
    """Changed lines that follow each other in a hunk; or a file's rename or mode, as one line."""

    spot: Spot
    key: tuple[bytes, ...]
    words: Counter[bytes]
    around: Counter[bytes]
    mates: list[_Run] = field(default_factory=list)


def compare(theirs: Sequence[Patch], ours: Sequence[Patch]) -> Kinship:
    """What of `theirs` is in `ours`, and what `ours` has besides. Either may be cut into other patches."""
    left, right = list(_runs(theirs)), list(_runs(ours))
    files, others = _by_file(left), _by_file(right)
    for path, other in _file_pairs(files, others):
        _align(files[path], others[other])
        _greedy(files[path], others[other], LOOSE)
    _greedy(left, right, STRANGE)
    _note_held(left, right)
    _note_held(right, left)
    return Kinship((*_judged(left), *_extras(right)))


def _runs(patches: Sequence[Patch]) -> Iterator[_Run]:
    for at, patch in enumerate(patches, start=1):
        for file in patch.files:
            yield from _of_file(at, file)


def _of_file(patch: int, file: FileDiff) -> Iterator[_Run]:
    told = _whole(file)
    if told:
        yield _run(Spot(patch, file.path, 0), [b"+" + told], ())
    for number, hunk in enumerate(file.hunks, start=1):
        yield from _of_hunk(Spot(patch, file.path, number, hunk), hunk)


def _whole(file: FileDiff) -> bytes:
    """What the file diff does besides its hunks, in words."""
    if file.kind in (FileKind.RENAME, FileKind.COPY):
        return f"{file.kind} {file.old_path} {file.new_path}".encode("utf-8", "surrogateescape")
    if file.binary:
        return f"binary {file.kind} {file.new_oid}".encode()
    if file.kind is FileKind.MODE or not file.hunks:
        return f"{file.kind} {file.path} {file.new_mode}".encode("utf-8", "surrogateescape")
    return b""


def _of_hunk(spot: Spot, hunk: Hunk) -> Iterator[_Run]:
    lines = [(line.tag, line.text) for line in hunk.lines]
    start = 0
    while start < len(lines):
        stop = start + 1
        if lines[start][0] != " ":
            while stop < len(lines) and lines[stop][0] != " ":
                stop += 1
            near = [text for tag, text in lines[max(0, start - CONTEXT) : stop + CONTEXT] if tag == " "]
            yield _run(spot, [tag.encode() + text for tag, text in lines[start:stop]], (hunk.section, *near))
        start = stop


def _run(spot: Spot, changed: Sequence[bytes], around: Sequence[bytes]) -> _Run:
    key = tuple(sorted(filter(None, (_key(line) for line in changed)), key=lambda line: line[:1]))
    words = Counter(line[:1] + word for line in changed for word in WORD.findall(line))
    return _Run(spot, key, words, Counter(word for line in around for word in WORD.findall(line)))


def _key(line: bytes) -> bytes:
    bare = without_space(line)
    return bare if len(bare) > 1 else b""


def _by_file(runs: Iterable[_Run]) -> dict[str, list[_Run]]:
    found: dict[str, list[_Run]] = defaultdict(list)
    for run in runs:
        found[run.spot.path].append(run)
    return found


def _file_pairs(files: dict[str, list[_Run]], others: dict[str, list[_Run]]) -> Iterator[tuple[str, str]]:
    """Files of one name first, then those that are most alike, a file's own name counting as much as its text."""
    yield from ((path, path) for path in files if path in others)
    left = {path: _all_words(files[path]) for path in files if path not in others}
    right = {path: _all_words(others[path]) for path in others if path not in files}
    if len(left) * len(right) > MOST_FILES:
        return
    for path, words in left.items():
        scored = [
            (_dice(words, right[other]) + LOOSE * (_base(path) == _base(other)), other) for other in sorted(right)
        ]
        best = max(scored, default=(0.0, ""))
        if best[0] >= LOOSE:
            del right[best[1]]
            yield path, best[1]


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _all_words(runs: Sequence[_Run]) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for run in runs:
        found.update(run.words)
    return found


def _dice(one: Counter[bytes], other: Counter[bytes]) -> float:
    size = one.total() + other.total()
    return 2 * (one & other).total() / size if size else 0.0


def _likeness(one: _Run, other: _Run) -> float:
    """0 to 1; exactly 1 for equal runs only."""
    if one.key == other.key:
        return 1.0
    return 0.95 * _dice(one.words, other.words) if (one.spot.hunk is None) == (other.spot.hunk is None) else 0.0


def _score(one: _Run, other: _Run) -> float:
    found = _likeness(one, other)
    if found < LIKENESS:
        return 0.0
    weight = 1.0 if one.words else 0.1
    return weight * found + WEIGHT_OF_CONTEXT * _dice(one.around, other.around)


def _align(left: Sequence[_Run], right: Sequence[_Run]) -> None:
    if not left or not right:
        return
    if len(left) * len(right) <= MOST_PAIRS:
        for i, j in best_pairs([[_score(one, other) for other in right] for one in left]):
            _mate(left[i], right[j])
        return
    at = to = 0
    for i, j in [*_anchors(left, right), (len(left), len(right))]:
        if (i - at) * (j - to) <= MOST_PAIRS:
            _align(left[at:i], right[to:j])
        if i < len(left):
            _mate(left[i], right[j])
        at, to = i + 1, j + 1


def _anchors(left: Sequence[_Run], right: Sequence[_Run]) -> list[tuple[int, int]]:
    """Places of runs that each side has once and the other side too, as many as stand in one order (patience)."""
    once, other = _once(left), _once(right)
    tops: list[int] = []
    chains: list[tuple[int, int, Any]] = []
    last: list[tuple[int, int, Any]] = []
    for i, j in sorted((at, other[key]) for key, at in once.items() if key in other):
        place = bisect_left(tops, j)
        chains.append((i, j, last[place - 1] if place else None))
        tops[place : place + 1], last[place : place + 1] = [j], [chains[-1]]
    found, link = [], last[-1] if last else None
    while link:
        found.append(link[:2])
        link = link[2]
    return found[::-1]


def _once(runs: Sequence[_Run]) -> dict[tuple[bytes, ...], int]:
    counts = Counter(run.key for run in runs)
    return {run.key: at for at, run in enumerate(runs) if counts[run.key] == 1}


def _greedy(left: Iterable[_Run], right: Iterable[_Run], least: float) -> None:
    """Pairs what is left over, the most alike first."""
    free, others = [run for run in left if not run.mates and run.words], [run for run in right if not run.mates]
    if len(free) * len(others) > MOST_PAIRS:
        return
    scored = [(_likeness(one, other), i, j) for i, one in enumerate(free) for j, other in enumerate(others)]
    for found, i, j in sorted(scored, key=lambda one: (-one[0], one[1:])):
        if found >= least and not free[i].mates and not others[j].mates:
            _mate(free[i], others[j])


def _mate(one: _Run, other: _Run) -> None:
    one.mates.append(other)
    other.mates.append(one)


def _note_held(runs: Sequence[_Run], others: Sequence[_Run]) -> None:
    """A run whose lines stand in one of the other side, besides what that is paired for, was joined with it there."""
    spare: dict[str, list[tuple[_Run, Counter[bytes]]]] = defaultdict(list)
    for other in others:
        lines = Counter(other.key) - Counter(other.mates[0].key) if other.mates else Counter()
        if any(WORD.search(line) for line in lines):
            spare[other.spot.path].append((other, lines))
    for run in runs:
        if not run.mates and run.words and len(spare[run.spot.path]) <= MOST_FILES:
            run.mates += _holding(run, spare[run.spot.path])[:1]


def _holding(run: _Run, spare: Sequence[tuple[_Run, Counter[bytes]]]) -> list[_Run]:
    key = Counter(run.key)
    return [other for other, lines in spare if (key & lines).total() >= HELD * len(run.key)]


def _judged(runs: Sequence[_Run]) -> Iterator[Pair]:
    for spot, all_runs in _by_spot(runs).items():
        mine = [run for run in all_runs if run.key]
        found = list(dict.fromkeys(mate.spot for run in mine for mate in run.mates))
        if found:
            same = all(run.mates and run.key == run.mates[0].key for run in mine)
            context = same and any(run.around != run.mates[0].around for run in mine)
            yield Pair(
                fate=Fate.SAME if same else Fate.ADAPTED,
                theirs=spot,
                ours=tuple(found),
                new_context=context,
                new_file=all(mate.path != spot.path for mate in found),
            )
        elif mine:
            yield Pair(Fate.MISSING, spot)


def _extras(runs: Sequence[_Run]) -> Iterator[Pair]:
    """Hunks of ours with something that theirs have nothing for, also beside something that they have."""
    for spot, mine in _by_spot(runs).items():
        if any(run.key and not run.mates for run in mine):
            yield Pair(Fate.EXTRA, None, (spot,))


def _by_spot(runs: Sequence[_Run]) -> dict[Spot, list[_Run]]:
    found: dict[Spot, list[_Run]] = {}
    for run in runs:
        found.setdefault(run.spot, []).append(run)
    return found


NAMED = 3
_CHANGED = (Fate.ADAPTED, Fate.MISSING)


def sentence(kinship: Kinship, whose: str = "theirs") -> str:
    """The comparison in one sentence: “Same as theirs but for hunk 3 (adapted).”"""
    same, extra = kinship.count(Fate.SAME), kinship.count(Fate.EXTRA)
    changed = kinship.having(*_CHANGED)
    if not same and not kinship.count(Fate.ADAPTED):
        return f"Nothing in common with {whose}."
    if not same:
        return f"Nothing is quite the same as {whose}: {_counts(kinship, *_CHANGED, Fate.EXTRA)}."
    but = f" but for {_named(changed, kinship)}" if changed else ""
    more = f"{', with' if but else ' with'} {_hunks(extra)} more" if extra else ""
    return f"Same as {whose}{but}{more}."


def _named(changed: Sequence[Pair], kinship: Kinship) -> str:
    if len(changed) > NAMED:
        total = len(kinship.pairs) - kinship.count(Fate.EXTRA)
        return f"{len(changed)} of {total} hunks ({_counts(kinship, *_CHANGED)})"
    several = len({pair.theirs.path for pair in kinship.pairs if pair.theirs}) > 1
    named = [f"{_place(pair.theirs, several=several)} ({pair.fate})" for pair in changed if pair.theirs]
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _place(spot: Spot, *, several: bool) -> str:
    path = spot.path.encode("utf-8", "replace").decode()
    if not spot.number:
        return f"what is done to {path} as a whole"
    return f"hunk {spot.number} of {path}" if several else f"hunk {spot.number}"


def _counts(kinship: Kinship, *fates: Fate) -> str:
    return ", ".join(f"{count} {fate}" for fate in fates if (count := kinship.count(fate)))


def _hunks(count: int) -> str:
    return f"{count} hunk{'' if count == 1 else 's'}"
