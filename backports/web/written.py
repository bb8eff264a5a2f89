"""What people write, as HTML: plain text, with code and patches as such, and mentions of those who are in the room.

Code is what stands between lines of three backticks, or is indented by four spaces; a patch is a run of lines that
begins as a diff does. Nothing else is markup, everything is escaped, and hidden characters are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from .text import visible

_DIFF = re.compile(r"diff --git |--- \S|\+\+\+ \S|@@ -\d|Index: ")
_FENCE = re.compile(r"\s{0,3}```")
_KINDS = {"+": "add", "-": "del", "@": "at"}


def written(text: str, mentions: Sequence[dict[str, Any]] = (), *, inside: bool = True) -> SafeString:
    """The text as HTML; outside the room (not `inside`) a person who is named is told by their organisation."""
    blocks = [_block(kind, [line for _, line in lines], mentions, inside) for kind, lines in _blocks(text)]
    return mark_safe("".join(blocks))  # noqa: S308 - each is escaped


def _blocks(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    marked = list(_marked(text.split("\n")))
    for kind, lines in groupby(marked, key=lambda one: one[0]):
        if kind != "fence":
            yield kind, list(lines)


def _marked(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each line with what it is a line of."""
    fenced = diff = False
    for line in lines:
        if _FENCE.match(line):
            fenced, diff = not fenced, False
            yield "fence", line
            continue
        diff = not fenced and bool(_DIFF.match(line) or (diff and line[:1] in ("+", "-", " ", "\\") and line))
        yield "code" if fenced else "diff" if diff else "code" if line.startswith("    ") else "text", line


def _block(kind: str, lines: Sequence[str], mentions: Sequence[dict[str, Any]], inside: bool) -> SafeString:
    if kind == "text":
        told = "\n".join(lines).strip("\n")
        return format_html('<p class="said">{}</p>', _named(told, mentions, inside)) if told else SafeString("")
    if kind == "diff":
        body = format_html_join("\n", '<span class="{}">{}</span>', ((_kind(line), visible(line)) for line in lines))
    else:
        body = visible("\n".join(lines).strip("\n"))
    return format_html('<pre class="said-code" tabindex="0"><code>{}</code></pre>', body)


def _kind(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "at"
    return _KINDS.get(line[:1], "ctx")


def _named(text: str, mentions: Sequence[dict[str, Any]], inside: bool) -> SafeString:
    if not mentions:
        return visible(text)
    by_word = {one["word"]: one for one in mentions}
    words = "|".join(re.escape(word) for word in sorted(by_word, key=len, reverse=True))
    pieces = re.split(rf"(?<![\w@./-])@({words})(?![\w+-])", text)
    parts = [_mention(by_word[one], inside) if at % 2 else visible(one) for at, one in enumerate(pieces)]
    return mark_safe("".join(parts))  # noqa: S308 - each is escaped


def _mention(named: dict[str, Any], inside: bool) -> SafeString:
    organisation = visible(named["organisation"])
    if named["person"] and not inside:
        return format_html('<span class="mention">@somebody of {}</span>', organisation)
    return format_html('<span class="mention" title="{}">@{}</span>', named["organisation"], visible(named["word"]))


def line_kind(tag: str) -> str:
    """The class of a patch's line, by its sign."""
    return {"+": "add", "-": "del"}.get(tag, "ctx")
