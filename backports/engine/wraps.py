"""Typed frame numbers that the target has as plain ones: `mfn_x(m)` where it says `m`, `_mfn(n)` where it says `n`.

Newer Xen keeps frame numbers in structures of one member (`mfn_t`, `gfn_t`, `pfn_t`, `dfn_t`), made by `_mfn()` and
read by `mfn_x()`. The wrapper goes only where author's and target's file show the type: a line of the one stands in
the other with nothing changed but the wrapper gone. A call's result (`mfn_x(page_to_mfn(`) has one type in the whole
file, so the file must nowhere have it wrapped; a variable has one in its function, so the line must be from the
function that the hunk is in, and that function must not have it wrapped. What makes a typed number says more of who
takes it than of the number, so it goes only where the target's file has none of its kind at all.
Motivated by XSA-288 (mm.c of 4.9) and XSA-251 (paging.c of 4.8).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from .diff import Hunk
from .functions import changed_span, enclosing
from .merge import BaseMap

_WRAP = re.compile(rb"\b(?:_[dgmp]fn|[dgmp]fn_x)\([A-Za-z_]\w*(?:->\w+)*[()]")
_MAKES = re.compile(rb"_\w+\(")
_WORD = re.compile(rb"\w")
MAX_KEYS = 40
MAX_HUNKS = 100  # that a variable is proven for
Pair = tuple[int, int]  # a line of the base, and where it stands in the target without its wrapper


def unwrap(line: bytes, keys: Collection[bytes]) -> bytes:
    """The line without the wrappers that the keys begin: `mfn_x(m)` is one, and `mfn_x(page_to_mfn(` another."""
    for key in keys:
        at = line.find(key)
        while at >= 0:
            opening = at + key.index(b"(")
            closing = _closing(line, opening)
            if closing >= 0 and not (at and _WORD.match(line, at - 1)):
                line = line[:at] + line[opening + 1 : closing] + line[closing + 1 :]
            at = line.find(key, at + 1)
    return line


def told(key: bytes) -> tuple[bytes, bytes]:
    """A key as it is told, and what stands there without the wrapper: `mfn_x(m)` and `m`."""
    inner = key[key.index(b"(") + 1 :]
    return (key + b"...))", inner + b"...)") if inner.endswith(b"(") else (key, inner.removesuffix(b")"))


def _closing(line: bytes, opening: int) -> int:
    """Where the parenthesis at `opening` is closed, or -1 when that is not in this line."""
    depth = 0
    for at in range(opening, len(line)):
        depth += (line[at] == 0x28) - (line[at] == 0x29)
        if not depth:
            return at
    return -1


def learn_wraps(hunks: Sequence[Hunk], base_map: BaseMap) -> tuple[bytes, ...]:
    """The wrappers in these hunks that the target does without, as keys of `unwrap`."""
    used = [{key for line in hunk.lines for key in _WRAP.findall(line.text)} for hunk in hunks]
    keys = frozenset[bytes]().union(*used)
    proven = _proven(keys, base_map) if 0 < len(keys) <= MAX_KEYS else {}
    if not proven:
        return ()
    holders = {key: [hunk for hunk, own in zip(hunks, used, strict=True) if key in own] for key in proven}
    return tuple(sorted(key for key in proven if _holds(key, proven[key], holders[key], base_map)))


def _proven(keys: Collection[bytes], base_map: BaseMap) -> dict[bytes, set[Pair]]:
    """The keys that the target leaves out in lines of the base that it has otherwise the same, with those lines."""
    found: dict[bytes, set[Pair]] = defaultdict(set)
    for edit in base_map.edits:
        old = range(edit.old_start, edit.old_stop)
        wrapped = {at: own for at in old if (own := {key for key in keys if key in base_map.base[at]})}
        new = range(edit.new_start, edit.new_stop) if wrapped else ()
        known = {_bare(base_map.target[at]): at for at in new}
        for at, own in wrapped.items():
            for some in (own, *({key} for key in own)):
                there = known.get(_bare(unwrap(base_map.base[at], some)))
                if there is not None:
                    for key in some:
                        found[key].add((at, there))
    return found


def _holds(key: bytes, pairs: Collection[Pair], hunks: Sequence[Hunk], base_map: BaseMap) -> bool:
    """Whether a proven key is proven for every hunk that has it."""
    makes = _MAKES.match(key)
    if makes is None and not key.endswith(b"("):
        return len(hunks) <= MAX_HUNKS and all(_in_function(key, pairs, hunk, base_map) for hunk in hunks)
    gone = key if makes is None else makes.group()
    return not any(gone in line for line in base_map.target)


def _in_function(key: bytes, pairs: Collection[Pair], hunk: Hunk, base_map: BaseMap) -> bool:
    """Whether one of the pairs is in the hunk's function, and the target's function has the key nowhere."""
    theirs = enclosing(base_map.base, *changed_span(hunk))
    own = [there for at, there in pairs if theirs and theirs.start <= at < theirs.stop]
    ours = enclosing(base_map.target, own[0], own[0] + 1) if own else None
    return ours is not None and not any(key in line for line in base_map.target[ours.start : ours.stop])


def _bare(line: bytes) -> bytes:
    return b"".join(line.split())
