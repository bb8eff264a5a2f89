"""Builds the demo's git repository: the same bytes, and so the same commit ids, every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from .branches import OWN
from .edits import MAINTAINER, Change, Files, Person, apply, replace
from .fixes import FIXES, Fix
from .mainline import DEVELOPMENT, IMPORT, RELEASES

FIRST_COMMIT = datetime(2016, 1, 4, 10, tzinfo=UTC)
FIRST_FIX = datetime(2020, 6, 2, 12, tzinfo=UTC)
BETWEEN_COMMITS = timedelta(days=40)
BETWEEN_FIXES = timedelta(days=91)


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """One patch of a fix on one branch: the files before and after, and the commit's oid when it is public."""

    change: Change
    message: str
    before: Files
    after: Files
    when: datetime
    oid: str | None


@dataclass(frozen=True, slots=True)
class DemoRepository:
    """The bare repository at `path`; `branches` maps `4.1` … `4.8` and `master` to their tips.

    `fixes` holds every fix by advisory number and branch, the embargoed ones too: those are in no object of the
    repository. `changes` maps the keys of mainline changes to their commits, `stable_refs` a fix and branch to the
    commit that the fix was made on.
    """

    path: Path
    branches: Mapping[str, str]
    fixes: Mapping[tuple[int, str], tuple[AppliedChange, ...]] = field(repr=False)
    changes: Mapping[str, str] = field(repr=False)
    stable_refs: Mapping[tuple[int, str], str] = field(repr=False)


@dataclass(slots=True)
class _Line:
    """A branch that grows."""

    files: Files
    tip: str


class _Builder:
    """Writes commits, remembering what was written."""

    def __init__(self, path: Path) -> None:
        self.repo = pygit2.init_repository(str(path), bare=True, initial_head="master")
        self.lines: dict[str, _Line] = {}
        self.changes: dict[str, str] = {}
        self.fixes: dict[tuple[int, str], tuple[AppliedChange, ...]] = {}
        self.stable_refs: dict[tuple[int, str], str] = {}
        self.now = FIRST_COMMIT
        self._blobs: dict[bytes, pygit2.Oid] = {}

    def _tree(self, files: Files) -> pygit2.Oid:
        index = pygit2.Index()
        for path, data in sorted(files.items()):
            oid = self._blobs.get(data)
            if oid is None:
                oid = self._blobs[data] = self.repo.create_blob(data)
            index.add(pygit2.IndexEntry(path, oid, FileMode.BLOB))
        return index.write_tree(self.repo)

    def commit(self, line: _Line, files: Files, message: str, author: Person, when: datetime) -> str:
        """Appends a commit to `line`; its oid."""
        parents = [pygit2.Oid(hex=line.tip)] if line.tip else []
        written = _signature(author, when)
        committed = _signature(MAINTAINER, when + timedelta(minutes=15))
        tree = self._tree(files)
        line.tip = str(self.repo.create_commit(None, written, committed, message, tree, parents))
        line.files = files
        return line.tip

    def develop(self, line: _Line, change: Change) -> None:
        """Appends a change of ordinary development, at the next date."""
        message = compose(change, ())
        oid = self.commit(line, apply(change.edits, line.files), message, change.author, self.now)
        if change.key:
            self.changes[change.key] = oid
        self.now += BETWEEN_COMMITS

    def version(self, line: _Line, old: str, new: str, when: datetime) -> None:
        """Appends a commit that sets the version, and tags it when it is a release."""
        change = Change(f"Set the version to {new}", "", (replace("Makefile", f"= {old}\n", f"= {new}\n"),), MAINTAINER)
        self.commit(line, apply(change.edits, line.files), compose(change, ()), MAINTAINER, when)
        if not new.endswith("-rc"):
            self._tag(f"RELEASE-{new}", line.tip, when)

    def _tag(self, name: str, oid: str, when: datetime) -> None:
        if f"refs/tags/{name}" in self.repo.references:
            return
        tagger = _signature(MAINTAINER, when + timedelta(minutes=30))
        self.repo.create_tag(name, pygit2.Oid(hex=oid), ObjectType.COMMIT, tagger, f"Toyvisor {name[8:]}\n")

    def release(self, release: str) -> None:
        """Forks the branch of `release` from master, with its own first changes, and opens the next on master."""
        master = self.lines["master"]
        branch = self.lines[release] = _Line(dict(master.files), master.tip)
        when = self.now
        self.version(branch, f"{release}-rc", f"{release}.0", when)
        for change in OWN[release]:
            when += timedelta(days=30)
            files = apply(change.edits, branch.files)
            self.commit(branch, files, compose(change, ()), change.author, when)
        self.version(branch, f"{release}.0", f"{release}.1", when + timedelta(days=10))
        upcoming = f"4.{int(release[2:]) + 1}-rc"
        self.version(master, f"{release}-rc", upcoming, self.now + timedelta(days=1))

    def fix(self, fix: Fix, when: datetime) -> None:
        """Makes a fix for each of its branches; commits it where it is public."""
        for branch in fix.branches:
            self.stable_refs[fix.number, branch] = self.lines[branch].tip
            self.fixes[fix.number, branch] = tuple(self._patches(fix, branch, when))
            when += timedelta(hours=1)

    def _patches(self, fix: Fix, branch: str, when: datetime) -> list[AppliedChange]:
        line, files, applied = self.lines[branch], self.lines[branch].files, []
        for position, change in enumerate(fix.for_branch(branch)):
            after = apply(change.edits, files)
            moment = when + timedelta(minutes=position)
            message = compose(change, self._trailers(fix, branch, change), fix)
            oid = None
            if branch in fix.public:
                oid = self.commit(line, after, message, change.author, moment)
            applied.append(AppliedChange(change, message, files, after, moment, oid))
            files = after
        return applied

    def _trailers(self, fix: Fix, branch: str, change: Change) -> tuple[str, ...]:
        trailers = []
        if fix.introduced_by:
            trailers.append(f"Fixes: {self.changes[fix.introduced_by]}")
        trailers += [f"Signed-off-by: {change.author}", f"Reviewed-by: {MAINTAINER}"]
        if branch != "master" and branch in fix.public:
            trailers += self._origin(fix, change)
        return tuple(trailers)

    def _origin(self, fix: Fix, change: Change) -> list[str]:
        if change.key:
            return [f"master commit: {self.changes[change.key]}"]
        return [
            line
            for applied in self.fixes[fix.number, "master"]
            if applied.change.subject == change.subject
            for line in (f"master commit: {applied.oid}", f"master date: {applied.when:%Y-%m-%d %H:%M:%S} +0000")
        ]


def _signature(person: Person, when: datetime) -> pygit2.Signature:
    return pygit2.Signature(person.name, person.email, int(when.timestamp()), 0)


def compose(change: Change, trailers: tuple[str, ...], fix: Fix | None = None) -> str:
    """A commit message; that of a fix names its advisory."""
    parts = [change.subject]
    if change.body:
        parts.append(change.body)
    if fix:
        part = "part of " if len(fix.series) > 1 else ""
        parts.append(f"This is {part}XSA-{fix.number} / {cve(fix.number)}.")
    parts.append("\n".join(trailers or (f"Signed-off-by: {change.author}",)))
    return "\n\n".join(parts) + "\n"


def cve(number: int) -> str:
    """The fictional CVE id of a demo advisory."""
    return f"CVE-2099-{number:04d}"


def fixed_at(number: int) -> datetime:
    """When the fix of a demo advisory was committed on master; its advisory was disclosed at that moment."""
    return FIRST_FIX + BETWEEN_FIXES * (number - 901)


def build_repository(path: Path) -> DemoRepository:
    """Writes the bare repository at `path`, with the same oids every time; writing it again changes nothing."""
    builder = _Builder(path)
    master = builder.lines["master"] = _Line({}, "")
    for change in IMPORT:
        builder.develop(master, change)
    for release in RELEASES:
        builder.release(release)
        following = RELEASES.index(release) + 1
        for change in DEVELOPMENT[RELEASES[following] if following < len(RELEASES) else "master"]:
            builder.develop(master, change)
    for fix in FIXES:
        builder.fix(fix, fixed_at(fix.number))
    _write_refs(builder)
    branches = {name: line.tip for name, line in builder.lines.items()}
    return DemoRepository(path, branches, builder.fixes, builder.changes, builder.stable_refs)


def _write_refs(builder: _Builder) -> None:
    for name, line in builder.lines.items():
        names = ("master", "staging") if name == "master" else (f"stable-{name}", f"staging-{name}")
        for ref in names:
            builder.repo.references.create(f"refs/heads/{ref}", line.tip, force=True)
