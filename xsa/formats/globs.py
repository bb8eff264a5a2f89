"""File patterns of a RESOLUTION list or a .meta recipe, matched against the names that came in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .text import natural_key

MAX_LENGTH = 500

_ITEM = re.compile(r"\?|\[[^\]/]+\]|\{[^{}/]*\}|[^?]", re.S)
_STARTS_WITH_VERSION = re.compile(r"\d\.\d")


def is_glob(pattern: str) -> bool:
    """Whether `pattern` can mean more than one name."""
    return any(sign in pattern for sign in "*?[{")


def matching(pattern: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that `pattern` means, in the order in which a series applies (0a, 1, 2, 10).

    `*`, `?`, `[ab]` and `{a,b}` never match a slash. When nothing matches, a pattern for
    `xsa1/xsa1-?.patch` also means `xsa1-1.patch`: attachments lose their directory.
    """
    names = list(names)
    found = _matching(pattern, names)
    if not found and "xsa" in base(pattern):
        found = _matching(base(pattern), [name for name in names if "/" not in name])
    return tuple(sorted(found, key=natural_key))


def assign(patterns: Sequence[str], names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`matching` for a whole list, where `xsa1-*.patch` leaves `xsa1-4.8-2.patch` to `xsa1-4.8-*.patch`."""
    names = list(names)
    found = {pattern: matching(pattern, names) for pattern in patterns}
    closest: dict[str, int] = {}
    for pattern, own in found.items():
        closest.update({name: max(len(pattern), closest.get(name, 0)) for name in own})
    return {
        pattern: tuple(name for name in own if closest[name] == len(pattern) or not _swallows_version(pattern, name))
        for pattern, own in found.items()
    }


def _swallows_version(pattern: str, name: str) -> bool:
    """Whether a star of `pattern` stands for something that begins with a version."""
    if "*" not in pattern:
        return False
    compiled = _compile(pattern)
    match = compiled.fullmatch(name) or _compile(base(pattern)).fullmatch(name)
    return match is not None and any(_STARTS_WITH_VERSION.match(part or "") for part in match.groups())


def base(path: str) -> str:
    """The last part of a path."""
    return path.rpartition("/")[2]


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    compiled = _compile(pattern)
    return [name for name in names if name == pattern or compiled.fullmatch(name)]


def _compile(pattern: str) -> re.Pattern[str]:
    """Each star is atomic, so that matching is linear in the name for each star of the pattern."""
    if len(pattern) > MAX_LENGTH:
        return re.compile(re.escape(pattern))
    first, *rest = re.split(r"\*+", pattern)
    if not rest:
        return re.compile(_chunk(first))
    *middle, last = rest
    stars = "".join(f"(?>([^/]*?){_chunk(part)})" for part in middle)
    return re.compile(f"{_chunk(first)}{stars}([^/]*){_chunk(last)}")


def _chunk(text: str) -> str:
    return "".join(_item(match.group()) for match in _ITEM.finditer(text))


def _item(item: str) -> str:
    if item == "?":
        return "[^/]"
    if len(item) > 1 and item[0] == "[":
        return _character_class(item[1:-1])
    if len(item) > 1:
        return "(?:" + "|".join(re.escape(choice) for choice in item[1:-1].split(",")) + ")"
    return re.escape(item)


def _character_class(inner: str) -> str:
    ranges = re.sub(r"(?<=[a-z0-9])\\-(?=[a-z0-9])", "-", re.escape(inner))
    try:
        re.compile(f"[{ranges}]")
    except re.error:
        return re.escape(f"[{inner}]")
    return f"[{ranges}]"
