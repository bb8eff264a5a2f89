"""Reviews of backports: given, kept as a draft when the version was replaced meanwhile, stale, counted."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from backports.engine.diff import Patch
from backports.engine.parts import names_of, parts_of
from backports.models import Backport, BackportVersion, Quorum, Review, ReviewDraft
from backports.models.review import USUAL_QUORUM, Verdict
from xsa import audit
from xsa.models import Advisory, Organisation, User
from xsa.permissions import can_set_quorum, can_take_part, demand

from . import events
from .contents import patches_of
from .errors import NotDone
from .evidence import text as plain
from .signing import checked
from .turns import take_turn

log = logging.getLogger(__name__)
LONGEST = 50_000  # characters of what somebody says
MOST_NEEDED = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a reviewer says. `files` are names that it is about, none for the whole series; `signature` is detached."""

    verdict: str
    text: str = ""
    tested_on: str = ""
    files: Sequence[str] = ()
    signature: str = ""


@transaction.atomic
def give(actor: User, *, version: BackportVersion, organisation: Organisation, said: Said) -> Review | ReviewDraft:
    """Review a version in the name of an organisation.

    Where a newer version took its place meanwhile, nothing is said of either and the text is kept as a draft. Raises
    PermissionDenied, NotDone.
    """
    backport = version.backport
    demand(can_take_part(actor, organisation, backport.advisory))
    _check(said)
    if _is_replaced(version):
        return _keep(actor, version, organisation, said)
    columns = _columns(version, organisation, said)
    take_turn()
    if _is_replaced(version):
        return _keep(actor, version, organisation, said)
    row = Review.objects.create(
        version=version, organisation=organisation, made_by=actor, made_at=timezone.now(), **columns
    )
    ReviewDraft.objects.filter(version__backport=backport, made_by=actor).delete()
    _tell(actor, row)
    return row


def _is_replaced(version: BackportVersion) -> bool:
    """Whether there is a newer one now. Raises NotDone where the backport was closed."""
    now = Backport.objects.get(pk=version.backport_id)
    if not now.is_open:
        raise NotDone("closed", "The backport is superseded or withdrawn: it is not reviewed any more.")
    return now.current_id != version.pk


def _check(said: Said) -> None:
    if said.verdict not in Verdict.values:
        raise NotDone("no-verdict", "Say whether you approve, ask for changes, comment, or tested it.", "verdict")
    if len(said.text) > LONGEST:
        raise NotDone("too-long", f"A review has at most {LONGEST} characters.", "text")
    if said.verdict == Verdict.TESTED and not said.tested_on.strip():
        raise NotDone("tested-on-what", "Say on which branch and hardware it was tested.", "tested_on")
    if said.verdict in (Verdict.COMMENT, Verdict.NEEDS_CHANGES) and not said.text.strip():
        raise NotDone("says-nothing", "Say what, for those who read it.", "text")
    if not one_line(said.tested_on) or len(said.tested_on) > 300:
        raise NotDone("no-line", "Say in one line of at most 300 characters on what it was tested.", "tested_on")


def one_line(value: str) -> bool:
    """Whether a text has no line break and nothing else that cannot be printed."""
    return all(char.isprintable() for char in value)


def _keep(actor: User, version: BackportVersion, organisation: Organisation, said: Said) -> ReviewDraft:
    values = {
        "advisory": version.backport.advisory,
        "organisation": organisation,
        "made_at": timezone.now(),
        "verdict": said.verdict,
        "text": plain(said.text),
        "tested_on": said.tested_on.strip(),
    }
    row, _ = ReviewDraft.objects.update_or_create(version=version, made_by=actor, defaults=values)
    _record(actor, "review-kept", version, row)
    return row


def _columns(version: BackportVersion, organisation: Organisation, said: Said) -> dict[str, Any]:
    patches, tested_on = patches_of(version), said.tested_on.strip()
    if unknown := set(said.files) - set(names_of(patches)):
        raise NotDone("no-file", f"The series does not change {min(unknown)}.", "files")
    signed = checked(
        version, verdict=said.verdict, tested_on=tested_on, signature=said.signature, organisation=organisation
    )
    return {
        "verdict": said.verdict,
        "text": plain(said.text),
        "tested_on": tested_on,
        "files": list(said.files),
        "parts": parts_of(patches, said.files),
        "signed_text": signed.text,
        "signature": signed.signature,
        "signature_kind": signed.kind,
        "signature_state": signed.state,
        "signer": signed.signer,
    }


def _record(actor: User, verb: str, version: BackportVersion, thing: Review | ReviewDraft, **detail: Any) -> None:
    backport = version.backport
    log.info("%s version=%s actor=%s", verb, version.pk, actor.pk)
    audit.record(
        verb,
        actor=actor,
        advisory=backport.advisory,
        advisories=backport.prerequisites,
        thing=thing,
        organisation=backport.organisation,
        **detail,
    )


def _tell(actor: User, row: Review) -> None:
    backport = row.version.backport
    _record(actor, "reviewed", row.version, row, verdict=row.verdict)
    events.tell(
        events.REVIEW_GIVEN,
        advisory=backport.advisory,
        branch=backport.branch,
        thing=row.pk,
        builds_on=backport.prerequisites,
        organisation=backport.organisation,
        shared=events.is_shared(backport),
    )


def drop_draft(actor: User, *, draft: ReviewDraft) -> None:
    """Throw a draft of one's own away."""
    ReviewDraft.objects.filter(pk=draft.pk, made_by=actor).delete()


def carry(version: BackportVersion, patches: Sequence[Patch]) -> None:
    """Say of each review of the backport whether what it is about is the same in this newest version."""
    known: dict[tuple[str, ...], list[str]] = {}
    for row in Review.objects.filter(version__backport=version.backport_id).exclude(version=version):
        key = tuple(row.files)
        if key not in known:
            known[key] = parts_of(patches, key)
        stale = known[key] != row.parts
        if stale != (row.stale_with_id is not None):
            Review.objects.filter(pk=row.pk).update(stale_with=version if stale else None)


@dataclass(slots=True)
class Standing:
    """How far a backport is from its room's quorum: organisations that approve its newest version, and that object.

    `needed` is how many others must approve. Only other organisations than the backport's count; `stale` are those
    whose approval was of hunks that have changed since.
    """

    needed: int
    approve: list[Organisation] = field(default_factory=list)
    object: list[Organisation] = field(default_factory=list)
    stale: list[Organisation] = field(default_factory=list)

    @property
    def met(self) -> bool:
        """Whether enough approve and nobody objects."""
        return len(self.approve) >= self.needed and not self.object


def needed(advisory: Advisory | UUID) -> int:
    """How many other organisations must approve."""
    pk = advisory if isinstance(advisory, UUID) else advisory.pk
    found = Quorum.objects.filter(advisory=pk).values_list("needed", flat=True).first()
    return USUAL_QUORUM if found is None else found


def standings(backports: Iterable[Backport], reviews: Iterable[Review]) -> dict[UUID, Standing]:
    """Of each backport how it stands by these reviews, which hold their organisation; two queries at most.

    A person's latest word counts; of an organisation's people one who objects outweighs those who approve.
    """
    rows = list(backports)
    numbers = dict(
        Quorum.objects.filter(advisory__in={row.advisory_id for row in rows}).values_list("advisory", "needed")
    )
    found = {row.pk: Standing(numbers.get(row.advisory_id, USUAL_QUORUM)) for row in rows}
    owners = {row.pk: row.organisation_id for row in rows}
    latest: dict[tuple[UUID, UUID, UUID], Review] = {}
    for review in sorted(reviews, key=lambda one: one.made_at):
        if review.verdict in (Verdict.APPROVE, Verdict.NEEDS_CHANGES):
            latest[review.version.backport_id, review.organisation_id, review.made_by_id] = review
    for pk in found:
        words = [one for (of, _, _), one in latest.items() if of == pk and one.organisation_id != owners[pk]]
        _count(found[pk], words)
    return found


def _count(standing: Standing, words: Sequence[Review]) -> None:
    by: dict[UUID, list[Review]] = {}
    for one in words:
        by.setdefault(one.organisation_id, []).append(one)
    for said in by.values():
        fresh = [one for one in said if one.stale_with_id is None]
        place = (
            standing.object
            if any(one.verdict == Verdict.NEEDS_CHANGES for one in fresh)
            else standing.approve
            if fresh
            else standing.stale
        )
        place.append(said[0].organisation)


@transaction.atomic
def set_quorum(actor: User, *, advisory: Advisory, needed: int) -> Quorum:
    """Say how many other organisations must approve backports of this advisory. Raises PermissionDenied, NotDone."""
    demand(can_set_quorum(actor))
    if not 1 <= needed <= MOST_NEEDED:
        raise NotDone("bad-quorum", f"A quorum is 1 to {MOST_NEEDED} organisations.", "needed")
    values = {"needed": needed, "set_by": actor, "set_at": timezone.now()}
    row, _ = Quorum.objects.update_or_create(advisory=advisory, defaults=values)
    log.info("quorum set advisory=%s needed=%d actor=%s", advisory.pk, needed, actor.pk)
    audit.record("quorum-set", actor=actor, advisory=advisory, thing=row, needed=needed)
    return row
