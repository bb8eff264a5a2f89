"""Names that changed between two versions of a file, learned from the file pair itself.

Method: where the target changed a line, the words of both versions are aligned; a name that one other
name always stands in for, that the target no longer has, and whose stand-in the source does not know, is a
rename, if at least one line changed in nothing else. (After the identifier maps of the backporting
literature; the thresholds were set on Xen's history.)
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from .merge import BaseMap
from .tokens import TOKEN
from .tree import Edit, LineDiffer

NAME = re.compile(rb"[A-Za-z_]\w*")
CONSISTENT = 0.8
MAX_LINES = 60


def names_of(lines: Sequence[bytes]) -> frozenset[bytes]:
    """Every name in the lines."""
    return frozenset(NAME.findall(b"".join(lines)))


def learn(sought: Collection[bytes], base_map: BaseMap, differ: LineDiffer) -> dict[bytes, bytes]:
    """What the target calls each of the names `sought`, which it does not have, as far as its changes tell."""
    source = names_of(base_map.base)
    votes: dict[bytes, Counter[bytes]] = defaultdict(Counter)
    proven: set[tuple[bytes, bytes]] = set()
    for old, new in _pairs(sought, base_map):
        swaps, only = _swaps(old, new, differ)
        for name, other in swaps:
            votes[name][other] += name in sought
        proven.update(swaps if only else ())
    best = {name: counts.most_common(1)[0] for name, counts in votes.items() if name in sought}
    return {
        name: other
        for name, (other, count) in best.items()
        if other not in source and (name, other) in proven and count >= CONSISTENT * votes[name].total()
    }


def translate(line: bytes, names: Mapping[bytes, bytes]) -> bytes:
    """The line in the target's names."""
    return NAME.sub(lambda match: names.get(match.group(), match.group()), line)


def _pairs(sought: Collection[bytes], base_map: BaseMap) -> Iterator[tuple[bytes, bytes]]:
    for edit in base_map.edits:
        old, new = base_map.base[edit.old_start : edit.old_stop], base_map.target[edit.new_start : edit.new_stop]
        if not new or not _mentions(old, sought):
            continue
        if len(old) == len(new):
            yield from zip(old, new, strict=True)
        elif max(len(old), len(new)) <= MAX_LINES:
            yield b"".join(old), b"".join(new)


def _mentions(lines: Sequence[bytes], sought: Collection[bytes]) -> bool:
    return any(name in sought for line in lines for name in NAME.findall(line))


def _swaps(old: bytes, new: bytes, differ: LineDiffer) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Names and what stands where they stood, and whether nothing else was changed."""
    one, other = _words(old), _words(new)
    edits: Sequence[Edit] = differ(_as_lines(one), _as_lines(other))
    swaps = []
    for edit in edits:
        before, after = one[edit.old_start : edit.old_stop], other[edit.new_start : edit.new_stop]
        if len(before) == len(after) == 1 and NAME.fullmatch(before[0]) and NAME.fullmatch(after[0]):
            swaps.append((before[0], after[0]))
    return swaps, len(swaps) == len(edits)


def _words(text: bytes) -> list[bytes]:
    return [word for word in TOKEN.findall(text) if word.strip()]


def _as_lines(words: Sequence[bytes]) -> bytes:
    return b"".join(word + b"\n" for word in words)
