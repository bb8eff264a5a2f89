"""The conflict chunks of a partial result, and what a finished file says to each of them.

For each file with a rejected hunk three texts are compared: the one that the patches' author started from (base),
the one that the series leaves (theirs), and the target's file as far as the series landed (ours). Where the base is not
known, a rejected hunk's own preimage stands for it, held against the likely place of the hunk. Runs of changed lines
that ours changed too are chunks, as in diff3; those that no rejected hunk asks for are left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from . import merge
from .apply import patched_base
from .diff import FileKind, Hunk
from .files import base_of
from .locate import Index, split_lines
from .merge import BaseMap, Run
from .resolutions import Chunk, Resolution, is_bounded
from .result import FileResult, SeriesResult
from .rungs.context import shape_of
from .tree import Edit, LineDiffer, TreeReader

MAX_CONFLICTS = 200
SLACK = 8
Lines = list[tuple[int, int]]
MARKERS = (b"<<<<<<< ", b">>>>>>> ", b"||||||| ")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A chunk and its place: 0-based lines `[start, stop)` of the file at `path` as the series left it.

    A `clean` one is a part that ours did not change, of a hunk that was rejected for another part: theirs settles it.
    """

    path: str
    start: int
    stop: int
    chunk: Chunk
    clean: bool = False


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All that a result leaves open. `whole` says that answers to these would finish it."""

    found: tuple[Conflict, ...] = ()
    whole: bool = False

    @property
    def asked(self) -> tuple[Conflict, ...]:
        """Those that need an answer."""
        return tuple(one for one in self.found if not one.clean)


@dataclass(frozen=True, slots=True)
class Untold:
    """A conflict to which a finished file gives no answer that can be told apart; `code` says why."""

    conflict: Conflict
    code: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What a finished file says: resolutions, and the conflicts to which it says nothing clear."""

    resolutions: tuple[tuple[Conflict, Resolution], ...] = ()
    untold: tuple[Untold, ...] = ()


def conflicts(result: SeriesResult, tree: TreeReader, differ: LineDiffer) -> Conflicts:
    """The chunks of every rejected hunk of a result on `tree`, in the order of paths and lines."""
    found: list[Conflict] = []
    whole = True
    for path, files in sorted(_by_path(result).items()):
        if not any(_is_open(file) for file in files):
            continue
        here = _in_file(path, files, partial_file(result, tree, path), tree, differ)
        whole = whole and here is not None
        found += here or ()
    return Conflicts(tuple(found[:MAX_CONFLICTS]), whole and 0 < len(found) <= MAX_CONFLICTS)


def partial_file(result: SeriesResult, tree: TreeReader, path: str) -> bytes | None:
    """The file as the series left it; None when it is not there."""
    for patch in reversed(result.patches):
        if path in patch.changes:
            return patch.changes[path].data
    blob = tree.read(path)
    return blob.data if blob else None


def _by_path(result: SeriesResult) -> dict[str, list[FileResult]]:
    files: dict[str, list[FileResult]] = defaultdict(list)
    for patch in result.patches:
        for file in patch.files:
            files[file.path].append(file)
    return files


def _is_open(file: FileResult) -> bool:
    return bool(file.code) or any(found.rejection for found in file.hunks)


def _in_file(
    path: str, files: Sequence[FileResult], ours: bytes | None, tree: TreeReader, differ: LineDiffer
) -> list[Conflict] | None:
    """The file's chunks in order; None when not all that is open could be put as chunks."""
    if ours is None or any(file.code for file in files):
        return None
    if any(file.diff.kind is not FileKind.MODIFY for file in files):
        return None
    known = _by_base(path, files, ours, tree, differ)
    found = known if known is not None else _by_hunks(path, files, ours, differ)
    if found is None or not all(one.chunk.is_bounded for one in found) or _overlap(found):
        return None
    return found


def _overlap(found: Sequence[Conflict]) -> bool:
    """Whether two chunks share lines, or a place between lines."""
    return any(one.stop > other.start or one.start == other.start for one, other in pairwise(found))


def _by_base(
    path: str, files: Sequence[FileResult], ours: bytes, tree: TreeReader, differ: LineDiffer
) -> list[Conflict] | None:
    """Chunks of the whole file against its base; None when the base, or a state after it, is not known."""
    blob = base_of(files[0].diff, tree)
    if blob is None:
        return None
    base, theirs = blob.data, blob.data
    rejected: list[Lines] = []
    for file in files:
        back = BaseMap(split_lines(theirs), split_lines(base), differ(theirs, base))
        rejected += [_changed_lines(found.hunk, back) for found in file.hunks if found.rejection]
        after = patched_base(file.diff.hunks, theirs)
        if after is None:
            return None
        theirs = after
    base_map = BaseMap(split_lines(base), split_lines(ours), differ(base, ours))
    runs = _runs(differ(base, theirs), split_lines(theirs))
    return _open(path, merge.chunks(runs, base_map), base_map, rejected, 0)


def _open(
    path: str, chunks: Iterable[merge.Chunk], base_map: BaseMap, rejected: Sequence[Lines], shift: int
) -> list[Conflict]:
    """The chunks that rejected hunks wait for; `shift` is the line of the file that the map's target starts at."""
    waiting = [chunk for chunk in chunks if chunk.state != "same" and any(_meets(chunk, hunk) for hunk in rejected)]
    torn = [hunk for hunk in rejected if any(chunk.state == "conflict" and _meets(chunk, hunk) for chunk in waiting)]
    return [
        Conflict(
            path,
            chunk.start + shift,
            chunk.stop + shift,
            Chunk(
                tuple(base_map.base[chunk.base_start : chunk.base_stop]),
                tuple(base_map.target[chunk.start : chunk.stop]),
                chunk.theirs,
            ),
            clean=chunk.state == "clean" and any(_meets(chunk, hunk) for hunk in torn),
        )
        for chunk in waiting
    ]


def _runs(edits: Iterable[Edit], theirs: Sequence[bytes]) -> list[Run]:
    return [Run(0, edit.old_start, edit.old_stop, tuple(theirs[edit.new_start : edit.new_stop])) for edit in edits]


def _changed_lines(hunk: Hunk, back: BaseMap) -> Lines:
    """The lines of the first base that a hunk changes; `back` leads there from the hunk's own base."""
    at = hunk.old_start - 1 if hunk.old_count else hunk.old_start
    runs = shape_of(hunk, 0).runs
    return [(back.position(at + run.start), back.position(at + run.stop)) for run in runs]


def _meets(chunk: merge.Chunk, lines: Lines) -> bool:
    return any(run.start <= stop and start <= run.stop for run in chunk.runs for start, stop in lines)


def _by_hunks(path: str, files: Sequence[FileResult], ours: bytes, differ: LineDiffer) -> list[Conflict] | None:
    """Chunks of each rejected hunk against its likely place; None when one has none."""
    index = Index(split_lines(ours))
    found: list[Conflict] = []
    for result in (one for file in files for one in file.hunks if one.rejection):
        here = _by_preimage(path, result.hunk, result.rejection.line if result.rejection else 0, index, differ)
        if here is None:
            return None
        found += here
    return sorted(found, key=lambda one: one.start)


def _by_preimage(path: str, hunk: Hunk, line: int, index: Index, differ: LineDiffer) -> list[Conflict] | None:
    shape = shape_of(hunk, 0)
    likely = index.likely(shape.preimage, line - 1) if line else None
    if likely is None:
        return None
    start = max(0, likely.start - SLACK)
    window = index.lines[start : likely.start + likely.count + SLACK]
    edits = differ(b"".join(shape.preimage), b"".join(window))
    base_map = BaseMap(shape.preimage, window, edits)
    chunks = [chunk for chunk in merge.chunks(shape.runs, base_map) if chunk.state != "same"]
    if any(_at_edge(chunk, len(window)) for chunk in chunks):
        return None
    return _open(path, chunks, base_map, [[(run.start, run.stop) for run in shape.runs]], start)


def _at_edge(chunk: merge.Chunk, window: int) -> bool:
    """Whether the target's part of the chunk may go on outside the lines that were compared."""
    return chunk.start <= 0 or chunk.stop >= window


def learn(
    asked: Sequence[Conflict], partial: Mapping[str, bytes], finished: Mapping[str, bytes], differ: LineDiffer
) -> Learned:
    """What the finished files say to the conflicts of the partial ones.

    Where a person changed lines beside a chunk together with it, where two chunks became one, and where a chunk
    stayed as it was while something else was changed, the answer cannot be told apart, and none is learned.
    """
    resolutions: list[tuple[Conflict, Resolution]] = []
    untold: list[Untold] = []
    for path in sorted({one.path for one in asked}):
        here = [one for one in asked if one.path == path]
        if path not in partial or path not in finished:
            untold += [Untold(one, "file-not-finished") for one in here]
            continue
        answers = _answers(here, partial[path], finished[path], differ)
        for one, answer in zip(here, answers, strict=True):
            if isinstance(answer, str):
                untold.append(Untold(one, answer))
            else:
                resolutions.append((one, Resolution(one.chunk, answer)))
    return _one_voice(resolutions, untold)


def _one_voice(resolutions: Iterable[tuple[Conflict, Resolution]], untold: Iterable[Untold]) -> Learned:
    """Without the chunks that stand in several places and were answered otherwise in one than in another."""
    said: dict[str, set[tuple[bytes, ...]]] = defaultdict(set)
    for _, found in resolutions:
        said[found.chunk.key].add(found.answer)
    clear = tuple((one, found) for one, found in resolutions if len(said[found.chunk.key]) == 1)
    torn = [Untold(one, "answered-both-ways") for one, found in resolutions if len(said[found.chunk.key]) > 1]
    return Learned(clear, (*untold, *torn))


def _answers(
    here: Sequence[Conflict], partial: bytes, finished: bytes, differ: LineDiffer
) -> Iterator[tuple[bytes, ...] | str]:
    edits = differ(partial, finished)
    after = BaseMap(split_lines(partial), split_lines(finished), edits)
    touched = [after.touching(one.start, one.stop) for one in here]
    often = Counter(number for numbers in touched for number in numbers)
    stray = any(number not in often for number in range(len(after.edits)))
    for one, numbers in zip(here, touched, strict=True):
        if any(often[number] > 1 for number in numbers):
            yield "chunks-joined"
        elif not numbers:
            yield "left-alone" if stray else one.chunk.ours
        else:
            yield _answer(one, after, numbers)


def _answer(one: Conflict, after: BaseMap, numbers: range) -> tuple[bytes, ...] | str:
    first, last = after.edits[numbers.start], after.edits[numbers.stop - 1]
    if first.old_start < one.start or last.old_stop > one.stop:
        return "changed-beside"
    lines = after.target[first.new_start - (first.old_start - one.start) : last.new_stop + (one.stop - last.old_stop)]
    if any(line.startswith(MARKERS) for line in lines):
        return "unfinished"
    return tuple(lines) if is_bounded(lines) else "too-long"


def settled(partial: bytes, answers: Iterable[tuple[Conflict, Sequence[bytes]]]) -> bytes:
    """The partial file with lines in the place of each conflict; the conflicts do not overlap."""
    lines = split_lines(partial)
    for one, answer in sorted(answers, key=lambda pair: pair[0].start, reverse=True):
        lines[one.start : one.stop] = answer
    return b"".join(lines)
