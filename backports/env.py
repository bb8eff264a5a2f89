"""Typed readers of environment variables; settings are made of these and nothing else reads the environment."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


class BadSetting(Exception):
    """An environment variable that cannot be understood; the text names it and what it may be."""


def text(name: str, default: str = "") -> str:
    """The variable, or `default` when it is unset or empty."""
    return os.environ.get(name) or default


def flag(name: str, *, default: bool = False) -> bool:
    """A yes-or-no variable: 1/true/yes/on or 0/false/no/off."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word not in TRUE | FALSE:
        raise BadSetting(f"{name} must be 1 or 0, not {value!r}.")
    return word in TRUE


def number(name: str, default: int) -> int:
    """A whole number."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise BadSetting(f"{name} must be a whole number, not {value!r}.") from None


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list, without empty entries."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(name: str) -> list[Network]:
    """A comma-separated list of addresses and networks: `192.0.2.7, 2001:db8::/64`."""
    try:
        return [ipaddress.ip_network(word) for word in words(name)]
    except ValueError as error:
        raise BadSetting(f"{name} must name addresses or networks: {error}.") from None


def tables(name: str, kinds: Mapping[str, type], needed: str) -> dict[str, dict[str, Any]]:
    """The tables of the TOML file that the variable names, in the file's order; {} when it is unset.

    Each table may have the keys of `kinds`, with values of those types, and must have `needed`.
    """
    file = text(name)
    if not file:
        return {}
    try:
        found = tomllib.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise BadSetting(f"{name} must name a TOML file that can be read: {error}") from None
    for table, values in found.items():
        _check_table(f"{name}, [{table}]", values, kinds, needed)
    return found


def _check_table(where: str, values: object, kinds: Mapping[str, type], needed: str) -> None:
    if not isinstance(values, dict) or needed not in values:
        raise BadSetting(f"{where} must be a table with {needed}.")
    for key, value in values.items():
        if key not in kinds:
            raise BadSetting(f"{where} has {key}, which means nothing; there may be {', '.join(kinds)}.")
        if type(value) is not kinds[key]:
            raise BadSetting(f"{where}: {key} must be of the kind {kinds[key].__name__}.")
