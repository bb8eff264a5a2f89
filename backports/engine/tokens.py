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
MAX_COMPARED = 5 * MAX_TOKENS
MAX_BYTES = 32 * MAX_TOKENS
OPENING, CLOSING = b"({[", b")}]"


def merge_words(base: bytes, ours: bytes, theirs: bytes, differ: LineDiffer, *, wholly: bool = False) -> bytes | None:
    """Ours with the words changed that theirs changes in base; None where both change the same words.

    What theirs takes away of a line may read a little differently in ours, unless all but white space must be as it
    was (`wholly`). None too when both sides change numbers (a table's slots may collide), when theirs adds a word
    that ours has replaced, or when a bracket would stand open.
    """
    if max(map(len, (base, ours, theirs))) > MAX_BYTES or not _alike(base, ours) or _is_outdated(base, ours, theirs):
        return None
    words = [TOKEN.findall(text) for text in (base, ours, theirs)]
    if max(map(len, words)) > MAX_TOKENS:
        return None
    mine, other = _edits(words[0], words[1], differ), _edits(words[0], words[2], differ)
    if _numbers(words[0], words[1], mine) and _numbers(words[0], words[2], other):
        return None
    merged = _merge(words, mine, other, wholly=wholly)
    if merged is None or _opened(words[1], merged) != _opened(words[0], words[2]):
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
    undone = merge_words(theirs, ours, base, differ, wholly=True)
    return undone is not None and undone != ours


def likeness(one: bytes, other: bytes, differ: LineDiffer) -> float:
    """The share of words and signs that two texts have in one order, 0 to 1; too long ones are not alike."""
    mine, theirs = ([word for word in TOKEN.findall(text) if word.strip()] for text in (one, other))
    if not mine or not theirs or max(len(mine), len(theirs)) > MAX_COMPARED:
        return 0.0
    lost = sum(edit.old_stop - edit.old_start for edit in _edits(mine, theirs, differ))
    return 2 * (len(mine) - lost) / (len(mine) + len(theirs))


def can_be_undone(base: bytes, ours: bytes, theirs: bytes, differ: LineDiffer) -> bool:
    """Whether ours has what theirs makes of base: taking it out and putting it in again gives ours back.

    None of the names that theirs has no more may be among ours's own.
    """
    if max(map(len, (base, ours, theirs))) > MAX_BYTES:
        return False
    names = [Counter(WORDS.findall(text)) for text in (base, ours, theirs)]
    if (names[0] - names[2]).keys() & (names[1] - names[2]).keys():
        return False
    undone = merge_words(theirs, ours, base, differ)
    return undone is not None and undone != ours and merge_words(base, undone, theirs, differ) == ours


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


def _opened(before: Sequence[bytes], after: Sequence[bytes]) -> list[int]:
    """By how much each bracket is open more at the end of `after` than of `before`."""
    old, new = balance(before), balance(after)
    return [new[kind] - old[kind] for kind in range(len(OPENING))]


def _edits(old: Sequence[bytes], new: Sequence[bytes], differ: LineDiffer) -> Sequence[Edit]:
    return differ(_as_lines(old), _as_lines(new))


def _as_lines(words: Sequence[bytes]) -> bytes:
    return b"\n".join([b"\\" if word == b"\n" else word for word in words] + [b""])


def _numbers(old: list[bytes], new: list[bytes], edits: Sequence[Edit]) -> bool:
    changed = [old[edit.old_start : edit.old_stop] + new[edit.new_start : edit.new_stop] for edit in edits]
    return any(NUMBER.match(word) for words in changed for word in words)


def _merge(
    words: Sequence[list[bytes]], mine: Sequence[Edit], other: Sequence[Edit], *, wholly: bool
) -> list[bytes] | None:
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
        start = edit.old_start + drift
        while waiting and _falls_with(waiting[0], edit, words, wholly=wholly):
            drift = waiting[0].new_stop - waiting[0].old_stop
            waiting.pop(0)
        if waiting and (waiting[0].old_start < edit.old_stop or _both_insert(waiting[0], edit)):
            return None
        out += ours[at:start] + theirs[edit.new_start : edit.new_stop]
        at = edit.old_stop + drift
    return out + ours[at:]


def _same(mine: Edit, other: Edit, ours: Sequence[bytes], theirs: Sequence[bytes]) -> bool:
    """Whether both sides change the same words to the same."""
    return (mine.old_start, mine.old_stop) == (other.old_start, other.old_stop) and (
        ours[mine.new_start : mine.new_stop] == theirs[other.new_start : other.new_stop]
    )


def _falls_with(mine: Edit, other: Edit, words: Sequence[list[bytes]], *, wholly: bool) -> bool:
    """Whether ours changes only white space, or a few words of a line, amid what theirs takes away.

    With `wholly` it may be white space only, and what theirs changes counts like what it takes away.
    """
    deletes = other.new_start == other.new_stop
    if not (deletes or wholly) or not other.old_start <= mine.old_start <= mine.old_stop <= other.old_stop:
        return False
    gone, new = words[0][other.old_start : other.old_stop], words[1][mine.new_start : mine.new_stop]
    changed = words[0][mine.old_start : mine.old_stop]
    if changed and all(word.isspace() and word != b"\n" for word in changed + new):
        return True
    return not wholly and 0 < 2 * len(changed) <= len(gone) and b"\n" not in gone + new


def _both_insert(one: Edit, other: Edit) -> bool:
    return (
        one.new_start < one.new_stop
        and other.new_start < other.new_stop
        and (one.old_start <= other.old_stop and other.old_start <= one.old_stop)
    )
