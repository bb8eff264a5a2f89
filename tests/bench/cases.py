"""Small backports of our own, one for each row of tests/data/corpus/sample.tsv and of the same kind.

A file is a list of pieces (statements, comments, blank lines) with names. A fix and the drift
between two branches are both edits of pieces, so that the right answer is known by construction:
the fix made on the drifted file, in that file's own words. What a maintainer did beyond that (left
out, added, wrote otherwise) is part of the kind.
"""

from __future__ import annotations

import copy
import csv
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "data" / "corpus" / "sample.tsv"
MOST_FILES, MOST_HUNKS = 4, 8
WORDS = """
anchor ballast beacon berth bilge boom bosun bow brace bulkhead buoy cabin cable canal capstan cargo chart cleat coil
compass crane crew davit deck derrick dinghy dock draught fender ferry fleet fog galley gangway gauge hatch hawser helm
hoist hold hull jetty keel kiln knot ladder lamp lantern ledger lighter load lock locker manifest mast mate moor oar
pallet pier pilot plank port pulley pump quay raft rail ramp rigging rope rudder sail salvage seal shackle shoal signal
slip spar spring stern strake tackle tally tide tiller timber toll tow transom trawl tug valve vane wake ward watch
"""
NOUNS = WORDS.split()
LIMITS = ("MAX", "MIN", "TOTAL", "SPARE", "RESERVED")
ERRORS = ("EINVAL", "EBUSY", "ERANGE", "ENOENT", "EAGAIN")
Files = dict[str, bytes]


@dataclass
class Piece:
    """Some lines that belong together; `kind` tells what a fix can do with them."""

    name: str
    lines: list[str]
    kind: str = "plain"


@dataclass
class Edit:
    """What a fix does at one piece: lines before it, and other lines in its place (None: it stays)."""

    before: list[str] = field(default_factory=list)
    instead: list[str] | None = None


@dataclass
class Function:
    """A function's pieces: heading, statements, end."""

    name: str
    pieces: list[Piece]


@dataclass
class Unit:
    """One file: what stands above its functions, and these."""

    path: str
    head: list[Piece]
    functions: list[Function]

    def render(self, fix: dict[str, Edit] | None = None) -> str:
        fix = fix or {}
        out: list[str] = []
        for piece in [*self.head, *(piece for function in self.functions for piece in function.pieces)]:
            edit = fix.get(piece.name, Edit())
            out += edit.before + (piece.lines if edit.instead is None else edit.instead)
        return "".join(f"{line}\n" for line in out)


@dataclass(frozen=True)
class Shape:
    """A row of the sample."""

    expected: str
    gap: str
    kind: str
    moved: bool
    files: int
    hunks: int


@dataclass(frozen=True)
class Case:
    """Four trees: the source's base, the source, the target, and what a maintainer makes of it."""

    shape: Shape
    base: Files
    source: Files
    target: Files
    expected: Files


@dataclass
class Sides:
    """One file on its way: the author's unit, the target's, the fix in the words of each, and the file's header.

    Lines of `newer` are in the author's header only.
    """

    base: Unit
    target: Unit
    fix: dict[str, Edit]
    ported: dict[str, Edit]
    header: list[str]
    newer: list[str] = field(default_factory=list)


def shapes() -> list[Shape]:
    with SAMPLE.open() as stream:
        return [
            Shape(
                row["expected"],
                row["gap"],
                row["kind"],
                row["moved"] == "1",
                min(int(row["files"]), MOST_FILES),
                min(int(row["hunks"]), MOST_HUNKS),
            )
            for row in csv.DictReader(stream, delimiter="\t")
        ]


def make_case(shape: Shape) -> Case:
    """The same shape always gives the same case."""
    rng = random.Random(f"{shape.expected} {shape.kind}")
    nouns = rng.sample(NOUNS, len(NOUNS))
    sides = [make_sides(rng, nouns[30 * n : 30 * n + 30], hunks) for n, hunks in enumerate(spread(shape))]
    for one in sides:
        drift_elsewhere(rng, one) if shape.kind != "same" else None
    if shape.kind in KINDS:
        KINDS[shape.kind](rng, sides[0])
    base = {one.base.path: one.base.render() for one in sides}
    source = {one.base.path: one.base.render(one.fix) for one in sides}
    target = {moved(one, shape): one.target.render() for one in sides}
    expected = {moved(one, shape): one.target.render(one.ported) for one in sides}
    ours, theirs = headers(sides, older=False), headers(sides, older=True)
    if shape.kind == "rename":
        target, expected, theirs = (older_names(sides[0], files) for files in (target, expected, theirs))
    trees = base | ours, source | ours, target | theirs, expected | theirs
    return Case(shape, *map(encoded, trees))


def headers(sides: list[Sides], *, older: bool) -> dict[str, str]:
    """What the files include; in the older tree without what came later."""
    found = {
        "port/include/port/errno.h": "".join(f"#define {name} {number}\n" for number, name in enumerate(ERRORS, 1))
    }
    for side in sides:
        lines = [line for line in side.header if not (older and line in side.newer)]
        found[f"port/include/port/{Path(side.base.path).name[:-2]}.h"] = "".join(f"{line}\n" for line in lines)
    return found


def encoded(files: dict[str, str]) -> Files:
    return {path: text.encode() for path, text in files.items()}


def spread(shape: Shape) -> list[int]:
    """How many hunks each file gets."""
    counts = [1] * min(shape.files, 3)
    for number in range(max(0, min(shape.hunks, 6) - len(counts))):
        counts[number % len(counts)] += 1
    return counts


def moved(side: Sides, shape: Shape) -> str:
    return side.base.path.replace("port/common/", "port/arch/old/") if shape.moved else side.base.path


def make_sides(rng: random.Random, nouns: list[str], hunks: int) -> Sides:
    base = make_unit(rng, nouns)
    fix = make_fix(rng, base, nouns, hunks)
    return Sides(base, copy.deepcopy(base), fix, copy.deepcopy(fix), make_header(nouns))


def make_header(nouns: list[str]) -> list[str]:
    unit = nouns[0]
    members = [f"    unsigned int {noun}; bool {noun}_ready; spinlock_t {noun}_lock;" for noun in nouns]
    notes = [f"void {unit}_{verb}(struct {unit} *, unsigned int, unsigned int);" for verb in ("note", "note_once")]
    calls = [f"int {unit}_{noun}_at(struct {unit} *, unsigned int);" for noun in nouns]
    uses = [f"    x->{noun} = x->{noun}_ready = 0; spin_lock_init(&x->{noun}_lock);" for noun in nouns]
    empty = [f"static inline void {unit}_empty(struct {unit} *x)", "{", *uses, "}"]
    return [f"struct {unit} {{", *members, "};", "", *notes, *calls, "", *empty]


def make_unit(rng: random.Random, nouns: list[str]) -> Unit:
    unit, *rest = nouns
    head = [
        f"/* Keeps the harbour's {unit}s: who has which, and for how long. */",
        "",
        f"#include <port/{unit}.h>",
        f"#include <port/{rest[0]}.h>",
        "#include <port/errno.h>",
        "",
        *(f"#define {limit}_{unit.upper()} {rng.randrange(3, 90)}" for limit in rng.sample(LIMITS, 3)),
        "",
        f"static struct {unit} *{unit}_list;",
        "",
    ]
    pieces = [Piece(f"head.{number}", [line]) for number, line in enumerate(head)]
    functions = [make_function(rng, unit, rest, number) for number in range(rng.randrange(7, 10))]
    return Unit(f"port/common/{unit}.c", pieces, functions)


def make_function(rng: random.Random, unit: str, nouns: list[str], number: int) -> Function:
    name = f"{unit}_{nouns[number + 1]}"
    first = unit[0]
    statements = [make_statement(rng, unit, nouns, number, place) for place in range(rng.randrange(7, 11))]
    heading = [f"static int {name}(struct {unit} *{first}, unsigned int {nouns[number + 10]})", "{", "    int rc = 0;"]
    pieces = [Piece(f"{name}.heading", heading), Piece(f"{name}.gap", [""])]
    for place, (kind, lines) in enumerate(statements):
        pieces.append(Piece(f"{name}.{place}", lines, kind))
        if rng.random() < 0.4:
            pieces.append(Piece(f"{name}.{place}.gap", [""]))
    pieces.append(Piece(f"{name}.end", ["", "    return rc;", "}", ""], "end"))
    return Function(name, pieces)


def make_statement(rng: random.Random, unit: str, nouns: list[str], number: int, place: int) -> tuple[str, list[str]]:
    first, argument = unit[0], nouns[number + 10]
    what, other = rng.choice(nouns), rng.choice(nouns)
    count = rng.randrange(2, 400)
    made = {
        "check": [f"    if ( {first}->{what} > {count} )", "        return -EINVAL;"],
        "set": [f"    {first}->{what} = {argument} + {count};"],
        "call": [f"    {unit}_note({first}, {first}->{what}, {count});"],
        "try": [f"    rc = {unit}_{other}_at({first}, {argument});", "    if ( rc )", "        return rc;"],
        "loop": [f"    while ( {first}->{what} < {argument} )", f"        {first}->{what} += {count};"],
        "comment": [f"    /* The {what} is kept until the {other} is free again. */"],
        "lock": [f"    spin_lock(&{first}->{what}_lock);"],
    }
    kind = rng.choice(sorted(made))
    return (kind, made[kind]) if place else ("set", made["set"])


def make_fix(rng: random.Random, unit: Unit, nouns: list[str], hunks: int) -> dict[str, Edit]:
    fix = {}
    for function in rng.sample(unit.functions, min(hunks, len(unit.functions))):
        piece = rng.choice(statements_of(function)[1:-1])
        fix[piece.name] = make_edit(rng, unit, nouns, piece)
    return fix


def make_edit(rng: random.Random, unit: Unit, nouns: list[str], piece: Piece) -> Edit:
    stem = Path(unit.path).stem
    first, what, count = stem[0], rng.choice(nouns), rng.randrange(2, 400)
    check = [f"    if ( !{first}->{what}_ready || {first}->{what} == {count} )", "        return -EBUSY;", ""]
    if piece.kind == "check":
        return Edit(instead=[piece.lines[0].replace(" > ", " >= "), piece.lines[1].replace("EINVAL", "ERANGE")])
    if piece.kind == "call":
        return Edit(instead=[piece.lines[0].replace("_note(", "_note_once(")])
    if piece.kind == "loop":
        return Edit(before=[f"    {first}->{what} = 0;"], instead=piece.lines)
    return Edit(before=check)


def statements_of(function: Function) -> list[Piece]:
    return [piece for piece in function.pieces[2:-1] if not piece.name.endswith(".gap")]


def touched(side: Sides) -> list[Function]:
    return [function for function in side.target.functions if any(piece.name in side.fix for piece in function.pieces)]


def drift_elsewhere(rng: random.Random, side: Sides) -> None:
    """Years passed in functions that the fix does not touch: some came, some went, some changed."""
    stem = Path(side.base.path).stem
    still = [function for function in side.target.functions if function not in touched(side)]
    for number, function in enumerate(rng.sample(still, min(2, len(still)))):
        if number:
            function.pieces[2:-1] = [Piece(f"{function.name}.new", [f"    {stem}_count += {rng.randrange(400, 900)};"])]
        else:
            side.target.functions.remove(function)
    lines = [f"static void {stem}_older(void)", "{", f"    {stem}_count = {rng.randrange(400, 900)};", "}", ""]
    side.target.functions.insert(0, Function(f"{stem}_older", [Piece(f"{stem}_older.all", lines)]))


def near(rng: random.Random, side: Sides, least: int) -> None:
    """The target's lines some way above a hunk are other ones."""
    function = rng.choice(touched(side))
    place = next(number for number, piece in enumerate(function.pieces) if piece.name in side.fix)
    above = [piece for piece in function.pieces[2:place] if not piece.name.endswith(".gap")]
    if not above:
        return
    changed = above[-least] if len(above) >= least else above[0]
    changed.lines = [line.replace("->", "->old_", 1) for line in changed.lines]
    if not any("old_" in line for line in changed.lines):
        changed.lines = [f"    /* {rng.choice(NOUNS)} first, {rng.choice(NOUNS)} later */"]


def drift(rng: random.Random, side: Sides) -> None:
    near(rng, side, 1)


def merge(rng: random.Random, side: Sides) -> None:
    near(rng, side, 2)


def rename(rng: random.Random, side: Sides) -> None:
    """The target has an older name for a function that the fix calls (see `older_names`)."""
    stem = Path(side.base.path).stem
    for name in side.fix:
        edit = Edit(before=[f"    {stem}_note({stem[0]}, 0, {rng.randrange(900)});"])
        side.fix[name], side.ported[name] = edit, copy.deepcopy(edit)


def older_names(side: Sides, files: dict[str, str]) -> dict[str, str]:
    stem = Path(side.base.path).stem
    return {path: text.replace(f"{stem}_note", f"{stem}_log") for path, text in files.items()}


def space(rng: random.Random, side: Sides) -> None:
    """The function stands one block deeper in the target."""
    function = rng.choice(touched(side))
    for piece in function.pieces[2:-1]:
        piece.lines = [deeper(line) for line in piece.lines]
        if piece.name in side.ported:
            edit = side.ported[piece.name]
            new = None if edit.instead is None else [deeper(line) for line in edit.instead]
            side.ported[piece.name] = Edit([deeper(line) for line in edit.before], new)


def deeper(line: str) -> str:
    return f"    {line}" if line else line


def dropped(rng: random.Random, side: Sides) -> None:
    """One of the fixed functions is not in the target yet."""
    function = rng.choice(touched(side))
    side.target.functions.remove(function)
    for piece in function.pieces:
        side.ported.pop(piece.name, None)
    if not side.ported:
        first = statements_of(rng.choice(side.base.functions[:-1]))[1]
        side.fix[first.name] = side.ported[first.name] = Edit(before=["    barrier();"])


def extra(rng: random.Random, side: Sides) -> None:
    """The target has a twin of the fixed function, which the maintainer mended too."""
    function = copy.deepcopy(rng.choice(touched(side)))
    old, new = function.name, f"{function.name}_compat"
    for piece in function.pieces:
        edit = side.fix.get(piece.name)
        piece.name = piece.name.replace(old, new)
        piece.lines = [line.replace(f"{old}(", f"{new}(") for line in piece.lines]
        if edit:
            side.ported[piece.name] = copy.deepcopy(edit)
    side.target.functions.append(function)


def adapted(rng: random.Random, side: Sides) -> None:
    """One line of the fix had to be written otherwise, for one of the usual reasons."""
    how = rng.choices((other_words, same_words, no_such_symbol, other_protocol), weights=(8, 9, 6, 2))[0]
    how(rng, side)


def changed_piece(rng: random.Random, side: Sides) -> tuple[Piece, Piece]:
    """The same piece of both units, which the fix is about to change."""
    function = rng.choice(touched(side))
    piece = next(piece for piece in function.pieces if piece.name in side.fix)
    piece.lines = [f"    {function.name}_step({piece.name.rpartition('.')[2]}, first_of(rc), last_of(rc));"]
    twin = next(twin for one in side.base.functions for twin in one.pieces if twin.name == piece.name)
    twin.lines = list(piece.lines)
    return piece, twin


def other_words(rng: random.Random, side: Sides) -> None:
    """The fix and the years changed other words of one line."""
    piece, _ = changed_piece(rng, side)
    line = piece.lines[0]
    side.fix[piece.name] = Edit(instead=[line.replace("last_of(rc)", "last_of(rc) - 1")])
    piece.lines = [line.replace("first_of(", "start_of(")]
    side.ported[piece.name] = Edit(instead=[piece.lines[0].replace("last_of(rc)", "last_of(rc) - 1")])


def same_words(rng: random.Random, side: Sides) -> None:
    """The fix and the years changed the same words of one line."""
    piece, _ = changed_piece(rng, side)
    line = piece.lines[0]
    side.fix[piece.name] = Edit(instead=[line.replace("last_of(rc)", "min(last_of(rc), LAST)")])
    piece.lines = [line.replace("last_of(rc)", "end_of(rc, 0)")]
    side.ported[piece.name] = Edit(instead=[line.replace("last_of(rc)", "min(end_of(rc, 0), END)")])


def no_such_symbol(rng: random.Random, side: Sides) -> None:
    """The fix calls what the target does not have yet, and a maintainer wrote out what it does."""
    stem = Path(side.base.path).stem
    name, noun = rng.choice(sorted(side.fix)), rng.choice(NOUNS)
    side.newer = [f"static inline bool {stem}_is_safe(struct {stem} *x) {{ return !x->{noun} && x->{noun}_ready; }}"]
    side.header += side.newer
    side.fix[name] = Edit(before=[f"    if ( !{stem}_is_safe({stem[0]}) )", "        return -EBUSY;"])
    condition = f"{stem[0]}->{noun} || !{stem[0]}->{noun}_ready"
    side.ported[name] = Edit(before=[f"    if ( {condition} )", "        return -EBUSY;"])


def other_protocol(rng: random.Random, side: Sides) -> None:
    """The same call must be told otherwise; nothing in the tree says so."""
    name = rng.choice(sorted(side.fix))
    lines = ["    if ( signal_pending() )", "        return -EBUSY;"]
    side.fix[name] = Edit(before=lines)
    side.ported[name] = Edit(before=[line.replace("EBUSY", "EAGAIN") for line in lines])


def reworked(rng: random.Random, side: Sides) -> None:
    """The statement that the fix changes is another one in the target."""
    for function in touched(side):
        for piece in function.pieces:
            if piece.name in side.fix and rng.random() < 0.7:
                other = f"    {function.name}_step({rng.randrange(900)});"
                piece.lines = [other]
                side.ported[piece.name] = Edit(before=["    if ( rc )", "        goto out;"])


def rewritten(rng: random.Random, side: Sides) -> None:
    """The function was written anew since."""
    for function in touched(side):
        body = [Piece(f"{function.name}.n{n}", [f"    {function.name}_part({rng.randrange(900)});"]) for n in range(6)]
        function.pieces[2:-1] = body
        side.ported[body[3].name] = Edit(before=[f"    {function.name}_guard();"])


KINDS: dict[str, Callable[[random.Random, Sides], None]] = {
    "drift": drift,
    "merge": merge,
    "rename": rename,
    "space": space,
    "dropped": dropped,
    "extra": extra,
    "adapted": adapted,
    "reworked": reworked,
    "rewritten": rewritten,
}


def all_cases() -> Iterator[Case]:
    return map(make_case, shapes())


def of_kind(kind: str, *, moved: bool = False, number: int = 0) -> Case:
    """A case of a kind that the sample may lack."""
    return make_case(replace(shapes()[0], kind=kind, moved=moved, expected=f"{number:040x}", files=1, hunks=2))
