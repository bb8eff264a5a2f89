"""Which files make the fix of which branch: by the RESOLUTION list, then .meta, then their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .advisory import AdvisoryText
from .errors import Problem
from .globs import assign, base, is_glob, matching
from .meta import Meta, MetaRecipe
from .names import guess_name
from .resolution import MASTER
from .text import natural_key

Origin = Literal["resolution", "meta", "name"]
XEN = "xen"


@dataclass(frozen=True, slots=True)
class Recipe:
    """The ordered files of one fix.

    `branch` is `master` or a minor ("4.16") of `tree` "xen"; it is "" for another project's tree.
    Without files and problems there is nothing to apply there, which only a .meta file says.
    `prereqs` are numbers of advisories that come before. `problems` say why the files are not the
    fix as it was published (one is missing or has a wrong hash): such a recipe must not be trusted.
    """

    branch: str
    tree: str
    files: tuple[str, ...]
    prereqs: tuple[int, ...] = ()
    stable_ref: str | None = None
    origin: Origin = "resolution"
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Draft:
    files: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def build_recipes(
    text: AdvisoryText | None, meta: Meta | None, patches: Sequence[str], newest: str | None
) -> tuple[list[Recipe], list[Problem]]:
    """The recipes of one advisory in the order of its list, and what was wrong on the way.

    `patches` are the names at hand. `newest` is the newest release when the advisory was published;
    a .meta file's list of supported versions says it better.
    """
    recipes, problems = _from_list(text, patches, _newest(meta) or newest) if text else ([], [])
    if meta:
        recipes, said = _with_meta(recipes, meta, patches)
        problems += said
    if not recipes:
        recipes = _from_names(patches)
        problems += [Problem("guessed", "Only file names say which branch each patch is for.")] if recipes else []
    used = {name for recipe in recipes for name in recipe.files}
    problems += [_unassigned(name) for name in patches if name not in used]
    return recipes, problems


def resolve(listed: Iterable[str], names: Iterable[str]) -> dict[str, str | None]:
    """Which of `names` each listed name means: itself, or one that lost its directory; None when absent."""
    own = set(names)
    return {name: name if name in own else base(name) if base(name) in own else None for name in listed}


def _from_list(text: AdvisoryText, patches: Sequence[str], newest: str | None) -> tuple[list[Recipe], list[Problem]]:
    at_hand = resolve([name for _, name in text.digests], patches)
    at_hand |= {name: name for name in patches if name not in at_hand.values()}
    found = assign([row.pattern for row in text.files], at_hand)
    drafts: dict[tuple[str, str], _Draft] = {}
    problems: list[Problem] = []
    for row in text.files:
        files = [name for listed in found[row.pattern] if (name := at_hand[listed])]
        gone = [_missing(name) for name in found[row.pattern] or [row.pattern] if not at_hand.get(name)]
        problems += gone
        if row.targets.open_ranges and newest is None:
            problems.append(_open_range(row.pattern))
        for target in [
            *((b, XEN) for b in row.targets.expand(newest)),
            *(("", t) for t in row.targets.trees),
        ]:
            draft = drafts.setdefault(target, _Draft())
            draft.files.update(dict.fromkeys(files))
            draft.problems += gone
    return [_finish(target, draft) for target, draft in drafts.items()], problems


def _finish(target: tuple[str, str], draft: _Draft) -> Recipe:
    branch, tree = target
    return Recipe(branch, tree, tuple(draft.files), problems=tuple(dict.fromkeys(draft.problems)))


def _with_meta(recipes: list[Recipe], meta: Meta, patches: Sequence[str]) -> tuple[list[Recipe], list[Problem]]:
    known = {(recipe.branch, recipe.tree): recipe for recipe in recipes}
    problems: list[Problem] = []
    for branch, trees in meta.recipes.items():
        for tree, own in trees.items():
            key = (branch if tree == XEN else "", tree)
            before = known.get(key)
            after, said = _merge(before, _of_meta(key, own, patches))
            problems += said
            if after.files or after.problems or before or tree == XEN:
                known[key] = after
    return list(known.values()), problems


def _of_meta(key: tuple[str, str], own: MetaRecipe, patches: Sequence[str]) -> Recipe:
    files: dict[str, None] = {}
    problems = []
    for pattern in own.patches:
        found = matching(pattern, patches)
        files.update(dict.fromkeys(found))
        problems += [] if found else [_missing(pattern)]
    return Recipe(*key, tuple(files), own.prereqs, own.stable_ref, "meta", tuple(problems))


def _merge(listed: Recipe | None, own: Recipe) -> tuple[Recipe, list[Problem]]:
    """The list's files with .meta's prerequisites; .meta's alone where the list names no file."""
    if listed is None or (own.files and not listed.files):
        return own, list(own.problems)
    merged = replace(listed, prereqs=own.prereqs, stable_ref=own.stable_ref)
    if set(listed.files) == set(own.files) or not listed.branch:
        return merged, []
    sentence = f"The .meta file names other patches for {listed.branch} than the advisory; the advisory counts."
    return merged, [Problem("meta-disagrees", sentence)]


def _from_names(patches: Sequence[str]) -> list[Recipe]:
    drafts: dict[tuple[str, str], list[str]] = {}
    for name in sorted(patches, key=natural_key):
        guess = guess_name(name)
        for branch in _guessed_branches(guess.versions) if guess.tree == XEN else ("",):
            drafts.setdefault((branch, guess.tree), []).append(name)
    return [Recipe(branch, tree, tuple(files), origin="name") for (branch, tree), files in drafts.items()]


def _guessed_branches(versions: Collection[str]) -> Iterable[str]:
    """A patch that names no version is for master; "4.x" stands for no branch in particular."""
    return [name for name in versions if not name.endswith("x")] if versions else (MASTER,)


def _newest(meta: Meta | None) -> str | None:
    releases = [name for name in meta.supported if name[:1].isdecimal()] if meta else []
    return max(releases, key=natural_key, default=None)


def _missing(pattern: str) -> Problem:
    what = "No file fits this pattern of" if is_glob(pattern) else "This file is missing; it is named in"
    return Problem("missing-file", f"{what} the advisory's list of patches.", pattern)


def _open_range(pattern: str) -> Problem:
    sentence = "The newest release of that time is not known: of this range only the two ends are taken."
    return Problem("open-range", sentence, pattern)


def _unassigned(name: str) -> Problem:
    return Problem("unassigned-patch", "Nothing says which branch this patch is for.", name)
