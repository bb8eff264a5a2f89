"""Which words of a few lines changed.

Method: both texts cut into words, runs of white space and single signs, compared by difflib's longest
matching blocks; what one side has alone and the other has instead stand next to each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

MAX_WORDS = 400
_WORDS = re.compile(rb"\w+|[^\S\n]+|\n|.")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words: `tag` is ' ' on both sides, '-' in the old text only, '+' in the new one only."""

    tag: str
    text: bytes


def word_diff(old: bytes, new: bytes) -> tuple[Piece, ...]:
    """The pieces in order; of texts of more than MAX_WORDS words each is one piece, since nobody reads words there."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > MAX_WORDS:
        return tuple(piece for piece in (Piece("-", old), Piece("+", new)) if piece.text)
    return tuple(_pieces(before, after))


def _pieces(before: list[bytes], after: list[bytes]) -> Iterator[Piece]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece(" ", b"".join(before[i1:i2]))
            continue
        if i2 > i1:
            yield Piece("-", b"".join(before[i1:i2]))
        if j2 > j1:
            yield Piece("+", b"".join(after[j1:j2]))
