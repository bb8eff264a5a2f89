"""Everything that a branch lacks as one file: each series made anew on top of those before, all applied again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pygit2

from backports.engine.diff import parse_patch
from backports.export import again, dep3, everything, manifest, mbox
from backports.export.everything import LeftOut, Part
from backports.git.errors import GitError
from backports.git.patches import format_series
from backports.git.results import open_results
from backports.git.scratch import scratch
from backports.git.stacking import Stack
from backports.git.store import commit_at
from backports.models import Branch

from .lacking import Lacked, Way
from .places import ground_ref, mirror_path, results_path
from .taking import SUFFIXES, Taken, about, verdict_of

GONE = "There is nothing left of it to apply: what comes before it, or the branch, has all of it."
MANY = 3  # files that a reason names


@dataclass(slots=True)
class _Made:
    """What is put on a branch so far; `tips` are the commits after each part."""

    branch: Branch
    stack: Stack
    notes: Mapping[int, Sequence[str]]
    parts: list[Part] = field(default_factory=list)
    tips: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def placed(self) -> set[int]:
        """The advisories that are in it."""
        return {one.series.advisory for one in self.parts}


def take_all(
    branch: Branch, lacked: Sequence[Lacked], kind: str, notes: Mapping[int, Sequence[str]] | None = None
) -> Taken | None:
    """What applies of `lacked` on top of one another, in that order, as a `kind` of file; None where nothing does.

    What does not is named in the manifest, with the reason. `notes` are per advisory what whoever reads its patches
    must know. Raises GitError `not-the-result` when the file does not give the result again.
    """
    refused: dict[int, LeftOut] = {}
    while True:
        with scratch(mirror_path(branch.repository.name)) as repo:
            made = _stacked(branch, lacked, kind, repo, notes or {}, refused)
            try:
                return _taken(made, kind) if made.parts else None
            except GitError:
                found = _damaged(made, kind)
                if not found:
                    raise
                refused |= found


def _stacked(
    branch: Branch,
    lacked: Sequence[Lacked],
    kind: str,
    repo: pygit2.Repository,
    notes: Mapping[int, Sequence[str]],
    refused: Mapping[int, LeftOut],
) -> _Made:
    made = _Made(branch, Stack(repo, branch.tip), notes)
    numbers = {one.advisory.number for one in lacked}
    for one in lacked:
        number = one.advisory.number
        why = refused.get(number) or LeftOut(number, *one.why)
        for way in () if number in refused else one.ways:
            found = _put(made, one, way, kind, numbers)
            if found is None:
                break
            why = found
        else:
            made.left_out.append(why)
    return made


def _put(made: _Made, one: Lacked, way: Way, kind: str, lacked: Collection[int]) -> LeftOut | None:
    """Carry one way of fixing an advisory onto the stack; why it does not go there, where it does not."""
    number, before = one.advisory.number, made.stack.tip
    if missing := [other for other in way.needs if other in lacked and other not in made.placed]:
        names = ", ".join(f"XSA-{other}" for other in sorted(missing))
        return LeftOut(number, "needs-prerequisite", f"It builds on {names}, which is not in this file before it.")
    try:
        if stuck := _carry(made, number, way):
            return LeftOut(number, "in-the-way", _in_the_way(stuck))
        if made.stack.tip == before:
            return LeftOut(number, "nothing-left", GONE)
        part = _part(made, one, way, before)
        everything.written(kind, [part])
    except GitError as error:
        made.stack.tip = before
        return LeftOut(number, error.code, error.sentence)
    made.parts.append(part)
    made.tips.append(made.stack.tip)
    return None


def _carry(made: _Made, number: int, way: Way) -> tuple[str, ...]:
    """What an attempt was made on top of goes before it by itself, whichever way that is fixed here."""
    name = made.branch.repository.name
    source = open_results(results_path(name, number), mirror_path(name))
    base = way.base
    if way.attempt and way.needs and set(way.needs) <= made.placed:
        base = _ground(source, way) or base
    return made.stack.carry(source, base, way.tip)


def _ground(source: pygit2.Repository, way: Way) -> str:
    assert way.attempt is not None  # noqa: S101 - the caller asked
    for number in reversed(way.needs):
        try:
            return str(commit_at(source, ground_ref(way.attempt.pk, number)).id)
        except GitError:
            continue
    return ""


def _in_the_way(paths: Sequence[str]) -> str:
    names = [path.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for path in paths]
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return f"Something before it, or the branch since, changed the same lines of {', '.join(names[:MANY])}{more}."


def _part(made: _Made, one: Lacked, way: Way, before: str) -> Part:
    repo, after = made.stack.repo, made.stack.tip
    tree = str(commit_at(repo, after).tree.id)
    plain = [parse_patch(mail) for mail in format_series(repo, before, after, renames=False)]
    series = _series(made.branch, one, way, tree)
    return Part(
        series=series,
        about=_dep3(made.branch, one, way),
        way=_way(way),
        mails=format_series(repo, before, after),
        patches=plain,
        notes=[note for number in sorted({one.advisory.number, *way.needs}) for note in made.notes.get(number, ())],
    )


def _way(way: Way) -> str:
    if way.attempt:
        return "own attempt"
    return "approved backport" if way.approved else "shared backport"


def _series(branch: Branch, one: Lacked, way: Way, tree: str) -> manifest.Series:
    if way.version:
        return replace(about(way.version, tree, reviews=way.reviews), origin=_origin(branch, way))
    assert way.attempt is not None  # noqa: S101 - exactly one of the two is set
    return manifest.Series(
        advisory=one.advisory.number,
        branch=branch.name,
        repository=branch.repository.name,
        base=way.attempt.tip,
        tree=tree,
        origin=_origin(branch, way),
        verdict=verdict_of(way.attempt),
        prerequisites=tuple(f"XSA-{number}" for number in way.needs),
    )


def _origin(branch: Branch, way: Way) -> str:
    if way.version:
        return f"backport of {way.version.backport.organisation.name}, v{way.version.number}"
    return f"result of our attempt on {branch.name}"


def _dep3(branch: Branch, one: Lacked, way: Way) -> dep3.About:
    made = way.version.made_at if way.version else way.attempt.finished_at if way.attempt else None
    return dep3.About(
        advisory=one.advisory.number,
        branch=branch.name,
        origin=f"backport, {_origin(branch, way)}",
        updated=(made or branch.tip_date).date(),
    )


def _taken(made: _Made, kind: str) -> Taken:
    branch = made.branch
    numbers = sorted({number for one in made.parts for number in (one.series.advisory, *_numbers(one))})
    notes = [note for number in numbers for note in made.notes.get(number, ())]
    data = everything.written(kind, made.parts, notes)
    where = _where(made, branch.tip, made.stack.tip)
    tree = again.check(data, kind, where)
    name = f"{where.name}{SUFFIXES[kind]}"
    told = manifest.Series(
        0, branch.name, branch.repository.name, branch.tip, tree, "", manifest.Verdict(""), notes=tuple(notes)
    )
    return Taken(name, data, everything.as_json(told, name, kind, data, made.parts, made.left_out))


def _numbers(part: Part) -> list[int]:
    """The advisories that it was made on top of."""
    return [int(name.removeprefix("XSA-")) for name in part.series.prerequisites if name.startswith("XSA-")]


def _where(made: _Made, base: str, tip: str) -> mbox.Result:
    branch = made.branch
    repository = Path(made.stack.repo.path)
    stem = f"{branch.repository.name}-{branch.name}-missing"
    return mbox.Result(stem, repository, mirror_path(branch.repository.name), base, tip)


def _damaged(made: _Made, kind: str) -> dict[int, LeftOut]:
    """The parts that do not give their own result again, with why: they spoil the file that holds them all."""
    found = {}
    for part, before, after in zip(made.parts, [made.branch.tip, *made.tips], made.tips, strict=False):
        try:
            again.check(everything.written(kind, [part]), kind, _where(made, before, after))
        except GitError as error:
            found[part.series.advisory] = LeftOut(part.series.advisory, error.code, error.sentence)
    return found
