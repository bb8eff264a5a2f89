"""The .meta file: which patches make each branch's fix, and what must be there before them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import FormatError, Problem
from .text import clean, decode

_BRANCH = re.compile(r"master|\d\.\d{1,2}")
_OID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class MetaRecipe:
    """One tree of one branch: `stable_ref` is the commit it was made on, `patches` are names or globs."""

    stable_ref: str | None
    prereqs: tuple[int, ...]
    patches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meta:
    """A .meta file; `recipes` maps branch, then tree. Where nothing is to be applied, `patches` is empty."""

    number: int
    supported: tuple[str, ...]
    trees: tuple[str, ...]
    recipes: Mapping[str, Mapping[str, MetaRecipe]]
    problems: tuple[Problem, ...] = ()


def parse_meta(data: bytes) -> Meta:
    """Reads a .meta file. Raises FormatError("malformed-meta") when it is not JSON of that shape."""
    top = _object(load_json(data, "malformed-meta", "The .meta file"), "its outermost value")
    number = _number(top.get("XSA"))
    if number is None:
        raise _malformed("“XSA” is no advisory number")
    problems: list[Problem] = []
    recipes = {}
    for branch, inner in _object(top.get("Recipes", {}), "“Recipes”").items():
        if _BRANCH.fullmatch(branch):
            recipes[branch] = _read_branch(_object(inner, "a recipe"), number)
        else:
            problems.append(Problem("unknown-branch", "The .meta file has a recipe for something that is no branch."))
    return Meta(
        number=number,
        supported=_strings(top.get("SupportedVersions"), "“SupportedVersions”"),
        trees=_strings(top.get("Trees"), "“Trees”"),
        recipes=recipes,
        problems=tuple(problems),
    )


def load_json(data: bytes, code: str, what: str) -> Any:
    """JSON of any encoding and depth as Python values; raises FormatError(code) for anything else."""
    try:
        return json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise FormatError(code, f"{what} is no JSON; fetch it again, or go by the advisory's text.") from error


def _read_branch(inner: dict[str, Any], number: int) -> dict[str, MetaRecipe]:
    trees = _object(inner.get("Recipes", {}), "a branch's “Recipes”")
    return {clean(tree): _read_recipe(_object(recipe, "a tree's recipe"), number) for tree, recipe in trees.items()}


def _read_recipe(recipe: dict[str, Any], own: int) -> MetaRecipe:
    prereqs = _list(recipe.get("Prereqs"), "“Prereqs”")
    numbers = [_number(value) for value in prereqs]
    if None in numbers:
        raise _malformed("“Prereqs” holds something that is no advisory number")
    stable_ref = recipe.get("StableRef")
    return MetaRecipe(
        stable_ref=stable_ref if isinstance(stable_ref, str) and _OID.fullmatch(stable_ref) else None,
        prereqs=tuple(dict.fromkeys(value for value in numbers if value is not None and value != own)),
        patches=tuple(name.strip("\"'") for name in _strings(recipe.get("Patches"), "“Patches”")),
    )


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed(f"{what} is no object")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _malformed(f"{what} is no list")
    return value


def _strings(value: Any, what: str) -> tuple[str, ...]:
    values = _list(value, what)
    if not all(isinstance(item, str) for item in values):
        raise _malformed(f"{what} holds something that is no text")
    return tuple(clean(item) for item in values)


def _number(value: Any) -> int | None:
    """An advisory's number, written as a number or as its digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}", value):
        value = int(value)
    return value if type(value) is int and 0 < value < 10**6 else None


def _malformed(what: str) -> FormatError:
    return FormatError("malformed-meta", f"The .meta file cannot be used: {what}. Go by the advisory's text.")
