"""Three-way merge of a few lines by words, for chunks that conflict line by line.

Source of the method: wiggle's word-wise merge, cut down to a diff3 over words that refuses
whenever edits overlap, so that a result always holds exactly the patch's own words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .tree import Edit, LineDiffer

TOKEN = re.compile(rb"\n|[^\S\n]+|\w+|[^\w\s]")
NUMBER = re.compile(rb"^\d")
WORD = re.compile(rb"\w")
WORDS = re.compile(rb"\w+")  # what TOKEN takes for names and numbers
MIN_KEPT = 0.6
MAX_TOKENS = 4000
MAX_BYTES = 32 * MAX_TOKENS
OPENING, CLOSING = b"({[", b")}]"


def merge_words(base: bytes, ours: bytes, theirs: bytes, differ: LineDiffer) -> bytes | None:
    """Ours with the words changed that theirs changes in base; None where both change the same words.

    None too when both sides change numbers (a table's slots may collide), when theirs adds a word
    that ours has replaced, or when a bracket would stand open.
    """
    if max(map(len, (base, ours, theirs))) > MAX_BYTES:
        return None
    words = [TOKEN.findall(text) for text in (base, ours, theirs)]
    if max(map(len, words)) > MAX_TOKENS or not _alike(base, ours) or _is_outdated(base, ours, theirs):
        return None
    mine, other = _edits(words[0], words[1], differ), _edits(words[0], words[2], differ)
    if _numbers(words[0], words[1], mine) and _numbers(words[0], words[2], other):
        return None
    merged = _merge(words, mine, other)
    if merged is None or balance(merged) - balance(words[1]) != balance(words[2]) - balance(words[0]):
        return None
    return b"".join(merged)


def holds_words(base: bytes, ours: bytes, theirs: bytes, differ: LineDiffer) -> bool:
    """Whether ours has what theirs makes of base: it adds words at every place, and taking them out again works."""
    old, new = TOKEN.findall(base), TOKEN.findall(theirs)
    if max(len(old), len(new)) > MAX_TOKENS:
        return False
    added = (new[edit.new_start : edit.new_stop] for edit in _edits(old, new, differ))
    if not all(any(WORD.match(word) for word in words) for words in added):
        return False
    undone = merge_words(theirs, ours, base, differ)
    return undone is not None and undone != ours


def _is_outdated(base: bytes, ours: bytes, theirs: bytes) -> bool:
    """Whether theirs adds a word of the base's that ours has none of any more."""
    lost = set(WORDS.findall(base)).difference(WORDS.findall(ours))
    return bool(lost) and not lost.isdisjoint(Counter(WORDS.findall(theirs)) - Counter(WORDS.findall(base)))


def _alike(base: bytes, ours: bytes) -> bool:
    """Whether ours keeps most of the base's names and numbers, so that it still is the same code."""
    before, after = Counter(WORDS.findall(base)), Counter(WORDS.findall(ours))
    return (before & after).total() >= MIN_KEPT * before.total()


def balance(words: Sequence[bytes]) -> Counter[int]:
    """How many of each bracket are open at the end."""
    found: Counter[int] = Counter()
    for word in words:
        if len(word) == 1 and word in OPENING:
            found[OPENING.index(word)] += 1
        elif len(word) == 1 and word in CLOSING:
            found[CLOSING.index(word)] -= 1
    return found


def _edits(old: Sequence[bytes], new: Sequence[bytes], differ: LineDiffer) -> Sequence[Edit]:
    return differ(_as_lines(old), _as_lines(new))


def _as_lines(words: Sequence[bytes]) -> bytes:
    return b"\n".join([b"\\" if word == b"\n" else word for word in words] + [b""])


def _numbers(old: list[bytes], new: list[bytes], edits: Sequence[Edit]) -> bool:
    changed = [old[edit.old_start : edit.old_stop] + new[edit.new_start : edit.new_stop] for edit in edits]
    return any(NUMBER.match(word) for words in changed for word in words)


def _merge(words: Sequence[list[bytes]], mine: Sequence[Edit], other: Sequence[Edit]) -> list[bytes] | None:
    _, ours, theirs = words
    out: list[bytes] = []
    at = drift = 0
    waiting = list(mine)
    for edit in other:
        while waiting and waiting[0].old_stop <= edit.old_start and not _both_insert(waiting[0], edit):
            drift = waiting[0].new_stop - waiting[0].old_stop
            waiting.pop(0)
        if waiting and _same(waiting[0], edit, ours, theirs):
            continue
        if waiting and (waiting[0].old_start < edit.old_stop or _both_insert(waiting[0], edit)):
            return None
        start = edit.old_start + drift
        out += ours[at:start] + theirs[edit.new_start : edit.new_stop]
        at = edit.old_stop + drift
    return out + ours[at:]


def _same(mine: Edit, other: Edit, ours: Sequence[bytes], theirs: Sequence[bytes]) -> bool:
    """Whether both sides change the same words to the same."""
    return (mine.old_start, mine.old_stop) == (other.old_start, other.old_stop) and (
        ours[mine.new_start : mine.new_stop] == theirs[other.new_start : other.new_stop]
    )


def _both_insert(one: Edit, other: Edit) -> bool:
    return (
        one.new_start < one.new_stop
        and other.new_start < other.new_stop
        and (one.old_start <= other.old_stop and other.old_start <= one.old_stop)
    )
