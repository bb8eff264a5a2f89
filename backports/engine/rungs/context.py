"""What every rung sees of a file, and what it answers."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from backports.engine.dialect import Dialect, changed_names, learn, members_of, names_of, without_words
from backports.engine.diff import Hunk, Line
from backports.engine.functions import Function, functions_of, holder
from backports.engine.locate import STARTS_HEADING, Index, diff_lines, function_name, is_heading, same_function
from backports.engine.merge import BaseMap, Merged, Run, merge_runs
from backports.engine.older import UNSIGNED, drops_suffixes, rules_for
from backports.engine.result import Placement
from backports.engine.tree import Edit, LineDiffer
from backports.engine.verify import anchors, reverse_hunk
from backports.engine.wraps import learn_wraps

SPACE = b" \t\r\v\f"  # what bytes.split() takes for white space, but for the end of a line


@lru_cache(maxsize=32)
def named_functions(lines: tuple[bytes, ...]) -> Mapping[bytes, Function]:
    """The functions of a file whose name only one of them has; a worker asks for the same few files again and again."""
    found = functions_of(lines)
    often = Counter(function.name for function in found)
    return {function.name: function for function in found if often[function.name] == 1}


def shifted(edit: Edit, old: int, new: int) -> Edit:
    """The edit so many lines further down on either side."""
    return Edit(edit.old_start + old, edit.old_stop + old, edit.new_start + new, edit.new_stop + new)


def _bare(line: bytes) -> bytes:
    """The line without its white space, so that a section heading stays one and nothing else becomes one."""
    return b" ".join(line.split()) + b"\n" if is_heading(line) else b" " + b"".join(line.split()) + b"\n"


@lru_cache(maxsize=32)
def _all_bare(lines: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """A file's lines without their white space: first all as text of functions, then the headings among them."""
    found = [b" %s\n" % text for text in b"".join(lines).translate(None, SPACE).split(b"\n")][: len(lines)]
    for at, line in enumerate(lines):
        if line[:1] in STARTS_HEADING:
            found[at] = _bare(line)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Replace:
    """Target lines `[start, stop)`, 0-based and before this patch, become `lines`.

    `run` is the number of the hunk's run (from 0) that it carries out, -1 when it mixes several.
    """

    start: int
    stop: int
    lines: tuple[bytes, ...]
    run: int = -1


@dataclass(frozen=True, slots=True)
class Landing:
    """A hunk's place: it holds target lines `[start, stop)`; `doubt` asks in words for a person's eye."""

    placement: Placement
    start: int
    stop: int
    edits: tuple[Replace, ...] = ()
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a rung that saw a place does not take it; `line` is 0-based, or None."""

    code: str
    sentence: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A hunk's sides, its outer context and its change runs (offsets into the preimage)."""

    preimage: tuple[bytes, ...]
    postimage: tuple[bytes, ...]
    lead: int
    trail: int
    runs: tuple[Run, ...]

    @property
    def added(self) -> list[bytes]:
        """All `+` lines."""
        return [line for run in self.runs for line in run.lines]

    @property
    def removed(self) -> list[bytes]:
        """All `-` lines."""
        return [line for run in self.runs for line in self.preimage[run.start : run.stop]]


def shape_of(hunk: Hunk, number: int) -> Shape:
    """The shape of hunk `number` (counted from 0)."""
    runs: list[Run] = []
    at = start = 0
    added: list[bytes] = []
    for line in hunk.lines:
        if line.tag == " ":
            if added or at > start:
                runs.append(Run(number, start, at, tuple(added)))
            at += 1
            start, added = at, []
        elif line.tag == "+":
            added.append(line.text)
        else:
            at += 1
    if added or at > start:
        runs.append(Run(number, start, at, tuple(added)))
    lead = runs[0].start if runs else at
    trail = at - runs[-1].stop if runs else 0
    return Shape(hunk.preimage, hunk.postimage, lead, trail, tuple(runs))


Strangers = Callable[[Collection[bytes]], frozenset[bytes]]
Renamed = Callable[[Collection[bytes]], Mapping[bytes, bytes]]
"""Of some names those that the tree of the patch's author has, and the target's tree lacks."""


@dataclass(slots=True)
class FileContext:
    """One file while its hunks climb the ladder.

    `base_map` is set only when the patch applies to the base line by line. Line ends of hunks,
    base and target are made alike before they come here. `removed_lines` are all `-` lines of the
    file's hunks: code that the patch moves is no proof that it was there.
    """

    hunks: Sequence[Hunk]
    index: Index
    base_map: BaseMap | None = None
    differ: LineDiffer = diff_lines
    strangers: Strangers | None = None
    renamed: Renamed | None = None
    landings: dict[int, Landing] = field(default_factory=dict)
    refusals: dict[int, Refusal] = field(default_factory=dict)
    shapes: list[Shape] = field(default_factory=list)
    removed_lines: frozenset[bytes] = frozenset()
    _placed: list[int] = field(default_factory=list)
    _dialect: Dialect | None = None
    _spoken: FileContext | None = None
    _inverse: FileContext | None = None
    _base_index: Index | None = None
    _blind: FileContext | None = None
    _functions: tuple[list[Function], Mapping[bytes, Function]] | None = None
    _scopes: dict[bytes, BaseMap] = field(default_factory=dict)
    _merged: list[list[Merged]] | None = None
    _sections: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shapes = [shape_of(hunk, number) for number, hunk in enumerate(self.hunks)]
        self.removed_lines = frozenset(line for shape in self.shapes for line in shape.removed)
        self.index.expect(line for shape in self.shapes for side in (shape.preimage, shape.postimage) for line in side)

    def named(self, number: int) -> int:
        """The 0-based line that the hunk's header names."""
        hunk = self.hunks[number]
        return hunk.old_start - 1 if hunk.old_count else hunk.old_start

    def expected(self, number: int) -> int:
        """The named line moved as far as the nearest hunk that landed."""
        before, after = self._neighbours(number)
        near = before if before is not None else after
        return self.named(number) + (self.landings[near].placement.offset if near is not None else 0)

    def bounds(self, number: int) -> tuple[int, int]:
        """The target lines `[low, high)` that the hunks before and after leave free."""
        before, after = self._neighbours(number)
        low = self.landings[before].stop if before is not None else 0
        high = self.landings[after].start if after is not None else len(self.index.lines)
        return low, high

    def _neighbours(self, number: int) -> tuple[int | None, int | None]:
        at = bisect_left(self._placed, number)
        before = self._placed[at - 1] if at else None
        after = self._placed[at] if at < len(self._placed) else None
        return before, after

    def fits(self, number: int, start: int, length: int) -> bool:
        """Whether `length` lines at `start` keep the order of hunks and overlap none."""
        low, high = self.bounds(number)
        return low <= start and start + length <= high

    def land(self, number: int, landing: Landing) -> None:
        """Records where a hunk landed."""
        self.landings[number] = landing
        insort(self._placed, number)

    def withdraw(self, number: int, refusal: Refusal) -> None:
        """Takes a landing back, for a reason that is told."""
        self.refusals[number] = refusal
        if self.landings.pop(number, None) is not None:
            self._placed.remove(number)

    def mapped(self, number: int) -> int | None:
        """The target line of the hunk's preimage as the base tells it, when it stands there whole."""
        if self.base_map is None:
            return None
        start = self.named(number)
        return self.base_map.whole(start, start + len(self.shapes[number].preimage))

    def merged(self, number: int) -> list[Merged] | None:
        """What three-way merge says of the hunk's runs; None without a base."""
        if self.base_map is None:
            return None
        if self._merged is None:
            self._merged = self._merge_all(self.base_map)
        return self._merged[number]

    def _merge_all(self, base_map: BaseMap) -> list[list[Merged]]:
        runs = [run for number in range(len(self.hunks)) for run in self.base_runs(number)]
        merged: list[list[Merged]] = [[] for _ in self.hunks]
        for run, found in zip(runs, merge_runs(runs, base_map), strict=True):
            merged[run.hunk].append(found)
        return merged

    def base_runs(self, number: int) -> list[Run]:
        """The hunk's runs in lines of the base."""
        at = self.named(number)
        return [Run(run.hunk, run.start + at, run.stop + at, run.lines) for run in self.shapes[number].runs]

    def scoped(self, number: int) -> BaseMap | None:
        """The base map of the one function that holds the hunk, when both files have one of that name."""
        runs = self.base_runs(number)
        if self.base_map is None or not runs:
            return None
        if self._functions is None:
            known = named_functions(tuple(self.base_map.base)), named_functions(tuple(self.index.lines))
            self._functions = list(known[0].values()), known[1]
        base, target = self._functions
        theirs = holder(base, runs[0].start, runs[-1].stop)
        ours = target.get(theirs.name) if theirs else None
        if theirs is None or ours is None:
            return None
        if theirs.name not in self._scopes:
            self._scopes[theirs.name] = self._scoped(self.base_map, theirs, ours)
        return self._scopes[theirs.name]

    def _scoped(self, whole: BaseMap, theirs: Function, ours: Function) -> BaseMap:
        old, new = whole.base[theirs.start : theirs.stop], whole.target[ours.start : ours.stop]
        inner = [shifted(edit, theirs.start, ours.start) for edit in self.differ(b"".join(old), b"".join(new))]
        before = [Edit(0, theirs.start, 0, ours.start)] if theirs.start or ours.start else []
        after = [Edit(theirs.stop, len(whole.base), ours.stop, len(whole.target))]
        return BaseMap(whole.base, whole.target, [*before, *inner, *after])

    @property
    def dialect(self) -> Dialect:
        """How the target says what the hunks say otherwise."""
        if self._dialect is None:
            self._dialect = self._learn()
        return self._dialect

    def _learn(self) -> Dialect:
        if self.base_map is not None and not self.base_map.edits:
            return Dialect(self._renamed_elsewhere(()))
        lines = [line.text for hunk in self.hunks for line in hunk.lines]
        rules = rules_for(lines, self.index, self._lacks)
        if self.base_map and UNSIGNED.is_in(lines) and self._drops_suffixes(self.base_map):
            rules = (*rules, UNSIGNED)
        learned = self._learn_names(names_of(lines))
        wraps = learn_wraps(self.hunks, self.base_map) if self.base_map else ()
        return Dialect({**self._renamed_elsewhere(learned), **learned}, rules, wraps)

    def _learn_names(self, used: frozenset[bytes]) -> dict[bytes, bytes]:
        if self.base_map is None or self.strangers is None:
            return {}
        unknown = self.unknown(self.index.lacking(used))
        sought = unknown & changed_names(self.base_map) if unknown else unknown
        return learn(sought, self.base_map, self.differ) if sought else {}

    def _renamed_elsewhere(self, known: Collection[bytes]) -> Mapping[bytes, bytes]:
        """What other files of the trees say of names that the hunks add, and that the target's tree lacks."""
        if self.renamed is None:
            return {}
        lines = [without_words(line.text) for hunk in self.hunks for line in hunk.lines if line.tag == "+"]
        sought = self.unknown(self.index.lacking(names_of(lines).difference(known)))
        return self.renamed(sought) if sought else {}

    def _drops_suffixes(self, base_map: BaseMap) -> bool:
        """Whether the target has numbers without their suffix in lines right beside the hunks."""
        spans = ((hunk.old_start - 1, hunk.old_start - 1 + hunk.old_count) for hunk in self.hunks)
        near = (base_map.edits[number] for start, stop in spans for number in base_map.touching(start, stop))
        base, target = base_map.base, base_map.target
        return any(
            drops_suffixes(base[edit.old_start : edit.old_stop], target[edit.new_start : edit.new_stop])
            for edit in near
        )

    def _lacks(self, name: bytes) -> bool:
        """Whether the source's tree has the name and the target's lacks it; by the two files when no more is known."""
        if self.strangers is not None:
            return bool(self.unknown(frozenset({name})))
        return self.base_map is not None and name in names_of(self.base_map.base)

    def strange(self, edits: Sequence[Replace]) -> frozenset[bytes]:
        """Names in the edits' lines that the target lacks and has no other name for.

        Where nothing is known of the trees: names of the file that the patch was made on, gone from the target's.
        """
        lines = [without_words(self.spoken(line)) for edit in edits for line in edit.lines]
        used = names_of(lines)
        if self.strangers is not None:
            return self.unknown(used | members_of(lines))
        own = self.index.lacking(used) if self.base_map and self.base_map.edits else frozenset()
        return own & names_of(self.base_map.base) if self.base_map and own else frozenset()

    def unknown(self, names: frozenset[bytes]) -> frozenset[bytes]:
        """Those of the names that the source tree has and the target's tree lacks."""
        if not names or self.strangers is None:
            return frozenset()
        return self.strangers(names)

    def spoken(self, line: bytes) -> bytes:
        """The line as the target would say it."""
        return self.dialect.translate(line)

    def read_in(self) -> FileContext | None:
        """This file with base and hunks in the target's names; landings are shared. None without a base."""
        if self._spoken is None and self.base_map is not None:
            hunks = [
                replace(hunk, lines=tuple(Line(line.tag, self.spoken(line.text)) for line in hunk.lines))
                for hunk in self.hunks
            ]
            base = [self.spoken(line) for line in self.base_map.base]
            edits = self.differ(b"".join(base), b"".join(self.index.lines))
            spoken = FileContext(hunks, self.index, BaseMap(base, self.index.lines, edits), self.differ, self.strangers)
            spoken.landings, spoken._placed = self.landings, self._placed
            self._spoken = spoken
        return self._spoken

    def blind(self) -> FileContext | None:
        """This file with base and hunks without their white space; landings are shared. None without a base."""
        if self._blind is None and self.base_map is not None:
            hunks = [
                replace(hunk, lines=tuple(Line(line.tag, _bare(line.text)) for line in hunk.lines))
                for hunk in self.hunks
            ]
            base, target = (_all_bare(tuple(lines)) for lines in (self.base_map.base, self.index.lines))
            edits = self.differ(b"".join(base), b"".join(target))
            blind = FileContext(hunks, Index(target), BaseMap(base, target, edits), self.differ)
            blind.landings, blind._placed = self.landings, self._placed
            self._blind = blind
        return self._blind

    @property
    def base_index(self) -> Index:
        """Where the base's lines stand in it; empty without a base."""
        if self._base_index is None:
            self._base_index = Index(self.base_map.base if self.base_map else ())
            self._base_index.expect(line for shape in self.shapes for line in (*shape.preimage, *shape.postimage))
        return self._base_index

    def inverse(self, base_map: BaseMap) -> FileContext:
        """This file with hunks that undo these, on the base as its author left it; made once."""
        if self._inverse is None:
            self._inverse = self._invert(base_map)
        return self._inverse

    def _invert(self, base_map: BaseMap) -> FileContext:
        runs = [run for number in range(len(self.hunks)) for run in self.base_runs(number)]
        authored: list[bytes] = []
        at = 0
        for run in runs:
            authored += [*base_map.base[at : run.start], *run.lines]
            at = run.stop
        authored += base_map.base[at:]
        target = self.index.lines
        edits = self.differ(b"".join(authored), b"".join(target))
        hunks = [reverse_hunk(hunk) for hunk in self.hunks]
        return FileContext(hunks, self.index, BaseMap(authored, target, edits), self.differ)

    def leaves_function(self, number: int, start: int) -> bool:
        """Whether target line `start` is in another function than the one whose heading the hunk names.

        Right below the brace that closes a function, or on a heading, it is in none. A function that the target has
        nowhere may have another name there, or be part of another.
        """
        above = next((line for line in reversed(self.index.lines[max(0, start - 3) : start]) if line.strip()), b"")
        own = self.index.lines[start] if start < len(self.index.lines) else b""
        if above.startswith(b"}") or (is_heading(own) and function_name(own)):
            return False
        section, heading = self._section(number), self.index.heading(start)
        both = all(function_name(line) and not line.rstrip().endswith(b";") for line in (section, heading))
        return both and not same_function(section, heading) and self.index.has_function(function_name(section))

    def edits_at(self, number: int, start: int) -> tuple[Replace, ...]:
        """The hunk's changes when its preimage stands at `start`; context lines are left alone."""
        runs = enumerate(self.shapes[number].runs)
        return tuple(Replace(start + run.start, start + run.stop, run.lines, order) for order, run in runs)

    def author_has(self, number: int, block: tuple[bytes, ...]) -> bool:
        """Whether the file that the patch was made on, or the hunk's own context, holds `block` near the hunk."""
        shape = self.shapes[number]
        slack = len(block)
        near = shape.preimage
        if self.base_map is not None:
            start = self.named(number)
            near = tuple(self.base_map.base[max(0, start - slack) : start + len(shape.preimage) + slack])
        return any(near[at : at + slack] == block for at in range(len(near) - slack + 1))

    def in_function(self, number: int, start: int) -> bool | None:
        """Whether a hunk at `start` changes the function that it names; None when it names none.

        The function of a change is the last heading in the context above it, or else the section;
        a hunk that runs into the next function is told by that one's heading among its lines.
        """
        section, heading = self._section(number), self.index.heading(start + self._first_change(number))
        if not section.strip() or not heading:
            return None
        return same_function(section, heading)

    def names_a_function(self, number: int) -> bool:
        """Whether the function that the hunk names is in the target, wherever its lines may stand."""
        return self.index.heading_named(self._section(number)) is not None

    def _first_change(self, number: int) -> int:
        shape = self.shapes[number]
        return shape.runs[0].start if shape.runs else 0

    def _section(self, number: int) -> bytes:
        if number not in self._sections:
            self._sections[number] = self._find_section(number)
        return self._sections[number]

    def _find_section(self, number: int) -> bytes:
        preimage, first = self.shapes[number].preimage, self._first_change(number)
        own = [line for line in preimage[:first] if is_heading(line)]
        if own:
            return own[-1]
        return b"" if any(is_heading(line) for line in preimage[first:]) else self.hunks[number].section

    def anchored(self, number: int, start: int, length: int) -> bool:
        """Whether a hunk that was made at an edge of its file stands at that edge."""
        at_start, at_end = anchors(self.hunks[number], self.shapes[number].lead, self.shapes[number].trail)
        return not (at_start and start) and not (at_end and start + length != len(self.index.lines))
