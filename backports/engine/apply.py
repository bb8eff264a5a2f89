"""One file's hunks up the ladder: bytes in, bytes and per-hunk results out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .diff import Hunk, Line
from .locate import Index, block_at, split_lines
from .merge import BaseMap
from .places import second_best
from .result import Answer, HunkResult, Rejection, Rung, Step
from .rungs import FileContext, Landing, Refusal, Rungs, already, dialect, name_of
from .rungs.context import Renamed, Replace, Strangers
from .tree import LineDiffer
from .verify import check_result

MAX_OURS = 60
SURE = (Rung.EXACT, Rung.ALREADY_APPLIED)
NOT_FOUND = "None of its lines can be placed: the code that it changes was not found."


@dataclass(frozen=True, slots=True)
class Applied:
    """A file after its hunks: `doubts` are per-hunk sentences without the file's name."""

    data: bytes
    hunks: tuple[HunkResult, ...]
    doubts: tuple[str, ...] = ()

    @property
    def landed(self) -> int:
        """How many hunks changed something."""
        return sum(1 for hunk in self.hunks if hunk.placement and hunk.placement.rung is not Rung.ALREADY_APPLIED)

    @property
    def rejected(self) -> int:
        """How many hunks found no place."""
        return sum(1 for hunk in self.hunks if hunk.rejection)


def apply_hunks(
    hunks: Sequence[Hunk],
    target: bytes,
    base: bytes | None,
    *,
    differ: LineDiffer,
    rungs: Rungs,
    strangers: Strangers | None = None,
    renamed: Renamed | None = None,
    withheld: Mapping[int, Refusal] | None = None,
) -> Applied:
    """Places every hunk on `target` by the first rung that takes it, and rewrites the target.

    `base` is the file that the patch was made on, when known; hunks in `withheld` stay out wherever
    they land. Lines that no hunk changes keep every byte.
    """
    ending = _foreign_ending(hunks, target)
    shown = target if ending is None else _to_lf(target)
    if ending is not None:
        hunks = [_hunk_to_lf(hunk) for hunk in hunks]
        base = None if base is None else _to_lf(base)
    index = Index(split_lines(shown))
    base_map = _base_map(hunks, index, shown, base, differ)
    context = FileContext(hunks, index, base_map, differ, strangers, renamed)
    trails = _climb(context, rungs)
    for number, refusal in (withheld or {}).items():
        context.withdraw(number, refusal)
    data = _rewrite(context, index.lines if ending is None else split_lines(target), ending)
    results = tuple(_result(context, number, tuple(trail)) for number, trail in enumerate(trails))
    return Applied(data, results, _doubts(context, ending))


def fits_exactly(hunks: Sequence[Hunk], lines: Sequence[bytes]) -> bool:
    """Whether every hunk's preimage stands at its own line."""
    return all(block_at(lines, hunk.preimage, hunk.old_start - 1) for hunk in hunks if hunk.old_count)


def patched_base(hunks: Sequence[Hunk], base: bytes) -> bytes | None:
    """The base with the hunks applied line for line, or None when they do not fit it exactly."""
    lines = split_lines(base)
    if not fits_exactly(hunks, lines):
        return None
    out: list[bytes] = []
    at = 0
    for hunk in hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        if start < at:
            return None
        out += lines[at:start]
        out += hunk.postimage
        at = start + hunk.old_count
    return b"".join(out + lines[at:])


def _base_map(
    hunks: Sequence[Hunk], index: Index, target: bytes, base: bytes | None, differ: LineDiffer
) -> BaseMap | None:
    if base is None:
        return None
    lines = index.lines if base == target else split_lines(base)
    if not fits_exactly(hunks, lines) or not _in_order(hunks):
        return None
    edits = [] if base == target else differ(base, target)
    return BaseMap(lines, index.lines, edits)


def _in_order(hunks: Sequence[Hunk]) -> bool:
    ends = [hunk.old_start + hunk.old_count for hunk in hunks]
    return all(end <= hunk.old_start + (not hunk.old_count) for end, hunk in zip(ends, hunks[1:], strict=False))


def _climb(context: FileContext, rungs: Rungs) -> list[list[Step]]:
    """Lands what can be landed; the answers that each hunk got on its way."""
    trails: list[list[Step]] = [[] for _ in context.hunks]
    waiting = list(range(len(context.hunks)))
    for place in rungs:
        name, left = name_of(place), []
        for number in waiting:
            answer = place(context, number)
            trails[number].append(_step(name, answer))
            if isinstance(answer, Landing):
                landing = dialect.reword(context, already.drop_present(context, number, answer))
                context.land(number, already.without_effect(context, landing))
                continue
            left.append(number)
            if answer is not None:
                context.refusals.setdefault(number, answer)
        waiting = left
    return trails


def _step(name: str, answer: Landing | Refusal | None) -> Step:
    if answer is None:
        return Step(name, Answer.NOTHING)
    if isinstance(answer, Landing):
        return Step(name, Answer.LANDED, answer.placement.line)
    return Step(name, Answer.REFUSED, 0 if answer.line is None else answer.line + 1, answer.code, answer.sentence)


def _rewrite(context: FileContext, lines: list[bytes], ending: bytes | None) -> bytes:
    out: list[bytes] = []
    landings = [context.landings[number] for number in sorted(context.landings)]
    if ending is not None:
        landings = [replace(landing, edits=_with_ending(landing, ending)) for landing in landings]
    at = 0
    for edit in (edit for landing in landings for edit in landing.edits):
        out += lines[at : edit.start]
        out += edit.lines
        at = edit.stop
    out += lines[at:]
    check_result(lines, out, landings)
    return b"".join(out)


def _result(context: FileContext, number: int, trail: tuple[Step, ...]) -> HunkResult:
    hunk = context.hunks[number]
    landing = context.landings.get(number)
    if landing is not None:
        placed = landing.placement
        others = () if placed.rung in SURE else second_best(context, number, placed.line - 1)
        return HunkResult(hunk, placed, note=landing.doubt, trail=trail, places=others)
    rejection = _rejection(context, number)
    others = second_best(context, number, rejection.line - 1)
    return HunkResult(hunk, rejection=rejection, trail=trail, places=others)


def _rejection(context: FileContext, number: int) -> Rejection:
    block, refusal = context.shapes[number].preimage, context.refusals.get(number)
    expected = context.expected(number)
    likely = context.index.likely(block, expected)
    line = refusal.line if refusal else None
    if line is None:
        line = likely.start if likely else context.index.heading_named(context.hunks[number].section)
    ours = () if line is None else tuple(context.index.lines[line : line + min(MAX_OURS, max(1, len(block)))])
    code, sentence = (refusal.code, refusal.sentence) if refusal else ("preimage-not-found", _sentence(likely is None))
    return Rejection(code, sentence, 0 if line is None else line + 1, likely.likeness if likely else 0.0, ours)


def _sentence(nothing: bool) -> str:
    return NOT_FOUND if nothing else "The lines that it expects do not stand together anywhere in the target's file."


def _doubts(context: FileContext, ending: bytes | None) -> tuple[str, ...]:
    doubts = [
        f"hunk {number + 1}: {landing.doubt}" for number, landing in sorted(context.landings.items()) if landing.doubt
    ]
    if ending is not None and any(landing.edits for landing in context.landings.values()):
        doubts.append("the patch and the file end their lines differently; the file's own ending was kept")
    return tuple(doubts)


def _foreign_ending(hunks: Sequence[Hunk], target: bytes) -> bytes | None:
    """The target's line ending when patch and target each keep to one and they differ; otherwise None."""
    in_patch = _ending([line.text for hunk in hunks for line in hunk.lines])
    crlf, all_lines = target.count(b"\r\n"), target.count(b"\n")
    if in_patch is None or not all_lines or crlf not in (0, all_lines):
        return None
    in_target = b"\r\n" if crlf else b"\n"
    return in_target if in_target != in_patch else None


def _ending(lines: Sequence[bytes]) -> bytes | None:
    ended = [line for line in lines if line.endswith(b"\n")]
    crlf = sum(1 for line in ended if line.endswith(b"\r\n"))
    if not ended or crlf not in (0, len(ended)):
        return None
    return b"\r\n" if crlf else b"\n"


def _to_lf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


def _hunk_to_lf(hunk: Hunk) -> Hunk:
    return replace(hunk, lines=tuple(Line(line.tag, _to_lf(line.text)) for line in hunk.lines))


def _with_ending(landing: Landing, ending: bytes) -> tuple[Replace, ...]:
    return tuple(
        replace(
            edit,
            lines=tuple(line.removesuffix(b"\n") + ending if line.endswith(b"\n") else line for line in edit.lines),
        )
        for edit in landing.edits
    )
