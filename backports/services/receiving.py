"""Patches that members send: the bytes are kept, what they are for is proposed and then said, and a version is made.

Nothing is refused because it does not apply; what cannot be read is kept as it came, with why.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from backports.engine import lineage
from backports.engine.intake import MAX_UPLOAD, Arrived, Intake, Note, Refused, read
from backports.engine.suspects import Suspect
from backports.git.intended import Sure, intended
from backports.models import Attempt, Backport, BackportVersion, Branch, Upload, VersionPatch
from backports.models.upload import CameBy
from xsa import audit
from xsa.models import Advisory, Organisation, User
from xsa.permissions import can_backport, demand

from . import claiming, commenting, events, evidence, reviewing
from .errors import NotDone
from .evidence import text
from .kinships import with_official
from .places import version_ref
from .proposing import propose
from .turns import take_turn
from .verdicts import Verdict, judge, official_fix

log = logging.getLogger(__name__)
Life = Backport.Life


@dataclass(frozen=True, slots=True)
class Received:
    """What came of an upload: a version, `created` unless it was there already, or none and the upload says why."""

    upload: Upload
    version: BackportVersion | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """What a version derives from, as somebody says: another version, or an attempt's result; and their note.

    `siblings` is what became of it on other branches (`services.siblings`), where that was tried.
    """

    version: BackportVersion | None = None
    attempt: Attempt | None = None
    note: str = ""
    siblings: Sequence[dict[str, Any]] = ()

    @property
    def builds_on(self) -> list[int]:
        """The numbers of further advisories whose patches are in it."""
        found = set(self.attempt.prerequisites if self.attempt else ())
        return sorted(found | set(self.version.backport.prerequisites if self.version else ()))


NOWHERE = Origin()


@transaction.atomic
def receive(
    actor: User, *, organisation: Organisation, name: str, data: bytes, came_by: str = CameBy.BROWSER
) -> Upload:
    """Keep what was sent, with a proposal of what it is for, or with why it cannot be read.

    The same bytes again from the same person give the upload that is there. Raises PermissionDenied.
    """
    demand(can_backport(actor, organisation))
    digest = hashlib.sha256(data).hexdigest()
    same = Upload.objects.filter(organisation=organisation, made_by=actor, sha256=digest, name=text(name)[:300])
    if (known := same.filter(advisory=None).first()) is not None:
        return known
    upload = Upload(
        organisation=organisation,
        made_by=actor,
        made_at=timezone.now(),
        came_by=came_by,
        name=text(name)[:300],
        size=len(data),
        sha256=digest,
        data=data if len(data) <= MAX_UPLOAD else b"",
    )
    try:
        upload.proposal = propose(actor, read(name, data), name)
    except Refused as error:
        upload.problem_code, upload.problem = error.code, text(error.sentence)
    upload.save(force_insert=True)
    log.info("upload kept upload=%s bytes=%d code=%s", upload.pk, upload.size, upload.problem_code or "none")
    audit.record("uploaded", actor=actor, thing=upload, organisation=organisation, code=upload.problem_code)
    return upload


@transaction.atomic
def confirm(actor: User, *, upload: Upload, advisory: Advisory, branch: Branch, origin: Origin = NOWHERE) -> Received:
    """Make a version of an upload, of its organisation's backport of `advisory` on `branch`, with the verdict.

    What the open backport holds already is not made again. `advisory`, `branch` and `origin` are such as the actor may
    see. Raises PermissionDenied, and NotDone where it was said before that it is for something else.
    """
    demand(can_backport(actor, upload.organisation))
    _place(upload, advisory, branch, origin)
    if upload.problem_code:
        return Received(upload)
    intake = read(upload.name, bytes(upload.data))
    digest = content_digest(intake.patches)
    if (known := _held(upload, digest)) is not None:
        return Received(upload, known)
    pk = uuid.uuid4()
    weighed = _weigh(upload, intake, pk)
    if origin.siblings:
        weighed["evidence"] = {**weighed["evidence"], "siblings": list(origin.siblings)}
    backport = _open_backport(actor, upload, origin)
    if (known := backport.versions.filter(digest=digest).first()) is not None:
        return Received(upload, known)
    version = _made(actor, backport, upload, origin, pk=pk, digest=digest, **weighed)
    _write(backport, version, intake)
    claiming.uploaded(actor, backport=backport)
    _tell(actor, backport, version)
    return Received(upload, version, created=True)


def submit(
    actor: User,
    *,
    organisation: Organisation,
    name: str,
    data: bytes,
    advisory: Advisory,
    branch: Branch,
    came_by: str = CameBy.REST,
    origin: Origin = NOWHERE,
) -> Received:
    """Receive and confirm in one, for whoever says at once what it is for. Raises PermissionDenied."""
    # Others can write records while this one is tried.
    with transaction.atomic(), audit.at_the_end():
        upload = receive(actor, organisation=organisation, name=name, data=data, came_by=came_by)
        return confirm(actor, upload=upload, advisory=advisory, branch=branch, origin=origin)


def content_digest(patches: Sequence[Arrived]) -> str:
    """A digest of the patches in order, in whatever they were packed."""
    found = hashlib.sha256()
    for one in patches:
        found.update(b"%d %d\n" % (-1 if one.strip is None else one.strip, len(one.data)) + one.data)
    return found.hexdigest()


def _place(upload: Upload, advisory: Advisory, branch: Branch, origin: Origin) -> None:
    """Once: what came for an embargoed advisory never becomes another's, whose readers are others. For these the other
    advisories of the proposal may not exist.
    """
    told = [one for one in upload.proposal.get("advisories", []) if one["number"] == advisory.number]
    proposal = {**upload.proposal, "advisories": told} if upload.proposal else {}
    values = {"advisory": advisory, "branch": branch, "proposal": proposal, "prerequisites": origin.builds_on}
    placed = Upload.objects.filter(pk=upload.pk, advisory=None).update(**values)
    if not placed and not Upload.objects.filter(pk=upload.pk, advisory=advisory, branch=branch).exists():
        raise NotDone("placed", "It was said before what this is for. Send it again for something else.")
    upload.advisory, upload.branch = advisory, branch
    if placed:
        upload.proposal = proposal


def _held(upload: Upload, digest: str) -> BackportVersion | None:
    rows = BackportVersion.objects.filter(
        backport__organisation=upload.organisation,
        backport__advisory=upload.advisory,
        backport__branch=upload.branch,
        backport__life__in=(Life.DRAFT, Life.SHARED),
        digest=digest,
    )
    return rows.select_related("backport").first()


def _weigh(upload: Upload, intake: Intake, pk: uuid.UUID) -> dict[str, Any]:
    """The verdict and everything else that is said of the patches themselves, as columns of a version."""
    advisory, branch = upload.advisory, upload.branch
    assert advisory is not None and branch is not None  # noqa: S101 - it was placed
    official = official_fix(advisory, branch)
    verdict = judge(branch, intake.parsed, official=official, number=advisory.number, ref=version_ref(pk))
    return {
        "compared": with_official(official, intake.parsed),
        "hunk_keys": list(lineage.of(intake.parsed).hunk_keys),
        "marks": [_mark(one) for one in intake.suspects],
        "notes": [
            {"code": one.code, "sentence": text(one.sentence)} for one in (*intake.notes, *_strange(upload, intake))
        ],
        **_columns(verdict),
    }


def _strange(upload: Upload, intake: Intake) -> Iterator[Note]:
    """That the patches name another advisory or branch than they were sent for, as surely as they name any; an advisory
    that there is like one that there is not, since the version's readers may not know.
    """
    said = intended(upload.name, intake.patches, set()).advisories
    advisories = [int(one.value) for one in said if one.sure > Sure.MENTIONED and one.sure == said[0].sure]
    branches = [one["name"] for one in upload.proposal.get("branches", []) if one["named"]]
    for noun, named, meant in (
        ("advisory", advisories, upload.advisory.number if upload.advisory else 0),
        ("branch", branches, upload.branch.name if upload.branch else ""),
    ):
        if named and meant not in named:
            others = ", ".join(str(one) for one in named)
            yield Note(f"other-{noun}", f"It was sent for {noun} {meant} and names {others}.")


def _open_backport(actor: User, upload: Upload, origin: Origin) -> Backport:
    """The organisation's open backport of the cell, locked: of two who upload at once, one goes after the other."""
    cell = {"advisory": upload.advisory, "branch": upload.branch, "organisation": upload.organisation}
    values = {"started_by": actor, "started_at": timezone.now()}
    row, _ = Backport.objects.get_or_create(**cell, life__in=(Life.DRAFT, Life.SHARED), defaults=values)
    row = Backport.objects.select_for_update(of=("self",)).select_related("advisory", "branch").get(pk=row.pk)
    if not row.is_open:
        raise NotDone("closed", "The backport was closed just now. Send it again to begin another.")
    row.prerequisites = sorted({*row.prerequisites, *origin.builds_on})
    return row


def _made(actor: User, backport: Backport, upload: Upload, origin: Origin, **columns: Any) -> BackportVersion:
    last = backport.versions.order_by("-number").values_list("number", flat=True).first()
    return BackportVersion(
        backport=backport,
        number=(last or 0) + 1,
        made_by=actor,
        made_at=timezone.now(),
        note=text(origin.note),
        came_by=upload.came_by,
        upload=upload,
        derived_from=origin.version,
        derived_attempt=origin.attempt,
        **columns,
    )


def _write(backport: Backport, version: BackportVersion, intake: Intake) -> None:
    take_turn()
    version.save(force_insert=True)
    VersionPatch.objects.bulk_create(
        VersionPatch(version=version, position=at, **_patch(one)) for at, one in enumerate(intake.patches)
    )
    Backport.objects.filter(pk=backport.pk).update(current=version, prerequisites=backport.prerequisites)
    backport.current = version
    reviewing.carry(version, intake.parsed)
    commenting.carry(version, intake.parsed)


def _mark(one: Suspect) -> dict[str, Any]:
    told = {**asdict(one), "why": one.why.value, "sentence": one.sentence}
    return {key: text(value) if isinstance(value, str) else value for key, value in told.items()}


def _columns(verdict: Verdict) -> dict[str, Any]:
    result = verdict.result
    done, total = evidence.landed(result) if result else (0, 0)
    return {
        "base": verdict.base,
        "outcome": verdict.outcome.value,
        "rung": (result.rung or "") if result else "",
        "confidence": (result.confidence or "") if result else "",
        "hunks_landed": done,
        "hunks_total": total,
        "result": verdict.made,
        "evidence": verdict.evidence,
        "problem_code": verdict.problem_code,
        "problem": text(verdict.problem),
        "duration_ms": verdict.duration_ms,
    }


def _patch(one: Arrived) -> dict[str, Any]:
    return {
        "name": text(one.name)[:300],
        "subject": text(one.patch.subject),
        "patch_id": lineage.patch_id(one.patch.files),
        "strip": one.strip,
        "data": one.data,
    }


def _tell(actor: User, backport: Backport, version: BackportVersion) -> None:
    log.info("version made version=%s outcome=%s ms=%d", version.pk, version.outcome, version.duration_ms)
    shared = backport.life == Life.SHARED
    audit.record(
        "backport-uploaded",
        actor=actor,
        advisory=backport.advisory,
        advisories=backport.prerequisites,
        thing=backport,
        organisation=backport.organisation,
        number=version.number,
    )
    events.tell(
        events.BACKPORT_VERSION,
        advisory=backport.advisory,
        branch=backport.branch,
        thing=version.pk,
        builds_on=backport.prerequisites,
        organisation=backport.organisation,
        shared=shared,
    )
