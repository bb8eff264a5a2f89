"""Names that changed between two versions of a file, learned from the file pair itself.

Method: where the target changed a line, the words of both versions are aligned; a name that one other
name always stands in for, that the target no longer has, and whose stand-in the source does not know, is a
rename, if at least one line changed in nothing else. (After the identifier maps of the backporting
literature; the thresholds were set on Xen's history.)
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from . import wraps
from .merge import BaseMap
from .older import Rule
from .tree import Edit, LineDiffer

NAME = re.compile(rb"[A-Za-z_]\w*")
MEMBERS = re.compile(rb"(?<=[\w)\]])((?:(?:->|\.)\s*[A-Za-z_]\w*)+)")
NO_CODE = re.compile(rb'"(?:[^"\\\n]|\\.)*+"|/\*[^\n]*?(?:\*/|$)|^\s*\*(?=[ /\t]|$)[^\n]*', re.MULTILINE)
VISIBLE = re.compile(rb"\w+|[^\w\s]")  # the words of tokens.TOKEN but for white space
CONSISTENT = 0.8
MAX_LINES = 60


def members_of(lines: Sequence[bytes]) -> frozenset[bytes]:
    """`.name` for every structure member in the lines, and `.outer.inner` for two in a row."""
    return frozenset(
        b"." + part
        for path in MEMBERS.findall(b"".join(lines))
        for names in [NAME.findall(path)]
        for part in (*names, *(b".".join(pair) for pair in pairwise(names)))
    )


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the target says what the hunks say: learned names, rules of the table of older Xen, wrappers it lacks."""

    names: Mapping[bytes, bytes] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    wraps: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.rules or self.wraps)

    def translate(self, line: bytes) -> bytes:
        """The line as the target would say it."""
        for rule in self.rules:
            line = rule.translate(line)
        line = wraps.unwrap(line, self.wraps) if self.wraps else line
        return NAME.sub(lambda match: self.names.get(match.group(), match.group()), line) if self.names else line

    def told(self, lines: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
        """What in these lines is said otherwise, as (new, old), in order of the words."""
        used = list(lines)
        known = names_of(used)
        found = {(name, other) for name, other in self.names.items() if name in known}
        found |= {(match.group().strip(), match.expand(rule.old)) for rule, match in self._matches(used)}
        found |= {wraps.told(key) for key in self.wraps if any(key in line for line in used)}
        return sorted(found)

    def _matches(self, lines: Sequence[bytes]) -> Iterator[tuple[Rule, re.Match[bytes]]]:
        return ((rule, match) for rule in self.rules for line in lines for match in rule.new.finditer(line))


def without_words(line: bytes) -> bytes:
    """The line without what is no code in it: strings and comments, as far as the line alone tells."""
    return NO_CODE.sub(b" ", line)


def names_of(lines: Sequence[bytes]) -> frozenset[bytes]:
    """Every name in the lines."""
    return frozenset(NAME.findall(b"".join(lines)))


def changed_names(base_map: BaseMap) -> frozenset[bytes]:
    """Every name in lines of the base that the target has otherwise: only those can be learned."""
    return names_of([line for edit in base_map.edits for line in base_map.base[edit.old_start : edit.old_stop]])


def learn(sought: frozenset[bytes], base_map: BaseMap, differ: LineDiffer) -> dict[bytes, bytes]:
    """What the target calls each of the names `sought`, which it does not have, as far as its changes tell."""
    votes: dict[bytes, Counter[bytes]] = defaultdict(Counter)
    proven: set[tuple[bytes, bytes]] = set()
    for old, new in _pairs(sought, base_map):
        swaps, only = _swaps(old, new, differ)
        for name, other in swaps:
            votes[name][other] += name in sought
        proven.update(swaps if only else ())
    best = {name: counts.most_common(1)[0] for name, counts in votes.items() if name in sought}
    found = {
        name: other
        for name, (other, count) in best.items()
        if (name, other) in proven and count >= CONSISTENT * votes[name].total()
    }
    source = names_of(base_map.base) if found else frozenset()
    return {name: other for name, other in found.items() if other not in source}


def _pairs(sought: frozenset[bytes], base_map: BaseMap) -> Iterator[tuple[bytes, bytes]]:
    for edit in base_map.edits:
        old, new = base_map.base[edit.old_start : edit.old_stop], base_map.target[edit.new_start : edit.new_stop]
        if not new or not _mentions(old, sought):
            continue
        if len(old) == len(new):
            yield from (pair for pair in zip(old, new, strict=True) if _mentions(pair[:1], sought))
        elif max(len(old), len(new)) <= MAX_LINES:
            yield b"".join(old), b"".join(new)


def _mentions(lines: Sequence[bytes], sought: frozenset[bytes]) -> bool:
    return not sought.isdisjoint(NAME.findall(b"".join(lines)))


def _swaps(old: bytes, new: bytes, differ: LineDiffer) -> tuple[list[tuple[bytes, bytes]], bool]:
    """Names and what stands where they stood, and whether nothing else was changed."""
    one, other = VISIBLE.findall(old), VISIBLE.findall(new)
    edits: Sequence[Edit] = differ(_as_lines(one), _as_lines(other))
    swaps = []
    for edit in edits:
        before, after = one[edit.old_start : edit.old_stop], other[edit.new_start : edit.new_stop]
        if len(before) == len(after) == 1 and NAME.fullmatch(before[0]) and NAME.fullmatch(after[0]):
            swaps.append((before[0], after[0]))
    return swaps, len(swaps) == len(edits)


def _as_lines(words: Sequence[bytes]) -> bytes:
    return b"\n".join([*words, b""])
