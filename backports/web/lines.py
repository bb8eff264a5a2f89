"""Lines of code as HTML: a hunk, the sides of a conflict, flagged lines, a diff of two diffs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from .sides import Side, columns
from .stamp import stamp
from .text import visible

_KINDS = {"+": "add", "-": "del"}
_SIDES = {"-": "source-only", "+": "result-only"}
Line = tuple[str, str, str, int]  # kind, tag, text, number (0: none)


def hunk_lines(hunk: dict[str, Any]) -> SafeString:
    """A hunk's lines; those that it expects carry the numbers at which they were found, when that is known."""
    place = hunk["placement"]
    number = place["line"] if place and not place["fuzz"] else 0
    found: list[Line] = []
    for tag, content in hunk["lines"]:
        counted = number and tag != "+"
        found.append((_KINDS.get(tag, "ctx"), tag, content, number if counted else 0))
        number += bool(counted)
    return _html(found)


def conflict(hunk: dict[str, Any]) -> dict[str, SafeString]:
    """The three columns of a hunk that did not land: `base`, `ours`, `theirs`."""
    found = columns(hunk)
    return {name: _column(getattr(found, name)) for name in ("base", "ours", "theirs")}


def _column(side: Iterable[Side]) -> SafeString:
    return _html((line.kind, line.tag, line.text, line.number) for line in side)


def flagged_lines(piece: dict[str, Any]) -> SafeString:
    """Some lines of the result, the flagged ones marked."""
    rows = enumerate(piece["lines"], start=piece["line"])
    return _html(("own" if flagged else "ctx", "!" if flagged else " ", content, at) for at, (flagged, content) in rows)


def compared_lines(compared: Sequence[str]) -> SafeString:
    """A diff of two diffs: the outer sign in the margin, the inner one with the text."""
    return mark_safe("".join(_compared(line) for line in compared))  # noqa: S308 - made of template parts


def _compared(line: str) -> str:
    outer, inner = (" ", line) if line.startswith("@") else (line[:1], line[1:])
    look = (("side", _SIDES.get(outer, "both")), ("kind", _inner_kind(inner)), ("outer", outer))
    return stamp("parts/_compared_line.html", look, text=visible(inner) or escape(""))


def _inner_kind(inner: str) -> str:
    return "heading" if inner.startswith(("@@", " ##")) else _KINDS.get(inner[:1], "ctx")


def _html(found: Iterable[Line]) -> SafeString:
    return mark_safe("".join(_line(*line) for line in found))  # noqa: S308 - made of template parts


def _line(kind: str, tag: str, content: str, number: int) -> str:
    look = (("kind", kind), ("tag", tag))
    return stamp("parts/_line.html", look, number=str(number) if number else "", text=visible(content) or escape(""))
