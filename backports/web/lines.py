"""Lines of code as HTML: a hunk, the sides of a conflict, flagged lines, a diff of two diffs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from .stamp import stamp
from .text import visible

_KINDS = {"+": "add", "-": "del"}
_SIDES = {"-": "source-only", "+": "result-only"}
_STARTS = re.compile(r"@@ -(\d{1,9})[^+]{0,11}\+(\d{1,9})")
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


def base_lines(hunk: dict[str, Any]) -> SafeString:
    """What a hunk expects; a line that the branch does not have near the place is marked as gone."""
    ours = set(hunk["rejection"]["ours"])
    side = [(tag, content) for tag, content in hunk["lines"] if tag != "+"]
    kinds = (
        "del" if tag == "-" else "ctx" if content in ours or not content.strip() else "gone" for tag, content in side
    )
    return _side(side, kinds, _starts(hunk)[0])


def their_lines(hunk: dict[str, Any]) -> SafeString:
    """What a hunk leaves."""
    side = [(tag, content) for tag, content in hunk["lines"] if tag != "-"]
    return _side(side, (_KINDS.get(tag, "ctx") for tag, _ in side), _starts(hunk)[1])


def our_lines(hunk: dict[str, Any]) -> SafeString:
    """The branch's lines at the likely place; those that the hunk does not expect are marked as its own."""
    stopped = hunk["rejection"]
    expected = {content for tag, content in hunk["lines"] if tag != "+"}
    side = [(" " if content in expected or not content.strip() else "!", content) for content in stopped["ours"]]
    return _side(side, ("own" if tag == "!" else "ctx" for tag, _ in side), stopped["line"])


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


def _starts(hunk: dict[str, Any]) -> tuple[int, int]:
    """The lines that the hunk's header names, or zeros."""
    found = _STARTS.match(hunk["header"])
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _side(side: Sequence[tuple[str, str]], kinds: Iterable[str], first: int) -> SafeString:
    rows = zip(side, kinds, strict=True)
    return _html((kind, tag, content, first + at if first else 0) for at, ((tag, content), kind) in enumerate(rows))


def _html(found: Iterable[Line]) -> SafeString:
    return mark_safe("".join(_line(*line) for line in found))  # noqa: S308 - made of template parts


def _line(kind: str, tag: str, content: str, number: int) -> str:
    look = (("kind", kind), ("tag", tag))
    return stamp("parts/_line.html", look, number=str(number) if number else "", text=visible(content) or escape(""))
