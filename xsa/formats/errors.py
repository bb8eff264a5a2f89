"""What the readers raise, and the smaller things they report beside a value."""

from __future__ import annotations

from dataclasses import dataclass


class FormatError(Exception):
    """Bytes that are not the thing they were read as.

    `code` is stable and machine-readable (`not-an-advisory`, `malformed-meta` …);
    `sentence` tells a person what is wrong and what to do about it.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong that did not stop the reader; `file` is the name it is about, or ""."""

    code: str
    sentence: str
    file: str = ""
