"""What the fuzzer runs: each target takes any bytes and raises when the engine breaks a promise.

A refusal by a named error is an answer. Everything else that is raised, and every broken promise, is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pygit2

from backports.engine import diff, ladder
from backports.engine.diff import FileDiff, FileKind, Patch
from backports.engine.errors import MalformedPatch
from backports.engine.guards import Symbols
from backports.engine.headers import parse_message
from backports.engine.render import render
from backports.engine.result import Confidence, Outcome, SeriesResult
from backports.engine.scan import split_lines
from backports.engine.series import blob_oid
from backports.engine.tree import REGULAR
from backports.git.tree import diff_lines
from tests.engine.guards.cases import TreeNames
from tests.engine.helpers import DictTree

PATH = "lib/shop.c"
CUT = b"%%%%\n"
MOST_MUTATIONS = 12
DERIVED_LINES = 60_000
ENVELOPE = b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
OUTCOMES = frozenset({Outcome.APPLIED, Outcome.ALREADY_APPLIED, Outcome.PARTLY_APPLIED, Outcome.CONFLICT})


def read(data: bytes) -> tuple[Patch, ...]:
    """The patches of `data`, () when it is refused; a refusal has a code and a sentence."""
    try:
        return diff.parse_series(data)
    except MalformedPatch as error:
        assert error.code
        assert error.sentence.endswith((".", "!", "?")), error.sentence
        return ()


def parser(data: bytes) -> None:
    """Any bytes are read or refused; what was read is written and read back the same, and can be tried."""
    patches = read(data)
    for patch in patches:
        files = tuple(file for file in patch.files if not file.binary)
        if files:
            assert diff.parse_patch(render(files)).files == tuple(map(as_git_tells, files))
    if patches:
        files = {file.path: side(patch, file.path) for patch in patches for file in patch.files}
        tried(patches, DictTree(files))


def as_git_tells(file: FileDiff) -> FileDiff:
    """The file diff with the modes that git tells of added and deleted files: one, on the side that is there."""
    if file.kind is FileKind.ADD:
        return replace(file, old_mode=None, new_mode=file.new_mode or REGULAR)
    if file.kind is FileKind.DELETE:
        return replace(file, old_mode=file.old_mode or REGULAR, new_mode=None)
    return file


def side(patch: Patch, path: str) -> bytes:
    """Some file that the patch could be about: its preimages one after another."""
    hunks = (hunk for file in patch.files if file.path == path for hunk in file.hunks)
    return b"".join(line for hunk in hunks for line in hunk.preimage)


def mail(data: bytes) -> None:
    """Any text is some message; two mbox files after each other hold the patches of both."""
    message = parse_message(split_lines(data))
    assert "\n" not in message.subject
    one, _, other = data.partition(CUT)
    first, second = (read(enveloped(part)) for part in (one, other))
    if first and second:
        assert read(enveloped(one) + enveloped(other)) == first + second


def enveloped(mail: bytes) -> bytes:
    """The mail as one of an mbox."""
    return ENVELOPE + mail + (b"" if mail.endswith(b"\n") else b"\n")


def tried(patches: Sequence[Patch], tree: DictTree, symbols: Symbols | None = None) -> SeriesResult:
    """The result on the tree, which keeps what every result promises."""
    result = ladder.apply_series(patches, tree, differ=diff_lines, symbols=symbols)
    assert result.outcome in OUTCOMES
    hunks = [hunk for patch in result.patches for file in patch.files for hunk in file.hunks]
    assert all((hunk.placement is None) != (hunk.rejection is None) for hunk in hunks)
    rejected = any(hunk.rejection for hunk in hunks)
    assert not (rejected and result.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED))
    if result.confidence is Confidence.HIGH:
        assert result.outcome is Outcome.APPLIED
        assert not result.flags
    return result


def ladder_target(data: bytes) -> None:
    """Three files of one name, the patch from the first to the second, changed a little, on the third."""
    base, fixed, target, program = parts(data)
    patch = derived(base, fixed)
    if not patch:
        return
    whole = tried(diff.parse_series(patch), DictTree({PATH: base}))
    assert whole.outcome is Outcome.APPLIED
    assert whole.patches[0].changes[PATH].data == fixed
    patches = read(mutated(patch, base, program))
    if patches:
        names = Symbols(TreeNames({PATH: target}), TreeNames({PATH: base + fixed, "lib/shop.h": fixed}))
        store = [base] if len(program) % 4 else []
        tried(patches, DictTree({PATH: target}, store=store), names if len(program) % 3 else None)


def parts(data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Base, fixed, target and program; what is missing is empty, a missing target is the base."""
    found = data.split(CUT, 3)
    base, fixed = found[0], found[1] if len(found) > 1 else b""
    return base, fixed, found[2] if len(found) > 2 else base, found[3] if len(found) > 3 else b""


def derived(old: bytes, new: bytes) -> bytes:
    """The git patch from one file to the other as libgit2 makes it; empty when there is none."""
    if old == new:
        return b""
    made = pygit2.Patch.create_from(old, new, flag=pygit2.enums.DiffOption.FORCE_TEXT)
    if sum(len(hunk.lines) for hunk in made.hunks) > DERIVED_LINES:
        return b""
    head = f"diff --git a/{PATH} b/{PATH}\nindex {blob_oid(old)}..{blob_oid(new)} 100644\n--- a/{PATH}\n+++ b/{PATH}\n"
    hunks = made.data.partition(b"\n@@ -")
    return head.encode() + hunks[1][1:] + hunks[2] if hunks[1] else b""


def mutated(patch: bytes, base: bytes, program: bytes) -> bytes:
    """The patch after the program's edits, three bytes each: what to do, and at which line."""
    lines, spare = split_lines(patch), split_lines(base) or [b"\n"]
    for what, place in steps(program):
        if not lines:
            break
        at = place % len(lines)
        MUTATIONS[what % len(MUTATIONS)](lines, at, spare[place % len(spare)])
    return b"".join(lines)


def steps(program: bytes) -> Iterator[tuple[int, int]]:
    """The program's edits; a text of its own (which ends by a newline) has none."""
    for at in range(0, min(len(program) - 2, 3 * MOST_MUTATIONS), 3):
        yield program[at], program[at + 1] << 8 | program[at + 2]


def drop(lines: list[bytes], at: int, spare: bytes) -> None:
    del lines[at]


def double(lines: list[bytes], at: int, spare: bytes) -> None:
    lines.insert(at, lines[at])


def swap(lines: list[bytes], at: int, spare: bytes) -> None:
    lines[at], lines[at - 1] = lines[at - 1], lines[at]


def as_context(lines: list[bytes], at: int, spare: bytes) -> None:
    lines[at] = b" " + lines[at][1:]


def as_added(lines: list[bytes], at: int, spare: bytes) -> None:
    lines[at] = b"+" + lines[at][1:]


def foreign(lines: list[bytes], at: int, spare: bytes) -> None:
    lines[at] = lines[at][:1] + spare


def carriage(lines: list[bytes], at: int, spare: bytes) -> None:
    lines[:] = [line.replace(b"\n", b"\r\n") for line in lines]


def baseless(lines: list[bytes], at: int, spare: bytes) -> None:
    lines[:] = [line for line in lines if not line.startswith(b"index ")]


def renamed(lines: list[bytes], at: int, spare: bytes) -> None:
    lines[:] = [line.replace(b"lib/shop.c", b"lib/store.c") if line[:3] in (b"---", b"+++") else line for line in lines]


def reheaded(lines: list[bytes], at: int, spare: bytes) -> None:
    headers = [number for number, line in enumerate(lines) if line.startswith(b"@@ -")]
    if headers:
        number = headers[at % len(headers)]
        lines[number] = lines[number].replace(b"@@ -", b"@@ -%d" % (at % 10), 1)


MUTATIONS: tuple[Callable[[list[bytes], int, bytes], None], ...] = (
    foreign,
    as_context,
    as_added,
    swap,
    drop,
    double,
    carriage,
    baseless,
    renamed,
    reheaded,
)
TARGETS: dict[str, Callable[[bytes], None]] = {"parser": parser, "mail": mail, "ladder": ladder_target}
