"""What a series that came in says it is for: the advisory, the branch, and the upstream commits that it was made from.

Names, subjects and messages are read, nothing is looked up: the answers are proposals, the surest first, each with its
reason. Whoever may not see an advisory must not be told that it exists: that is for who asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from backports.engine.intake import Arrived

from .messages import Kind, advisories, upstream_links

MASTER = "master"
SHOWN = 100
_NUMBER = re.compile(r"(?<![a-z])xsa[-_ ]?0*(\d{1,5})(?!\d)", re.IGNORECASE)
# A release in a name: 4.8 in xsa500-4.8-2.patch, stable-4.8, RELEASE-4.8.5, xen_4.8.5+shim. No date, no v2, no 1/3.
_RELEASE = re.compile(r"(?<![\d.])(\d{1,2}\.\d{1,2})(?=$|[^\d]|\.\d)(?!\.\d+\.\d+\.)")
_UNSTABLE = re.compile(r"(?<![a-z])(?:unstable|master|mainline)(?![a-z])", re.IGNORECASE)


class Sure(IntEnum):
    """How sure a proposal is; the more, the surer."""

    MENTIONED = 1
    TAGGED = 2
    NAMED = 3
    STATED = 4


@dataclass(frozen=True, slots=True)
class Guess:
    """A proposal: an advisory's number or a branch's name as text, how sure it is, and the reason as a sentence."""

    value: str
    sure: Sure
    why: str


@dataclass(frozen=True, slots=True)
class Intended:
    """The proposals, the surest first; `origins` are (abbreviated) commits that the messages name."""

    advisories: tuple[Guess, ...] = ()
    branches: tuple[Guess, ...] = ()
    origins: tuple[str, ...] = ()


def intended(name: str, patches: Sequence[Arrived], branches: Iterable[str] = ()) -> Intended:
    """What the file `name` and its patches say. `branches` are names that are known: they are found as they are."""
    known = sorted({branch for branch in branches if branch}, key=len, reverse=True)
    return Intended(
        advisories=_best(_advisories(name, patches)),
        branches=_best(_branches(name, patches, known)),
        origins=tuple(dict.fromkeys(oid for one in patches for oid in upstream_links(_message(one)))),
    )


def _best(guesses: Iterable[Guess]) -> tuple[Guess, ...]:
    """The surest guess of each value; the first said of equally sure ones."""
    best: dict[str, Guess] = {}
    for guess in guesses:
        if guess.value not in best or guess.sure > best[guess.value].sure:
            best[guess.value] = guess
    return tuple(sorted(best.values(), key=lambda guess: -guess.sure))


def _names(name: str, patches: Sequence[Arrived]) -> Iterator[str]:
    yield name
    yield from dict.fromkeys(one.name for one in patches)


def _advisories(name: str, patches: Sequence[Arrived]) -> Iterator[Guess]:
    for one in patches:
        for number, kind in advisories(_message(one)).items():
            yield _said(number, kind)
    for told in _names(name, patches):
        yield from (Guess(found, Sure.NAMED, f"The file is called {_short(told)}.") for found in _NUMBER.findall(told))
    for one in patches:
        for found in _NUMBER.findall(one.tag):
            yield Guess(found, Sure.TAGGED, f"A subject begins with [{_short(one.tag)}].")


def _said(number: int, kind: Kind) -> Guess:
    if kind is Kind.FIX:
        return Guess(str(number), Sure.STATED, f"A message says that it is XSA-{number}.")
    word = "follows" if kind is Kind.FOLLOW_UP else "mentions"
    return Guess(str(number), Sure.MENTIONED, f"A message {word} XSA-{number}.")


def _branches(name: str, patches: Sequence[Arrived], known: Sequence[str]) -> Iterator[Guess]:
    for told in _names(name, patches):
        yield from (Guess(found, Sure.NAMED, f"The file is called {_short(told)}.") for found in _in(told, known))
    for one in patches:
        for found in _in(one.tag, known):
            yield Guess(found, Sure.TAGGED, f"A subject begins with [{_short(one.tag)}].")


def _in(text: str, known: Sequence[str]) -> Iterator[str]:
    """Known branches that stand in the text as words, then releases, then the branch that newest work is on."""
    without = _NUMBER.sub(" ", text)
    for branch in known:
        found = re.search(rf"(?<![\w.]){re.escape(branch)}(?!\w)(?!\.?\d)", without)
        if found:
            yield branch
            without = without[: found.start()] + " " * len(branch) + without[found.end() :]
    yield from _RELEASE.findall(without)
    if _UNSTABLE.search(without):
        yield MASTER


def _message(one: Arrived) -> str:
    patch = one.patch
    trailers = "\n".join(f"({name} {value})" for name, value in patch.trailers if name.endswith("from commit"))
    return "\n\n".join(part for part in (patch.subject, patch.body, trailers) if part)


def _short(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:SHOWN]
