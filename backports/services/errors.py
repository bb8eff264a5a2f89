"""Why a service did not do what it was asked to."""

from __future__ import annotations


class NotDone(Exception):
    """Bad input, or a state of things in which it cannot be done: a code, a sentence for people, and the form's field
    that it is about ("" for all).
    """

    def __init__(self, code: str, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.field = code, sentence, field
