"""The RESOLUTION list's grammar: which branches a line names, and which files a pattern means.

The list is written for people: ranges in five spellings, missing commas, trailing dots, trees other
than Xen's. What cannot be understood becomes a problem; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import Problem

MASTER = "master"
MAX_TEXT = 2000

_TOKEN = re.compile(
    r"""
    (?P<range>\.{2,}|…|[–—]|-+(?=\s|$|v?\d|xen)|\b(?:to|through|until)\b)
  | (?P<master>\b(?:xen-)?(?:unstable|master|staging)\b)
  | (?P<version>\b(?:stable-|xen-)?v?\d\.(?:\d{1,2}|x)(?:\.(?:x|\d{1,3})\b)*(?:-testing|-stable)?)
  | (?P<later>(?:\b(?:and|or)\s+)?\b(?:later|newer|onwards|upwards)\b|(?<=[\dx])\+)
  | (?P<earlier>(?:\b(?:and|or)\s+)?\b(?:earlier|older)\b)
  | (?P<xen>\bxen\b(?!-))
  | (?P<tree>\b(?:qemu|xapi|linux|mini-?os|libvirt|ovmf|freebsd|netbsd|openbsd|windows|grub)[\w.-]*)
  | (?P<noise>[,;.&/()]|\b(?:and|or|only|tree|series|mainline|upstream|oxenstored|branch(?:es)?|versions?)\b)
  | (?P<word>\w[\w.-]*|-+|\S)
    """,
    re.X | re.I,
)
_VERSION = re.compile(r"(\d)\.(\d{1,2}|x)", re.I)
_TREES = (
    (re.compile(r"qemu-?(?:xen-?)?trad|qemut", re.I), "qemu-xen-traditional"),
    (re.compile(r"qemu-(?:xen|upstream)|qemuu", re.I), "qemu-xen"),
    (re.compile(r"qemu", re.I), "qemu"),
    (re.compile(r"mini-?os", re.I), "mini-os"),
)


@dataclass(frozen=True, slots=True)
class OpenRange:
    """From `master` down to `lower`: which branches that is depends on the newest release."""

    lower: str


@dataclass(frozen=True, slots=True)
class Targets:
    """What a RESOLUTION line applies to.

    `branches` are `master` and Xen minors ("4.16") in the order given; `trees` are other
    projects' ("linux", "qemu-xen"). `open_ranges` wait for `expand`.
    """

    branches: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    open_ranges: tuple[OpenRange, ...] = ()
    problems: tuple[Problem, ...] = ()

    def expand(self, newest: str | None) -> tuple[str, ...]:
        """All branches; open ranges are filled in from `newest` ("4.21") down, or keep their ends only."""
        branches = list(self.branches)
        for gap in self.open_ranges:
            if newest and _pair(newest) >= _pair(gap.lower):
                at = branches.index(gap.lower)
                branches[at:at] = [name for name in _between(newest, gap.lower) if name not in branches]
        return tuple(branches)


@dataclass(slots=True)
class _State:
    """The walk along one line: the last version seen, and whether a range sign followed it."""

    known: Sequence[str]
    branches: list[str] = field(default_factory=list)
    trees: list[str] = field(default_factory=list)
    gaps: list[OpenRange] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: str = ""
    ranging: bool = False
    foreign: bool = False

    def say(self, code: str, sentence: str) -> None:
        self.problems.append(Problem(code, sentence))

    def add(self, branch: str) -> None:
        if self.ranging and self.last:
            self._add_range(self.last, branch)
        else:
            self.branches.append(branch)
        self.last, self.ranging = branch, False

    def _add_range(self, first: str, last: str) -> None:
        if first == MASTER or last == MASTER:
            lower = last if first == MASTER else first
            self.branches.append(last)
            if lower != MASTER:
                self.gaps.append(OpenRange(lower))
            return
        self.branches.extend(self._span(first, last))

    def _span(self, first: str, last: str) -> list[str]:
        if _pair(first)[0] == _pair(last)[0]:
            return _between(first, last)
        low, high = sorted((_pair(first), _pair(last)))
        inside = [name for name in self.known if name != MASTER and low <= _pair(name) <= high]
        if not inside:
            self.say(
                "needs-branch-list",
                f"The range {first} to {last} crosses a major version; name its branches.",
            )
        return [*sorted(inside, key=_pair, reverse=_pair(first) == high), last]


def targets(text: str, known: Sequence[str] | None = None, *, newest: str | None = None) -> Targets:
    """Reads the right-hand side of a RESOLUTION line.

    `known` are the branches that existed, and `newest` the newest release ("4.21"), when the
    advisory was published: a range that begins at xen-unstable never reaches a later one. The newest
    of `known` stands in for `newest`; without either such a range stays open.
    """
    state = _State(known or ())
    if len(text) > MAX_TEXT:
        state.say("line-too-long", "A line of the list is longer than any real one; its end was left out.")
    for match in _TOKEN.finditer(text[:MAX_TEXT]):
        _step(state, match.lastgroup or "", match.group())
    if state.ranging:
        state.say("dangling-range", "The version range has no end; check the advisory's list.")
    if not state.branches and not state.trees and not state.problems:
        state.say("no-target", "The list names a file without saying what it applies to.")
    found = Targets(_unique(state.branches), _unique(state.trees), _unique(state.gaps), _unique(state.problems))
    top = newest or _newest(state.known)
    if top is None:
        return found
    return Targets(found.expand(top), found.trees, (), found.problems)


def _step(state: _State, kind: str, word: str) -> None:
    if kind == "xen" or (kind == "master" and word.lower().startswith("xen")):
        state.foreign = False
    if kind == "tree":
        state.trees.append(_tree_name(word))
        state.foreign, state.last, state.ranging = True, "", False
    elif state.foreign or kind in ("noise", "xen"):
        return
    elif kind == "range":
        state.ranging = bool(state.last)
    elif kind == "master":
        state.add(MASTER)
    else:
        _step_version(state, kind, word)


def _step_version(state: _State, kind: str, word: str) -> None:
    if kind == "version":
        _add_version(state, word)
    elif kind == "later" and state.last and state.last != MASTER:
        state.gaps.append(OpenRange(state.last))
        state.branches.append(MASTER)
    elif kind == "earlier":
        state.say("open-ended", "The list says “and earlier”; only the named versions are taken.")
    else:
        state.say("unknown-target", "The list names something that is no known branch or tree.")


def _add_version(state: _State, word: str) -> None:
    match = _VERSION.search(word)
    if match is None:
        return
    major, minor = match.groups()
    if minor.lower() != "x":
        state.add(f"{int(major)}.{int(minor)}")
        return
    inside = [name for name in state.known if name.startswith(f"{int(major)}.")]
    state.branches.extend(sorted(inside, key=_pair, reverse=True))
    if not inside:
        state.say("needs-branch-list", f"The list says {major}.x; name the branches it stands for.")


def _tree_name(word: str) -> str:
    for pattern, name in _TREES:
        if pattern.match(word):
            return name
    return re.split(r"[^a-z]", word.lower(), maxsplit=1)[0]


def _pair(branch: str) -> tuple[int, int]:
    major, _, minor = branch.partition(".")
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


def _between(first: str, last: str) -> list[str]:
    (major, start), (_, stop) = _pair(first), _pair(last)
    step = -1 if start >= stop else 1
    return [f"{major}.{minor}" for minor in range(start, stop + step, step)]


def _newest(known: Iterable[str]) -> str | None:
    releases = [name for name in known if _VERSION.fullmatch(name)]
    return max(releases, key=_pair, default=None)


def _unique(things: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(things))
