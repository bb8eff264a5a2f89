"""What this package raises: bad input or a broken environment."""

from __future__ import annotations


class PgpError(Exception):
    """Something that GnuPG was asked for and did not do.

    `code` is stable and machine-readable (`no-gpg`, `no-key`, `not-encrypted` …); `sentence` is for a person and holds
    nothing of what was to be encrypted.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def __reduce__(self) -> tuple[type[PgpError], tuple[str, str]]:
        return (PgpError, (self.code, self.sentence))
