"""A directory in Xen's published layout: which names are safe, and which advisory each belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .names import number_of

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_safe(name: str) -> bool:
    """Whether `name` is a relative path that stays below its directory and holds no control characters."""
    parts = name.replace("\\", "/").split("/")
    drive = re.match(r"[A-Za-z]:", name) is not None
    return bool(name) and not drive and parts[0] != "" and ".." not in parts and not _CONTROL.search(name)


def normalise(name: str) -> str:
    """`name` without empty and `.` parts."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def split_directory(names: Iterable[str]) -> dict[int | None, tuple[str, ...]]:
    """Groups the names of a whole directory by advisory number; what names no advisory stands under None."""
    groups: dict[int | None, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(number_of(name), []).append(name)
    return {number: tuple(own) for number, own in groups.items()}
