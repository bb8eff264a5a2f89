"""What the engine raises. A conflict is a result, never an exception."""

from __future__ import annotations


class EngineError(Exception):
    """Input the engine refuses.

    `code` is stable and machine-readable (`malformed-patch`, `unsafe-path` …);
    `sentence` tells a person what is wrong and what to do about it.
    """

    code = "engine-error"

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        if code is not None:
            self.code = code


class MalformedPatch(EngineError):
    """The bytes are not a patch that can be read, or end before they should."""

    code = "malformed-patch"


class UnsafePath(MalformedPatch):
    """A path in the patch leaves the tree, is absolute, or points into `.git`."""

    code = "unsafe-path"


class TooLarge(MalformedPatch):
    """The patch is over the size or the hunk limit."""

    code = "too-large"
