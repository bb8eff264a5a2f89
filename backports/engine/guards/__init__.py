"""The guards: what can be wrong with a result although every hunk landed.

A guard is one function here or in a module of this package, `look(case) -> flags`; adding one
touches the list GUARDS. Each is modelled on backports of Xen fixes that went wrong in that way;
the module names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from backports.engine.result import Flag, Outcome, SeriesResult

from . import (
    agreement,
    arity,
    assembly,
    dialect,
    functions,
    included,
    labels,
    missing,
    placement,
    scope,
    slots,
    structure,
    twins,
    typed,
)
from .changes import Case, open_case
from .symbols import SymbolReader, Symbols

__all__ = ["GUARDS", "Case", "Guard", "SymbolReader", "Symbols", "check", "open_case"]

Guard = Callable[[Case], Iterable[Flag]]


def look_size(case: Case) -> Iterator[Flag]:
    """`not-guarded`: a file's change is so large that no other guard looked at it."""
    for path in case.too_large:
        yield Flag("not-guarded", "the change is too large for the guards; read it whole.", path)


GUARDS: tuple[Guard, ...] = (
    look_size,
    missing.look,
    missing.look_undeclared,
    missing.look_formats,
    included.look_headers,
    included.look_included,
    arity.look,
    assembly.look,
    labels.look,
    scope.look_locals,
    scope.look_exits,
    typed.look,
    dialect.look,
    agreement.look,
    structure.look_duplicates,
    structure.look_unreachable,
    structure.look_braces,
    functions.look,
    placement.look,
    slots.look,
    twins.look,
)


def check(result: SeriesResult, case: Case) -> SeriesResult:
    """The result with the guards' flags, each told among its reasons; only what applied is looked at."""
    if result.outcome not in (Outcome.APPLIED, Outcome.PARTLY_APPLIED):
        return result
    flags = tuple(flag for guard in GUARDS for flag in guard(case))
    reasons = tuple(f"{flag.path}: {flag.sentence}" if flag.path else flag.sentence for flag in flags)
    return replace(result, flags=flags, reasons=(*result.reasons, *reasons))
