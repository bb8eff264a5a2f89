"""Characters in a patch that show a reader something else than they are: bidirectional controls, look-alikes.

A finding is no refusal. Lines are numbered from 1 in the patch's own bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from confusable_homoglyphs.confusables import confusables_data

from .scan import split_lines

LIMIT = 200
# Controls that reorder or isolate what follows, by the classes of Unicode's bidirectional algorithm.
BIDI_CLASSES = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
BIDI_MARKS = frozenset("\u200e\u200f\u061c")
# Dashes, quotation marks and accents that people write in comments, and spaces, which are told as hidden.
TYPOGRAPHY = frozenset("‐‑‒–—‘’‚‛′‵`´¸˜ˆ‹›…")
# Letters and marks that take no room, or look like a space, whatever their category says.
HIDDEN_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"})
_NAMES = (b"+", b"diff ", b"--- ", b"rename ", b"copy ", b"Index: ")
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]|\r(?!\n)")
_WORD = re.compile(r"\w+")


class Why(StrEnum):
    """What is wrong with a character."""

    BIDI = "bidirectional"
    HIDDEN = "hidden"
    LOOKALIKE = "look-alike"


@dataclass(frozen=True, slots=True)
class Suspect:
    """One place: `line` in the patch, `column` (both from 1; of characters), the character's code point and name.

    `reads_as` is what a reader takes a look-alike's `word` for; `file` is the name of the patch's file.
    """

    why: Why
    line: int
    column: int
    code_point: str
    name: str
    word: str = ""
    reads_as: str = ""
    file: str = ""

    @property
    def sentence(self) -> str:
        """The finding for a person."""
        where = f"Line {self.line}: {self.code_point} {self.name}"
        if self.why is Why.LOOKALIKE:
            return f"{where} looks like another character; “{self.reads_as}” is what a reader takes it for."
        doing = "changes the order in which its neighbours are shown" if self.why is Why.BIDI else "cannot be seen"
        return f"{where} {doing}."


def find(data: bytes) -> tuple[Suspect, ...]:
    """The first LIMIT suspects of a patch's bytes, in order.

    Bidirectional controls and hidden characters count everywhere, look-alikes in lines that the patch adds and
    in the names of its files.
    """
    found: list[Suspect] = []
    if data.isascii() and not _CONTROLS.search(data):
        return ()
    for number, raw in enumerate(split_lines(data), start=1):
        if not raw.isascii() or _CONTROLS.search(raw):
            found += _in_line(number, raw)
        if len(found) >= LIMIT:
            break
    return tuple(found[:LIMIT])


def _in_line(number: int, raw: bytes) -> Iterator[Suspect]:
    """Of one line; bytes that are no UTF-8 are passed over, for nobody knows what they show."""
    text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
    for column, char in enumerate(text, start=1):
        why = _why(char)
        if why:
            yield Suspect(why, number, column, *_called(char))
    if raw.startswith(_NAMES):
        yield from _lookalikes(number, text)


def _called(char: str) -> tuple[str, str]:
    return f"U+{ord(char):04X}", unicodedata.name(char, "control character").lower()


def _why(char: str) -> Why | None:
    if char in BIDI_MARKS or unicodedata.bidirectional(char) in BIDI_CLASSES:
        return Why.BIDI
    if char in "\t\f " or not (unicodedata.category(char) in _HIDDEN_CATEGORIES or char in HIDDEN_LETTERS):
        return None
    return Why.HIDDEN


def _lookalikes(number: int, text: str) -> Iterator[Suspect]:
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii():
            yield from _in_word(number, match.start(), word)
    for at, char in enumerate(text):
        plain = None if char.isalnum() else likeness_of(char)
        if plain:
            yield Suspect(Why.LOOKALIKE, number, at + 1, *_called(char), char, plain)


def _in_word(number: int, start: int, word: str) -> Iterator[Suspect]:
    """The strange letters of a word that reads as one of plain letters only; a word of another script reads as none."""
    plain = "".join(likeness_of(char) or char for char in word)
    if not plain.isascii():
        return
    for at, char in enumerate(word):
        if not char.isascii():
            yield Suspect(Why.LOOKALIKE, number, start + at + 1, *_called(char), word, plain)


def likeness_of(char: str) -> str | None:
    """The ASCII character that `char`, which is none, looks like; None when it is like none, or only typography."""
    if char.isascii() or char in TYPOGRAPHY or char.isspace():
        return None
    compatible = unicodedata.normalize("NFKC", char)
    return compatible if len(compatible) == 1 and compatible.isascii() else _table().get(char)


@cache
def _table() -> dict[str, str]:
    """Unicode's list of confusable characters, as far as it leads to an ASCII character."""
    return {
        char: other["c"]
        for char, others in confusables_data.items()
        for other in others
        if len(char) == 1 and not char.isascii() and len(other["c"]) == 1 and other["c"].isascii()
    }
