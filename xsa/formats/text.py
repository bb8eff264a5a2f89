"""Bytes of a published text to `str`, whatever wrote them."""

from __future__ import annotations

import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DIGITS = re.compile(r"(\d+)")


def clean(text: str) -> str:
    """`text` with NUL and lone surrogates, which no database column takes, as U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def decode(data: bytes) -> str:
    """UTF-8 when it is UTF-8, Latin-1 otherwise; line ends become LF, a byte order mark goes."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return clean(text.replace("\r\n", "\n").replace("\r", "\n"))


def natural_key(name: str) -> tuple[Any, ...]:
    """Sorts digits by their value: 00, 0a, 1, 2, 10."""
    parts = _DIGITS.split(name)
    return tuple((int(part[:18]), part) if at % 2 else (0, part) for at, part in enumerate(parts))
