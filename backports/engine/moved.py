"""Functions that live in another file of the target: hunks that found no place follow them there.

Method: a hunk that no rung took, all of whose changes are in one function of the author's file, is looked for where
the target defines a function of that name, when its own file does not. The function must be the same code: words and
signs in one order alike to LIKE at least, and every other definition of the name to UNLIKE at most (thresholds of
0.8 and 0.6, as for moved code in the backporting literature). Then the same rungs place the hunk on the function
alone, with the author's function as base, so that nothing outside of it can be changed. The result is always for
review: a note says where the function lives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice

from .apply import apply_hunks, fits_exactly
from .diff import FileDiff, FileKind, Hunk, Line
from .files import Answer, Changes, Tools, base_of, bound, file_outcome, highest
from .functions import Function, changed_span, enclosing, functions_named
from .locate import split_lines
from .result import Answer as Said
from .result import Change, FileResult, HunkResult, Outcome, Rung, Step
from .tokens import likeness
from .tree import EXECUTABLE, REGULAR, Blob, TreeReader

LIKE = 0.8
UNLIKE = 0.6
MAX_FILES = 40
MAX_HUNKS = 100  # of a file; those of larger diffs are not followed
KINDS = (FileKind.MODIFY, FileKind.RENAME)
CODES = ("", "file-not-found")  # a file that is refused for another reason is refused as a whole
STEP = "moved"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a function lives in the target: its lines in the file at `path`."""

    path: str
    mode: int
    lines: list[bytes]
    function: Function


def follow(diff: FileDiff, answer: Answer, tree: TreeReader, tools: Tools) -> Answer:
    """The answer with hunks that found no place landed where the target has their functions."""
    result, changes = answer
    if tools.holding is None or diff.kind not in KINDS or result.code not in CODES or len(diff.hunks) > MAX_HUNKS:
        return answer
    held = tools.withheld.get(id(diff), ())
    stuck = {number: hunk for number, hunk in enumerate(result.hunks) if hunk.rejection and number not in held}
    base = base_of(diff, tree) if stuck else None
    if base is None or not fits_exactly(diff.hunks, lines := split_lines(base.data)):
        return answer
    search = _Search(result, dict(changes), lines, tree, tools)
    found = dict(search.land(stuck.keys()))
    return (_told(result, found, more=bool(changes)), search.changes) if found else answer


def _told(result: FileResult, found: dict[int, HunkResult], *, more: bool) -> FileResult:
    """The file's result with these hunks' in place; `more` says that something was changed before."""
    hunks = tuple(found.get(number, hunk) for number, hunk in enumerate(result.hunks))
    placed = [hunk.placement for hunk in hunks if hunk.placement]
    landed = sum(place.rung is not Rung.ALREADY_APPLIED for place in placed)
    outcome = file_outcome(len(hunks), landed, len(hunks) - len(placed), more=more)
    doubts = tuple(
        f"hunk {number + 1}: {hunk.note}" for number, hunk in sorted(found.items()) if hunk.placement and hunk.note
    )
    return replace(
        result,
        hunks=hunks,
        outcome=outcome,
        rung=highest(place.rung for place in placed) or result.rung,
        doubts=() if outcome is Outcome.ALREADY_APPLIED else (*result.doubts, *doubts),
        code="" if placed else result.code,
    )


class _Search:
    """The functions of one author's file in the files of the target; `changes` grow as hunks land."""

    def __init__(
        self, result: FileResult, changes: Changes, author: Sequence[bytes], tree: TreeReader, tools: Tools
    ) -> None:
        self.result, self.changes, self.author, self.tree, self.tools = result, changes, author, tree, tools
        self._functions: dict[int, Function | None] = {}

    def land(self, stuck: AbstractSet[int]) -> Iterator[tuple[int, HunkResult]]:
        """What becomes of the hunks `stuck` whose functions live elsewhere."""
        own = self._read(self.result.path)
        here = split_lines(own.data) if own else []
        for theirs in dict.fromkeys(map(self._function, stuck)):
            if theirs is None or functions_named(here, theirs.name):
                continue
            numbers = [number for number in range(len(self.result.hunks)) if self._function(number) == theirs]
            home = self._home(theirs) if stuck >= set(numbers) else None
            if home is not None:  # where a hunk of the function landed, it is here by another name
                yield from self._follow(numbers, theirs, home)

    def _function(self, number: int) -> Function | None:
        """The author's function that all changes of the hunk are in."""
        if number not in self._functions:
            self._functions[number] = enclosing(self.author, *changed_span(self.result.hunks[number].hunk))
        return self._functions[number]

    def _read(self, path: str) -> Blob | None:
        change = self.changes.get(path)
        if change is None:
            return self.tree.read(path)
        return None if change.data is None else Blob("", change.mode, change.data)

    def _home(self, theirs: Function) -> Home | None:
        """The one definition in other files that is the same code; None where none is, or another resembles it."""
        body = b"".join(self.author[theirs.start : theirs.stop])
        homes = list(self._definitions(theirs.name))
        scored = sorted(
            (
                (likeness(body, b"".join(_lines_of(home)), self.tools.differ), number)
                for number, home in enumerate(homes)
            ),
            reverse=True,
        )
        if not scored or scored[0][0] < LIKE or (len(scored) > 1 and scored[1][0] > UNLIKE):
            return None
        return homes[scored[0][1]]

    def _definitions(self, name: bytes) -> Iterator[Home]:
        ask = self.tools.holding
        paths = list(islice(ask(name, self.result.diff.path), MAX_FILES + 1)) if ask else []
        for path in paths if len(paths) <= MAX_FILES else ():
            blob = self._read(path)
            if blob is None or blob.mode not in (REGULAR, EXECUTABLE):
                continue
            lines = split_lines(blob.data)
            yield from (Home(path, blob.mode, lines, function) for function in functions_named(lines, name))

    def _follow(self, numbers: Sequence[int], theirs: Function, home: Home) -> Iterator[tuple[int, HunkResult]]:
        function = home.function
        applied = apply_hunks(
            [cut(self.result.hunks[number].hunk, theirs) for number in numbers],
            b"".join(_lines_of(home)),
            b"".join(self.author[theirs.start : theirs.stop]),
            differ=self.tools.differ,
            rungs=self.tools.rungs,
            strangers=bound(self.tools.strangers, home.path),
            renamed=bound(self.tools.renamed, home.path),
        )
        if applied.landed:
            pieces = [*home.lines[: function.start], applied.data, *home.lines[function.stop :]]
            self.changes[home.path] = Change(b"".join(pieces), home.mode)
        for number, found in zip(numbers, applied.hunks, strict=True):
            yield number, _moved(self.result.hunks[number], found, home)


def _lines_of(home: Home) -> list[bytes]:
    return home.lines[home.function.start : home.function.stop]


def _moved(before: HunkResult, found: HunkResult, home: Home) -> HunkResult:
    """The hunk's result in its own file, and then in the function's."""
    lives = f"the function {home.function.name.decode('latin-1')} lives in {home.path} here"
    if found.placement is not None:
        placed = replace(found.placement, line=found.placement.line + home.function.start, offset=0, path=home.path)
        step = Step(STEP, Said.LANDED, placed.line, "", f"{_opened(lives)}.")
        note = f"{lives}; {found.note}" if found.note else lives
        return HunkResult(before.hunk, placed, note=note, trail=(*before.trail, step))
    stopped, why = before.rejection, found.rejection
    if stopped is None or why is None:
        return before
    step = Step(STEP, Said.REFUSED, 0, why.code, f"{_opened(lives)}: {why.sentence}")
    told = replace(stopped, sentence=f"{stopped.sentence} {_opened(lives)}, where it does not fit either.")
    return replace(before, rejection=told, trail=(*before.trail, step))


def _opened(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def cut(hunk: Hunk, function: Function) -> Hunk:
    """The hunk without its context outside of the function, in lines of the function."""
    kept: list[Line] = []
    at = first = hunk.old_start - bool(hunk.old_count)
    for line in hunk.lines:
        if line.tag == "+" or function.start <= at < function.stop:
            kept.append(line)
        at += line.tag != "+"
    old, new = (sum(line.tag != tag for line in kept) for tag in "+-")
    start = max(first, function.start) - function.start + bool(old)
    section = hunk.section if first >= function.start else b""
    return Hunk(start, old, start, new, section, tuple(kept))
