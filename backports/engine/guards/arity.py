"""Calls with a number of arguments that the target's function or macro does not take.

Motivated by XSA-328 7def72c0de0 (a parameter that came later), XSA-254 764804938c6 and XSA-60 9811c9bc85e.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from backports.engine.result import Flag

from . import ccode
from .changes import Case, FileChange
from .symbols import Symbols

AROUND = 6  # lines to look around an edit for where a call starts and ends


def look(case: Case) -> Iterator[Flag]:
    """`other-arity`: the target knows the name with other numbers of arguments only, the author's tree with this."""
    symbols = case.symbols
    if symbols is None:
        return
    headers = {_key(call) for file in case.c_files if ccode.is_header(file.path) for call, _ in _new_calls(file)}
    for file in case.c_files:
        called = [(call, line) for call, line in _new_calls(file) if _key(call) not in headers]
        unknown = {_key(call) for call, _ in called} - symbols.target.present(
            {_key(call) for call, _ in called}, file.path
        )
        for call, line in called:
            if _key(call) in unknown and _takes_others(call, file, symbols):
                name = call.name.decode("latin-1")
                sentence = f"{name} is called with {call.arguments} arguments, which it takes nowhere in the tree."
                yield Flag("other-arity", sentence, file.path, (line + 1,))


def _new_calls(file: FileChange) -> Iterator[tuple[ccode.Call, int]]:
    """The calls with a new line in them, each with the 0-based line where it starts."""
    for edit in file.ours.edits:
        if edit.new_start == edit.new_stop:
            continue
        low, high = max(0, edit.new_start - AROUND), edit.new_stop + AROUND
        lines = file.ours.after.code(low, high)
        starts = list(accumulate((len(line) for line in lines), initial=0))
        for call in ccode.calls(b"".join(lines)):
            start, stop = (low + bisect_right(starts, at) - 1 for at in (call.start, call.stop - 1))
            if start < edit.new_stop and stop >= edit.new_start:
                yield call, start


def _key(call: ccode.Call) -> bytes:
    return b"%s/%d" % (call.name, call.arguments)


def _takes_others(call: ccode.Call, file: FileChange, symbols: Symbols) -> bool:
    others = [b"%s/%d" % (call.name, count) for count in range(ccode.MAX_ARGUMENTS + 1)]
    return bool(symbols.source.present([_key(call)], file.path)) and bool(symbols.target.present(others, file.path))
