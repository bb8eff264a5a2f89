"""A whole fix on a tree: its outcome, the highest rung, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cache

from . import confidence, guards, locate, withhold
from .diff import Patch
from .files import RUNG_ORDER, Strangers, Tools
from .guards.missing import declared_in
from .renames import Renames
from .result import (
    FileResult,
    HunkResult,
    Outcome,
    PatchResult,
    Placement,
    Rung,
    SeriesResult,
)
from .rungs import STRICT_RUNGS
from .series import OverlayTree, apply_each, apply_patches, worst
from .tree import LineDiffer, TreeReader, remembered
from .verify import reverse_patch


def apply_series(
    patches: Sequence[Patch],
    tree: TreeReader,
    *,
    differ: LineDiffer = locate.diff_lines,
    symbols: guards.Symbols | None = None,
) -> SeriesResult:
    """Applies a fix, patch after patch, on `tree`; the tree itself is only read.

    `patches` are one or more, in order. With `symbols`, what source and target tree name, the
    guards also look for names that the target lacks. A conflict is a result: what landed is in
    the `changes` of each patch, what did not is a rejection on its hunk. Raises EngineError only
    when a result fails the engine's own check.
    """
    differ, overlay = remembered(differ), OverlayTree(tree)
    tools = _tools(differ, symbols, patches)
    results = apply_patches(patches, overlay, tools)
    outcome = worst([result.outcome for result in results])
    if outcome is not Outcome.ALREADY_APPLIED and _is_there(patches, results, tree, overlay, differ):
        return _all_there(results)
    result = _series(outcome, results)
    case = guards.open_case(result, tree, differ, symbols)
    checked = guards.check(result, case)
    held = withhold.hunks(checked)
    if not held:
        return confidence.settle(checked, case)
    results = apply_patches(patches, OverlayTree(tree), replace(tools, withheld=held))
    result = _series(worst([one.outcome for one in results]), results)
    case = guards.open_case(result, tree, differ, symbols)
    return confidence.settle(withhold.told(guards.check(result, case), checked), case)


def _tools(differ: LineDiffer, symbols: guards.Symbols | None, patches: Sequence[Patch]) -> Tools:
    if symbols is None:
        return Tools(differ)
    return Tools(
        differ,
        strangers=_strangers(symbols, patches),
        renamed=Renames(symbols, differ).of,
        holding=symbols.target.holding,
    )


def _strangers(symbols: guards.Symbols, patches: Sequence[Patch]) -> Strangers:
    """How the rungs ask for names that the source's tree has, the target's lacks, and the series does not bring."""
    brought = cache(lambda: _brought(patches))

    def strangers(names: Collection[bytes], path: str) -> frozenset[bytes]:
        lacking = frozenset(names) - symbols.target.present(names, path)
        lacking = lacking - brought() if lacking else lacking
        return symbols.source.present(lacking, path) if lacking else lacking

    return strangers


def _brought(patches: Sequence[Patch]) -> frozenset[bytes]:
    """The names that the added lines declare or define."""
    hunks = (hunk for patch in patches for file in patch.files for hunk in file.hunks)
    return frozenset(declared_in(b"".join(line.text for hunk in hunks for line in hunk.lines if line.tag == "+")))


def _is_there(
    patches: Sequence[Patch],
    results: Sequence[PatchResult],
    tree: TreeReader,
    overlay: OverlayTree,
    differ: LineDiffer,
) -> bool:
    """Whether the tree holds the series as a whole, though a later patch changed what an earlier one left."""
    if overlay.changes and overlay.is_unchanged() and worst([result.outcome for result in results]) is Outcome.APPLIED:
        return True
    if len(patches) < 2 or not any(_hints(result) for result in results):
        return False
    undone = [reverse_patch(patch) for patch in reversed(patches)]
    back = apply_each(undone, OverlayTree(tree), Tools(differ, STRICT_RUNGS))
    return all(result.outcome is Outcome.APPLIED for result in back)


def _hints(result: PatchResult) -> bool:
    return result.outcome is Outcome.ALREADY_APPLIED or any(
        hunk.placement and hunk.placement.rung is Rung.ALREADY_APPLIED for file in result.files for hunk in file.hunks
    )


def _all_there(results: Sequence[PatchResult]) -> SeriesResult:
    done = tuple(
        replace(
            result,
            outcome=Outcome.ALREADY_APPLIED,
            files=tuple(_file_there(file) for file in result.files),
            changes={},
        )
        for result in results
    )
    reason = "The tree holds the whole series: undoing it from the last patch to the first succeeds."
    return SeriesResult(Outcome.ALREADY_APPLIED, done, Rung.ALREADY_APPLIED, reasons=(reason,))


def _file_there(file: FileResult) -> FileResult:
    hunks = tuple(HunkResult(found.hunk, _there(found)) for found in file.hunks)
    return replace(
        file, outcome=Outcome.ALREADY_APPLIED, hunks=hunks, rung=Rung.ALREADY_APPLIED, doubts=(), code="", note=""
    )


def _there(found: HunkResult) -> Placement:
    line = found.placement.line if found.placement else max(1, found.hunk.new_start)
    return Placement(Rung.ALREADY_APPLIED, line)


def _series(outcome: Outcome, results: tuple[PatchResult, ...]) -> SeriesResult:
    files = [file for result in results for file in result.files]
    rungs = [file.rung for file in files if file.rung is not None]
    placements = [hunk.placement for file in files for hunk in file.hunks if hunk.placement]
    reasons = tuple(_reasons(results))
    return SeriesResult(
        outcome=outcome,
        patches=results,
        rung=max(rungs, key=RUNG_ORDER.index, default=None),
        fuzz=max((placement.fuzz for placement in placements), default=0),
        reasons=reasons,
    )


def _reasons(results: Sequence[PatchResult]) -> Iterator[str]:
    mixed = worst([result.outcome for result in results]) is not Outcome.ALREADY_APPLIED
    for number, result in enumerate(results, 1):
        where = f"Patch {number}, " if len(results) > 1 else ""
        if mixed and len(results) > 1 and result.outcome is Outcome.ALREADY_APPLIED:
            yield f"Patch {number} was in the tree already."
            continue
        for file in result.files:
            yield from (f"{where}{file.path}: {sentence}" for sentence in _file_reasons(file))


def _file_reasons(file: FileResult) -> Iterator[str]:
    if file.note:
        yield file.note
    yield from (f"{doubt}." for doubt in file.doubts)
    if file.code:
        return
    for number, found in enumerate(file.hunks, 1):
        if found.rejection is not None:
            yield f"hunk {number} did not land: {found.rejection.sentence}"
        elif file.outcome is not Outcome.ALREADY_APPLIED and _was_there(found):
            yield f"hunk {number} was there already."


def _was_there(found: HunkResult) -> bool:
    return found.placement is not None and found.placement.rung is Rung.ALREADY_APPLIED
