"""Answers that a person gave to conflicts, offered where the same conflict meets again.

The idea is that of git rerere: a conflict is known again by its text alone, without what stands around it.
Unlike rerere's, the key holds the base too and keeps ours and theirs apart, since the same two texts
over another base ask another question; and beside the exact key, which leaves out white space at the ends of
lines, a loose one takes any run of white space for one blank.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

MAX_LINES = 300
MAX_BYTES = 64 * 1024
INDENT = re.compile(rb"[ \t]*")


@dataclass(frozen=True)
class Chunk:
    """A conflict: the lines as the patch's author found them, as the target has them, as the patch wants them.

    Lines keep their line ends.
    """

    base: tuple[bytes, ...]
    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...]

    @cached_property
    def key(self) -> str:
        """64 hex digits; equal for chunks that differ in nothing but white space at the ends of lines."""
        return self._digest(b"exact", bytes.rstrip)

    @cached_property
    def loose_key(self) -> str:
        """64 hex digits; equal for chunks that differ in nothing but the amount and kind of white space."""
        return self._digest(b"loose", collapsed)

    @property
    def is_bounded(self) -> bool:
        """Whether it is small enough to be kept, and to be one question for a person."""
        return all(is_bounded(side) for side in (self.base, self.ours, self.theirs))

    def _digest(self, kind: bytes, normal: Callable[[bytes], bytes]) -> str:
        digest = hashlib.sha256(kind)
        for side in (self.base, self.ours, self.theirs):
            digest.update(b"\0%d\0" % len(side))
            digest.update(b"\n".join(normal(line) for line in side))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person made of a chunk; `name` tells resolutions apart, whatever they are kept in."""

    chunk: Chunk
    answer: tuple[bytes, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A known resolution put in the dress of the chunk that it is offered for.

    `exact` is False when only the loose keys agree; `rivals` counts resolutions of the same
    chunk that answer otherwise.
    """

    resolution: Resolution
    lines: tuple[bytes, ...]
    exact: bool
    rivals: int = 0


@dataclass(slots=True)
class Memory:
    """Resolutions by both keys, in the order in which they are preferred."""

    _by_key: dict[str, list[Resolution]] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Iterable[Resolution]) -> Memory:
        """A memory of these."""
        memory = cls()
        for one in known:
            memory.add(one)
        return memory

    def add(self, one: Resolution) -> None:
        """Remembers one more, less preferred than those before it."""
        for key in (one.chunk.key, one.chunk.loose_key):
            self._by_key.setdefault(key, []).append(one)

    def like(self, key: str) -> Sequence[Resolution]:
        """Those with this exact or loose key."""
        return self._by_key.get(key, ())


def offer(chunk: Chunk, memory: Memory) -> Answer | None:
    """The preferred answer to this very chunk, else to one that differs in white space only; None when unknown."""
    exact = memory.like(chunk.key)
    found = exact or memory.like(chunk.loose_key)
    if not found:
        return None
    answers = [dressed(one, chunk) for one in found]
    meanings = {tuple(map(collapsed, lines)) for lines in answers}
    return Answer(found[0], answers[0], bool(exact), len(meanings) - 1)


def dressed(known: Resolution, chunk: Chunk) -> tuple[bytes, ...]:
    """The answer with the white space of the chunk's own lines.

    The chunks must agree in their loose keys. A line that the answer took from ours is taken from the
    chunk's ours; others are indented as those are that they stand among, and end as the chunk's lines end.
    """
    pairs = [pair for pair in zip(known.chunk.ours, chunk.ours, strict=True) if pair[0].strip()]
    same, indents = dict(pairs), {_indent(old): _indent(new) for old, new in reversed(pairs)}
    ending = b"" if _ending(known.chunk) == _ending(chunk) else _ending(chunk)
    return tuple(
        same[line] if line in same else _with_ending(_reindented(line, indents), ending) for line in known.answer
    )


def is_bounded(lines: Sequence[bytes]) -> bool:
    """Whether so many lines are still one question, or one answer, for a person."""
    return len(lines) <= MAX_LINES and sum(map(len, lines)) <= MAX_BYTES


def collapsed(line: bytes) -> bytes:
    """The line with every run of white space as one blank, and none at its ends."""
    return b" ".join(line.split())


def _indent(line: bytes) -> bytes:
    match = INDENT.match(line)
    return match.group() if match else b""


def _reindented(line: bytes, indents: Mapping[bytes, bytes]) -> bytes:
    """The line with the longest known part of its indentation put otherwise."""
    own = _indent(line)
    known = max((old for old in indents if own.startswith(old)), key=len, default=None)
    return line if known is None or not line.strip() else indents[known] + line[len(known) :]


def _ending(chunk: Chunk) -> bytes:
    """How the chunk's lines end where they are; "" when that cannot be told."""
    ended = [line for line in (chunk.ours or chunk.base) if line.endswith(b"\n")]
    if not ended:
        return b""
    return b"\r\n" if all(line.endswith(b"\r\n") for line in ended) else b"\n"


def _with_ending(line: bytes, ending: bytes) -> bytes:
    return line.rstrip(b"\r\n") + ending if ending and line.endswith(b"\n") else line
