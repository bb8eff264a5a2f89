"""Template parts that a page needs by the thousand: rendered once per look, then filled in."""

from __future__ import annotations

import re
from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string

_BREAKS = re.compile(r"\s*\n\s*")
HOLE = "\ue000"  # a private-use character, which `text.visible` never lets through


def _holes(template: str, look: tuple[tuple[str, object], ...], names: tuple[str, ...]) -> tuple[str, ...]:
    context = dict(look) | {name: f"{HOLE}{name}{HOLE}" for name in names}
    html = _BREAKS.sub(" ", render_to_string(template, context).strip())
    return tuple(html.split(HOLE))


_kept = lru_cache(maxsize=2048)(_holes)


def stamp(template: str, look: tuple[tuple[str, object], ...], **values: str) -> str:
    """`template` rendered with `look`, and `values` put in as they are: they must be HTML already.

    `look` is part of a cache's key, so it holds few different values; `values` differ each time.
    """
    parts = (_holes if settings.DEBUG else _kept)(template, look, tuple(values))
    return "".join(values[part] if position % 2 else part for position, part in enumerate(parts))
