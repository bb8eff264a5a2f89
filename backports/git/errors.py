"""What this package raises: bad input or a broken environment, never a conflict."""

from __future__ import annotations


class GitError(Exception):
    """Something that git was asked for and cannot give.

    `code` is stable and machine-readable (`not-a-repository`, `no-such-commit`, `timeout` …);
    `sentence` tells a person what is wrong and what to do about it, and holds no credentials.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def __reduce__(self) -> tuple[type[GitError], tuple[str, str]]:
        return (GitError, (self.code, self.sentence))
