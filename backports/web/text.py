"""Text from outside, made safe to read: what is invisible is shown, what reorders is disarmed.

Patches can carry bidirectional controls and invisible characters that make a page show something
else than a compiler reads. None of them is ever rendered: each becomes its code point.
"""

from __future__ import annotations

import html
import re
import unicodedata
from datetime import datetime

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_PLAIN = re.compile(r"[\t\n\x20-\x7e]*")
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
# Letters and marks that take no room, or look like a space, whatever their category says.
_HIDDEN_EXTRA = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_NAMES = {"\r": "CR", "\x1b": "ESC", "\x00": "NUL", "\x0c": "FF", "\x7f": "DEL"}


def countdown(when: datetime, now: datetime) -> str:
    """How far `when` is from `now`, coarser the further."""
    seconds = round((when - now).total_seconds())
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if abs(seconds) >= 2 * size:
            return _away(abs(seconds) // size, name, ahead=seconds > 0)
    return "now" if abs(seconds) < 60 else _away(1, "minute", ahead=seconds > 0)


def _away(count: int, name: str, *, ahead: bool) -> str:
    span = f"{count} {name}{'s' if count != 1 else ''}"
    return f"in {span}" if ahead else f"{span} ago"


def is_hidden(char: str) -> bool:
    """Whether a reader could not see this character, or it changes how its neighbours are shown."""
    if char in "\t\n ":
        return False
    category = unicodedata.category(char)
    if category in _HIDDEN_CATEGORIES or char in _HIDDEN_EXTRA or category == "Zs":
        return True
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def code_point(char: str) -> str:
    """`U+202E`, or the short name of a control character that everyone knows."""
    return _NAMES.get(char) or f"U+{ord(char):04X}"


def visible(value: object) -> SafeString:
    """`value` as HTML in which every hidden character is a small marked box with its code point."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        # Django's own escape asks first whether the text is lazy, thousands of times a page.
        return SafeString(html.escape(text))
    return mark_safe("".join(_boxed(char) if is_hidden(char) else escape(char) for char in text))  # noqa: S308


def _boxed(char: str) -> str:
    name = unicodedata.name(char, "control character").lower()
    return f'<span class="hidden-char" title="{escape(name)}">{code_point(char)}</span>'


def plain(value: object) -> str:
    """The same for attributes and titles of pages, where there is no markup: `[U+202E]`."""
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    return "".join(f"[{code_point(char)}]" if is_hidden(char) else char for char in text)
