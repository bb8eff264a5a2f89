"""Takes in what Xen publishes, byte for byte, and tells what is new.

A second ingest of the same bytes changes nothing; a new version of an advisory becomes a
new version with what changed; what cannot be read or does not fit is kept, named and shown.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from xsa import audit
from xsa.formats.advisory import parse_advisory
from xsa.formats.bundle import Bundle, BundleFile, read_bundle
from xsa.formats.errors import FormatError, Problem
from xsa.formats.index import IndexEntry, read_index
from xsa.formats.layout import split_directory
from xsa.formats.recipes import Recipe
from xsa.models import Advisory, AdvisoryVersion, Fix, FixPatch, PatchFile, User

from .changes import what_changed
from .disclose import disclose
from .fixes import drop_fixes
from .plans import announce_listed, note_plan

log = logging.getLogger(__name__)
HOME_TREE = "xen"
INDEX = "xsa.json"


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the files of one advisory, or of those (`number` None) that belong to none.

    `state` is `new`, `new-version`, `completed` (a known version got more files),
    `unchanged` or `kept` (not understood, but kept).
    """

    number: int | None
    version: int | None
    state: str
    problems: tuple[Problem, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether attempts may come out differently now."""
        return self.state in {"new", "new-version", "completed"}


def ingest_files(
    actor: User | None,
    *,
    files: Mapping[str, bytes],
    tree: str = HOME_TREE,
    planned: datetime | None = None,
    certs: Sequence[bytes] = (),
    newest: str | None = None,
    releases: Mapping[str, date] | None = None,
) -> list[Ingested]:
    """Take in files named as Xen publishes them; each advisory in a transaction of its own.

    `tree` is the project that "xen" in the texts means, `planned` the planned disclosure of
    whatever is new (a new version moves the date to it), `certs` the keys whose signature counts.
    `releases` (branch to date of its first release), and else `newest`, end ranges that begin at xen-unstable.
    An `xsa.json` among the files discloses what it lists as public, and announces what it lists before its release.
    Advisories are embargoed otherwise.
    """
    entries = {entry.number: entry for name in files for entry in _index(name, files[name])}
    groups = by_advisory(files)
    results = []
    for number in sorted(groups, key=lambda key: (key is None, key or 0)):
        part = groups[number]
        if number is None:
            results += _keep_unread(actor, part)
            continue
        results += _Ingest(actor, tree, planned, certs, newest, releases or {}).advisory(number, part)
    _disclose_listed(actor, entries)
    announce_listed(entries.values(), now=timezone.now())
    return results


def by_advisory(files: Mapping[str, bytes]) -> dict[int | None, dict[str, bytes]]:
    """The files of each advisory, by their names, or by the header of a text whose name tells nothing."""
    groups: dict[int | None, dict[str, bytes]] = {}
    for number, names in split_directory(files).items():
        for name in names:
            own = number if number is not None else _number_within(files[name])
            groups.setdefault(own, {})[name] = files[name]
    return groups


def _number_within(data: bytes) -> int | None:
    try:
        return parse_advisory(data).number
    except FormatError:
        return None


def _index(name: str, data: bytes) -> Iterable[IndexEntry]:
    if not name.endswith(INDEX):
        return ()
    try:
        return read_index(data).entries
    except FormatError:
        return ()


def _disclose_listed(actor: User | None, entries: Mapping[int, IndexEntry]) -> None:
    now = timezone.now()
    for advisory in Advisory.objects.filter(number__in=entries, disclosed_at=None):
        entry = entries[advisory.number]
        public = entry.public_time
        # A list that was fetched before the release names a date that may have been moved since.
        if entry.released and public is not None and public <= now:
            disclose(actor, advisory=advisory, reason="listed as public in xsa.json", at=public)


@transaction.atomic
def _keep_unread(actor: User | None, files: Mapping[str, bytes]) -> list[Ingested]:
    """Files that name no advisory: `xsa.json`, and what nobody can place."""
    results, new = [], 0
    for name, data in sorted(files.items()):
        kind = PatchFile.Kind.INDEX if name.endswith(INDEX) else PatchFile.Kind.OTHER
        problems = _unread_problems(name, data)
        kept = _keep(None, name, data, kind, problems)
        new += kept
        if kept and problems:
            results.append(Ingested(None, None, "kept", problems))
    if new:
        audit.record("files-kept", actor=actor, files=new)
    return results


def _unread_problems(name: str, data: bytes) -> tuple[Problem, ...]:
    if not name.endswith(INDEX):
        sentence = "Nothing in its name or content tells which advisory it belongs to. Name it xsaNNN-4.X.patch."
        return (Problem("no-advisory", sentence, name),)
    try:
        return read_index(data).problems
    except FormatError as error:
        return (Problem(error.code, error.sentence, name),)


def _keep(version: AdvisoryVersion | None, name: str, data: bytes, kind: str, problems: Sequence[Problem]) -> bool:
    """Store a file unless the same bytes are there under the same name; returns whether it is new."""
    sha256 = hashlib.sha256(data).hexdigest()
    name = name.encode("utf-8", "replace").decode()[-300:].replace("\0", "\u2400")
    if PatchFile.objects.filter(version=version, name=name, sha256=sha256).exists():
        return False
    PatchFile.objects.create(
        version=version,
        name=name,
        kind=kind,
        sha256=sha256,
        size=len(data),
        data=data,
        problems=[as_json(problem) for problem in problems],
    )
    return True


def as_json(problem: Problem) -> dict[str, str]:
    """A problem as pages and JSON columns hold it."""
    return {"code": problem.code, "sentence": problem.sentence, "file": problem.file}


@dataclass(frozen=True, slots=True)
class _Ingest:
    actor: User | None
    tree: str
    planned: datetime | None
    certs: Sequence[bytes]
    newest: str | None
    releases: Mapping[str, date]

    @transaction.atomic
    @audit.at_the_end()
    def advisory(self, number: int, files: Mapping[str, bytes]) -> list[Ingested]:
        """One advisory's files, and a record of what became of them."""
        results = self.take(number, files)
        states = sorted({one.state for one in results if one.state != "unchanged"})
        if states:
            audit.record("ingested", actor=self.actor, advisories=[number], states=states, files=len(files))
        return results

    def take(self, number: int, files: Mapping[str, bytes]) -> list[Ingested]:
        """Into its version, or beside it when they contradict what is there."""
        advisory = Advisory.objects.select_for_update().filter(number=number).first()
        bundle = self.read(number, files)
        if advisory is not None and not advisory.embargoed and self.planned and self.planned > timezone.now():
            return self.too_late(number, bundle)
        version = self.version_of(advisory, bundle)
        if version is None:
            return [self.first(advisory, number, bundle)]
        aside = self.contradictions(version, bundle)
        for file in aside:
            _keep(None, file.name, file.data, file.kind, file.problems)
        return [
            self.complete(version, number, bundle, {file.name for file in aside}),
            *(Ingested(number, version.number, "kept", file.problems) for file in aside),
        ]

    def too_late(self, number: int, bundle: Bundle) -> list[Ingested]:
        """What is meant to be embargoed never joins what is disclosed: it is put aside, for a person to decide."""
        sentence = (
            f"XSA-{number} is disclosed here, so its files would be public at once; but their disclosure is planned "
            "for later. They were put aside. Ingest them without a planned date if they are public."
        )
        problem = Problem("disclosed-already", sentence)
        for file in bundle.files:
            _keep(None, file.name, file.data, file.kind, [*file.problems, problem])
        return [Ingested(number, None, "kept", (problem,))]

    def read(self, number: int, files: Mapping[str, bytes]) -> Bundle:
        return read_bundle(files, certs=self.certs, newest=self.newest, releases=self.releases, number=number)

    def version_of(self, advisory: Advisory | None, bundle: Bundle) -> AdvisoryVersion | None:
        """The stored version that the files are of; without a text, the current one."""
        if advisory is None:
            return None
        if bundle.text is not None:
            return advisory.versions.filter(number=bundle.text.version).first()
        current = advisory.current
        return current if current is not None and current.number > 0 else None

    def first(self, advisory: Advisory | None, number: int, bundle: Bundle) -> Ingested:
        """A version that was not known."""
        state = "new" if advisory is None or advisory.current is None else "new-version"
        if advisory is None:
            advisory = Advisory.objects.create(number=number)
        version = AdvisoryVersion(advisory=advisory, number=bundle.text.version if bundle.text else 1)
        self.write(version, bundle)
        for file in bundle.files:
            _keep(version, file.name, file.data, file.kind, file.problems)
        store_fixes(version, bundle.recipes, tree=self.tree)
        if advisory.current is None or advisory.current.number < version.number:
            version.changes = what_changed(advisory.current, version)
            version.save(update_fields=["changes"])
            advisory.current = version
            advisory.save(update_fields=["current"])
            if self.planned and advisory.embargoed:
                note_plan(self.actor, advisory=advisory, at=self.planned)
        log.info("advisory version kept advisory=%s version=%d state=%s", advisory.pk, version.number, state)
        return Ingested(number, version.number, state, bundle.problems)

    def write(self, version: AdvisoryVersion, bundle: Bundle) -> None:
        """Without a text the title and CVEs stay those that are known, from commits for instance."""
        text, known = bundle.text, version.advisory.current
        version.title = text.title[:500] if text else known.title if known else ""
        version.cves = list(text.cves) if text else known.cves if known else []
        version.sections = [list(section) for section in text.sections] if text else []
        version.deployment = text.deployment if text else "unknown"
        version.signature = bundle.signature.state if text else ""
        version.signer = bundle.signature.fingerprint[:64] if text else ""
        version.problems = [as_json(problem) for problem in bundle.problems]
        version.digest = digest_of(bundle.files)
        version.save()

    def contradictions(self, version: AdvisoryVersion, bundle: Bundle) -> list[BundleFile]:
        """Files that a version has already, under the same name, with other bytes."""
        stored = dict(version.files.values_list("name", "sha256"))
        odd = [file for file in bundle.files if stored.get(file.name, file.sha256) != file.sha256]
        sentence = (
            f"Version {version.number} of this advisory was received before with other content under this name. "
            "The first one stands; send the new one with a higher version."
        )
        return [
            replace(file, problems=(*file.problems, Problem("two-advisories", sentence, file.name))) for file in odd
        ]

    def complete(self, version: AdvisoryVersion, number: int, bundle: Bundle, aside: set[str]) -> Ingested:
        """Add what a known version lacked, and read the whole anew."""
        stored = {file.name for file in version.files.only("name")}
        fresh = [file for file in bundle.files if file.name not in stored | aside]
        if not fresh:
            return Ingested(number, version.number, "unchanged")
        files = {file.name: bytes(file.data) for file in version.files.all()}
        whole = self.read(number, files | {file.name: file.data for file in fresh})
        self.write(version, whole)
        for file in fresh:
            _keep(version, file.name, file.data, file.kind, file.problems)
        store_fixes(version, whole.recipes, tree=self.tree)
        return Ingested(number, version.number, "completed", whole.problems)


def digest_of(files: Iterable[BundleFile]) -> str:
    """A digest over names and contents."""
    lines = sorted(f"{file.sha256} {file.name}" for file in files)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


@transaction.atomic
def note_problem(file: PatchFile, problem: Problem) -> None:
    """Add to a kept file what was found wrong with it later, once."""
    found = as_json(problem)
    if found not in file.problems:
        file.problems = [*file.problems, found]
        file.save(update_fields=["problems"])


def store_fixes(version: AdvisoryVersion, recipes: Sequence[Recipe], *, tree: str) -> None:
    """The version's fixes, one per branch and tree, in place of those it had."""
    drop_fixes(version)
    files = {file.name: file for file in version.files.defer("data")}
    for recipe in recipes:
        chosen = [files[name] for name in recipe.files if name in files]
        contents = [*(file.sha256 for file in chosen), *(problem.code for problem in recipe.problems)]
        fix = Fix.objects.create(
            version=version,
            branch=recipe.branch,
            tree=tree if recipe.tree == HOME_TREE else recipe.tree,
            origin=recipe.origin,
            stable_ref=recipe.stable_ref or "",
            prerequisites=list(recipe.prereqs),
            problems=[as_json(problem) for problem in recipe.problems],
            digest=hashlib.sha256(" ".join(contents).encode()).hexdigest(),
        )
        FixPatch.objects.bulk_create(
            FixPatch(fix=fix, position=position, file=file) for position, file in enumerate(chosen)
        )
