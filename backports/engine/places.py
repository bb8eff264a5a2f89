"""Second-best places: where else in the target a hunk's preimage could have been meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from .locate import WORD, Index
from .result import Nearby
from .rungs import FileContext

MOST = 3
ALIKE = 0.4  # what shares fewer lines is no place that a person would mistake for it
MAX_LINES = 60
MAX_HUNKS = 100
MAX_STANDS = 12  # a line that stands in more places tells nothing


def second_best(context: FileContext, number: int, taken: int) -> tuple[Nearby, ...]:
    """Up to three places away from 0-based line `taken` (negative: none), most alike first.

    Of a file with more than MAX_HUNKS hunks only the first ones are looked at.
    """
    shape = context.shapes[number]
    block, change = shape.preimage[:MAX_LINES], shape.runs[0].start if shape.runs else 0
    if number >= MAX_HUNKS or not block:
        return ()
    index, found = context.index, []
    for start in _apart(_votes(index, block), taken, len(block)):
        likeness = _likeness(index.lines, block, start)
        if likeness >= ALIKE:
            found.append(Nearby(max(0, start) + 1, likeness, index.heading(max(0, start) + change)))
        if len(found) == MOST:
            break
    return tuple(sorted(found, key=lambda place: -place.likeness))


def _votes(index: Index, block: Sequence[bytes]) -> Counter[int]:
    """How many of the block's telling lines stand where they would with the block at a line."""
    votes: Counter[int] = Counter()
    for key, line in enumerate(block):
        stands = index.places(line) if WORD.search(line) else ()
        if len(stands) <= MAX_STANDS:
            votes.update(at - key for at in stands)
    return votes


def _apart(votes: Counter[int], taken: int, length: int) -> Iterator[int]:
    """The starts with most votes, none within half a block of another or of the place that was taken."""
    room = length // 2 + 1
    kept = [taken] if taken >= 0 else []
    for start, _ in votes.most_common(MOST * 8):
        if all(abs(start - other) > room for other in kept):
            kept.append(start)
            yield start


def _likeness(lines: Sequence[bytes], block: Sequence[bytes], start: int) -> float:
    slack = max(2, len(block) // 4)
    ours = lines[max(0, start - slack) : max(0, start + len(block) + slack)]
    return round((Counter(block) & Counter(ours)).total() / len(block), 3)
