"""Answers to conflicts: kept when a person finishes an attempt, offered where the same conflict meets again.

An answer is the content of its advisory. It is offered on that advisory's own attempts, and on those of others only
once everyone may see it; and since who may see it differs from reader to reader, offers are looked up when a page is
read and never stored with an attempt.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from backports.engine import resolutions as engine
from backports.engine.conflicts import Conflict, Learned, Untold, learn, settled
from backports.engine.diff import parse_series
from backports.engine.errors import EngineError
from backports.engine.ladder import apply_series
from backports.engine.locate import split_lines
from backports.engine.resolutions import Answer, Chunk, Memory, offer
from backports.engine.result import Outcome, Rung
from backports.git.errors import GitError
from backports.git.proposals import patch_with
from backports.git.store import open_repository
from backports.git.tree import GitTree, diff_lines
from backports.models import Attempt, Resolution
from xsa import audit
from xsa.models import Membership, Organisation, User
from xsa.visibility import Reader, visible_to

from .open_conflicts import conflicts_of, files_left
from .places import mirror_path, results_path

log = logging.getLogger(__name__)
MOST_OF_A_CHUNK = 20
FINISHED_RUNGS = (Rung.EXACT, Rung.OFFSET)


class CannotRemember(EngineError):
    """A finished series from which nothing can be remembered."""

    code = "cannot-remember"


@dataclass(frozen=True, slots=True)
class Offered:
    """A known answer to one conflict of an attempt; `row` says who gave it, where and when."""

    conflict: Conflict
    answer: Answer
    row: Resolution

    @property
    def line(self) -> int:
        """The 1-based line of the conflict in the file as the attempt left it."""
        return self.conflict.start + 1


@dataclass(frozen=True, slots=True)
class Offers:
    """The known answers to an attempt's conflicts, of which `asked` need one.

    `proposal` is a patch on the attempt's commit with all of them in place, when they finish the fix; else b"".
    """

    offered: tuple[Offered, ...] = ()
    asked: int = 0
    proposal: bytes = b""


@dataclass(frozen=True, slots=True)
class Remembered:
    """How many answers were new or other than before, how many were known, and which chunks told none."""

    new: int = 0
    known: int = 0
    untold: tuple[Untold, ...] = ()


def resolutions_for(reader: Reader, attempt: Attempt) -> QuerySet[Resolution]:
    """The answers that `reader` may see and that may stand beside this attempt, newest first."""
    everyones = visible_to(AnonymousUser(), Resolution.objects.all())
    mine = visible_to(reader, Resolution.objects.all())
    return mine.filter(Q(advisory=attempt.advisory_id) | Q(pk__in=everyones.values("pk")))


def offers_for(reader: Reader, attempt: Attempt) -> Offers:
    """What is known of the conflicts of an attempt that `reader` may see."""
    left = conflicts_of(attempt)
    if not left.asked:
        return Offers()
    rows = _rows_like([one.chunk for one in left.asked], resolutions_for(reader, attempt))
    nearest = sorted(rows.values(), key=lambda row: row.advisory_id != attempt.advisory_id)
    memory = Memory.of(_as_known(row) for row in nearest)
    offered = []
    for one in left.asked:
        answer = offer(one.chunk, memory)
        if answer is not None:
            offered.append(Offered(one, answer, rows[answer.resolution.name]))
    finishes = left.whole and len(offered) == len(left.asked)
    proposal = _proposal(attempt, left.found, offered) if finishes else b""
    return Offers(tuple(offered), len(left.asked), proposal)


def _rows_like(chunks: Sequence[Chunk], among: QuerySet[Resolution]) -> dict[str, Resolution]:
    keys, loose = {one.key for one in chunks}, {one.loose_key for one in chunks}
    rows = among.filter(Q(key__in=keys) | Q(loose_key__in=loose)).select_related("branch", "organisation", "advisory")
    return {str(row.pk): row for row in rows[: MOST_OF_A_CHUNK * len(chunks)]}


def _as_known(row: Resolution) -> engine.Resolution:
    base, ours, theirs, answer = (
        tuple(split_lines(bytes(side))) for side in (row.base, row.ours, row.theirs, row.answer)
    )
    return engine.Resolution(Chunk(base, ours, theirs), answer, str(row.pk))


def _proposal(attempt: Attempt, found: Iterable[Conflict], offered: Iterable[Offered]) -> bytes:
    """The whole result with the answers in place, or b"" when the attempt's files are gone."""
    answers = {id(one.conflict): one.answer.lines for one in offered}
    pairs = [(one, answers.get(id(one), one.chunk.theirs)) for one in found]
    try:
        files = files_left(attempt, [one for one, _ in pairs])
        if {one.path for one, _ in pairs} != set(files):
            return b""
        whole = {path: settled(data, [pair for pair in pairs if pair[0].path == path]) for path, data in files.items()}
        return _as_patch(attempt, whole)
    except GitError:
        return b""


def _as_patch(attempt: Attempt, files: Mapping[str, bytes]) -> bytes:
    name = attempt.branch.repository.name
    where = results_path(name, attempt.advisory.number) if attempt.result else mirror_path(name)
    return patch_with(open_repository(where), attempt.tip, attempt.result or attempt.tip, files)


def why_not(actor: User, attempt: Attempt) -> str:
    """Why `actor` may not answer conflicts of `attempt`, in a sentence; "" when they may."""
    theirs = visible_to(actor, Attempt.objects.filter(pk=attempt.pk))
    if not theirs.exists():
        return "There is no such attempt."
    if not _speaks_for(actor):
        return "Only members of the security team and of organisations on the predisclosure list answer conflicts."
    return ""


def _speaks_for(actor: User) -> list[Organisation | None]:
    """The organisations in whose name a person may answer; None stands for the security team."""
    if not actor.is_active:
        return []
    rows = Membership.objects.filter(user=actor).select_related("organisation").order_by("organisation__name")
    found: dict[Organisation | None, None] = {}
    for row in rows:
        if row.organisation.security_team or row.organisation.listed:
            found[None if row.organisation.security_team else row.organisation] = None
    return list(found)


def remember(
    actor: User, *, attempt: Attempt, finished: bytes | Mapping[str, bytes], organisation: Organisation | None = None
) -> Remembered:
    """Keep what a finished fix says to the conflicts of an attempt; the same again changes nothing.

    `finished` is a patch series on the attempt's commit, or the finished files by path. Without an `organisation`
    it is the one that the actor speaks for, which must be one alone. An organisation's later answer to the same chunk
    on the same branch takes the place of its earlier one. Raises CannotRemember, EngineError, GitError.
    """
    if sentence := why_not(actor, attempt):
        raise CannotRemember(sentence, code="not-allowed")
    speaker = _speaker(_speaks_for(actor), organisation)
    left = conflicts_of(attempt)
    if not left.asked:
        raise CannotRemember("The attempt leaves no conflict that could be answered.", code="no-conflicts")
    files = _finished_files(attempt, finished) if isinstance(finished, bytes) else finished
    learned = learn(left.asked, files_left(attempt, left.asked), files, diff_lines)
    return _keep(actor, attempt, speaker, learned)


def _speaker(may: Sequence[Organisation | None], wanted: Organisation | None) -> Organisation | None:
    if wanted is not None:
        if wanted not in may:
            raise CannotRemember("The person does not speak for that organisation.", code="not-allowed")
        return wanted
    if len(may) > 1:
        raise CannotRemember("The person belongs to several organisations; say for which one.", code="which-one")
    return may[0]


def _finished_files(attempt: Attempt, series: bytes) -> dict[str, bytes]:
    """The files of the attempt's commit after a series, which must apply there as it is."""
    tree = GitTree(open_repository(mirror_path(attempt.branch.repository.name)), attempt.tip)
    result = apply_series(parse_series(series), tree, differ=diff_lines)
    if result.outcome is not Outcome.APPLIED or result.rung not in FINISHED_RUNGS:
        raise CannotRemember(
            "The series does not apply as it is to the commit that the attempt was made on; "
            "give patches made on that commit.",
            code="does-not-apply",
        )
    changes = {path: change for patch in result.patches for path, change in patch.changes.items()}
    return {path: change.data for path, change in changes.items() if change.data is not None}


@transaction.atomic
def _keep(actor: User, attempt: Attempt, speaker: Organisation | None, learned: Learned) -> Remembered:
    new = known = 0
    for one, found in learned.resolutions:
        if _keep_one(actor, attempt, speaker, one, found):
            new += 1
        else:
            known += 1
    audit.record("answered", actor=actor, advisory=attempt.advisory, thing=attempt, new=new, known=known)
    log.info("resolutions kept attempt=%s actor=%s new=%d known=%d", attempt.pk, actor.pk, new, known)
    return Remembered(new, known, learned.untold)


def _keep_one(
    actor: User, attempt: Attempt, speaker: Organisation | None, one: Conflict, found: engine.Resolution
) -> bool:
    """Whether the answer is new, or another one than this organisation gave before."""
    place: dict[str, Any] = {
        "advisory_id": attempt.advisory_id,
        "branch_id": attempt.branch_id,
        "organisation": speaker,
        "path": one.path,
        "key": one.chunk.key,
    }
    answer = b"".join(found.answer)
    before = Resolution.objects.select_for_update(of=("self",)).filter(**place).first()
    if before is not None and bytes(before.answer) == answer:
        return False
    values = {
        "made_by": actor,
        "prerequisites": attempt.prerequisites,
        "loose_key": one.chunk.loose_key,
        "base": b"".join(one.chunk.base),
        "ours": b"".join(one.chunk.ours),
        "theirs": b"".join(one.chunk.theirs),
        "answer": answer,
        "created_at": timezone.now(),
    }
    Resolution.objects.update_or_create(**place, defaults=values)
    return True
