"""The one exception of this package."""

from __future__ import annotations


class PlatformError(Exception):
    """The environment does not allow what was asked; `sentence` says what is wrong and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
