"""What a disclosure would open: done in a transaction that is thrown away, and looked at with a stranger's eyes.

So both walls themselves say what becomes public, and what does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from backports.models import Attempt, Backport
from xsa import rls
from xsa.identity import everything, reading
from xsa.models import Advisory, AdvisoryVersion, Announcement, Fix, PatchFile
from xsa.readers import Kept, Owned, Personal, Under
from xsa.services.plans import why_held
from xsa.visibility import visible_to

STRANGER = AnonymousUser()
WORDS = {
    "xsa.advisoryversion": "versions of its text",
    "xsa.patchfile": "files as they came in",
    "xsa.fix": "fixes",
    "xsa.fixpatch": "patches of fixes",
    "xsa.planneddate": "planned dates",
    "xsa.disclosurerequest": "requests to disclose",
    "xsa.statement": "members' statements",
    "xsa.admission": "admissions to its room",
    "backports.attempt": "attempts",
    "backports.compilation": "compilations of results",
    "backports.resolution": "people's answers to conflicts",
    "backports.upstreamfix": "branches that hold the official fix",
    "backports.backport": "members' backports",
    "backports.backportversion": "versions of members' backports",
    "backports.versionpatch": "patches of members' backports",
    "backports.review": "reviews of backports",
    "backports.reviewdraft": "drafts of reviews",
    "backports.quorum": "numbers of reviews that are needed",
    "backports.comment": "comments",
    "backports.commentplace": "places of comments on lines",
    "backports.claim": "members' claims",
    "backports.check": "machines' checks of backports",
    "backports.look": "notes of how far people have read",
    "backports.event": "events of its timeline",
    "backports.upload": "files as members sent them",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one kind: how many become public, and how many stay as they are."""

    name: str
    opens: int
    stays: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a stranger would find after the disclosure of one advisory; `others` are results of other advisories."""

    parts: tuple[Part, ...]
    versions: tuple[AdvisoryVersion, ...]
    files: tuple[PatchFile, ...]
    fixes: tuple[Fix, ...]
    outcomes: tuple[tuple[str, int], ...]
    others: tuple[Attempt, ...]
    backports: tuple[Backport, ...]
    held_back: tuple[int, ...]
    warnings: tuple[str, ...]


def rehearse(advisory: Advisory) -> Rehearsal:
    """Try the disclosure of an embargoed advisory out, and undo it."""
    # What organisations and people keep of their own is counted as far as whoever asks may see it.
    own = {model: _rows(model, advisory).count() for model in _models() if _is_owned(model)}
    with everything("disclose"):
        there = own | {model: _rows(model, advisory).count() for model in _models() if not _is_owned(model)}
        held_back = _held_back(advisory)
        warnings = tuple(_warnings(advisory))
    known = set(_built_on(advisory).values_list("pk", flat=True))
    with _as_if_disclosed(advisory):
        parts = tuple(_part(model, advisory, there[model]) for model in there)
        return Rehearsal(
            parts=tuple(part for part in sorted(parts, key=lambda one: not one.opens) if part.opens or part.stays),
            versions=tuple(_seen(AdvisoryVersion, advisory).defer("sections")),
            files=tuple(_seen(PatchFile, advisory).defer("data").order_by("name")),
            fixes=tuple(_seen(Fix, advisory).select_related("version")),
            outcomes=_outcomes(_seen(Attempt, advisory)),
            backports=tuple(_seen(Backport, advisory).select_related("branch__repository", "organisation", "current")),
            others=tuple(_built_on(advisory).exclude(pk__in=known).select_related("advisory", "branch__repository")),
            held_back=held_back,
            warnings=warnings,
        )


@contextmanager
def _as_if_disclosed(advisory: Advisory) -> Iterator[None]:
    """Inside the block it is disclosed, for this transaction alone, and a stranger reads; after it nothing was."""
    with transaction.atomic():
        with everything("disclose"):
            rows = Advisory.objects.filter(pk=advisory.pk, disclosed_at=None)
            rows.update(disclosed_at=timezone.now(), disclosure_reason="rehearsal")
        try:
            with reading(STRANGER):
                yield
        finally:
            transaction.set_rollback(True)


def _models() -> list[type[Model]]:
    """All that hangs on an advisory, those of other parts of the house too."""
    return [model for model in rls.secret_models() if model is not Advisory and _path(model)]


def _is_owned(model: type[Model]) -> bool:
    """Whether some of a model's rows, or of those that they hang on, are for one organisation or one person."""
    readers: Any = rls.readers_of(model)
    if isinstance(readers, Owned | Personal | Kept):
        return True
    above = (readers.parent, readers.also) if isinstance(readers, Under) else ()
    return any(_is_owned(_related(model, name)) for name in above if name)


def _related(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name).related_model


def _path(model: type[Model]) -> str:
    """From a model to its advisory, as a lookup; "" where there is none."""
    if hasattr(model, "advisory"):
        return "advisory"
    readers = rls.readers_of(model)
    if not isinstance(readers, Under):
        return ""
    further = _path(_related(model, readers.parent))
    return f"{readers.parent}__{further}" if further else ""


def _rows(model: type[Model], advisory: Advisory) -> QuerySet[Any]:
    return model._default_manager.filter(**{_path(model): advisory})


def _seen(model: type[Model], advisory: Advisory) -> QuerySet[Any]:
    """The rows that whoever reads now may see: the application is asked beside the database."""
    return visible_to(STRANGER, _rows(model, advisory))


def _part(model: type[Model], advisory: Advisory, there: int) -> Part:
    opens = _seen(model, advisory).count()
    label = model._meta.label_lower
    return Part(WORDS.get(label, str(model._meta.verbose_name_plural)), opens, there - opens)


def _outcomes(attempts: QuerySet[Attempt]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for state, outcome in attempts.filter(current=True).order_by().values_list("state", "outcome"):
        word = outcome if state == Attempt.State.DONE else state
        found[word] = found.get(word, 0) + 1
    return tuple(sorted(found.items()))


def _built_on(advisory: Advisory) -> QuerySet[Attempt]:
    """Results of other advisories that hold this one's patches, as far as a stranger sees them now."""
    rows = Attempt.objects.filter(prerequisites__contains=[advisory.number], current=True).defer("evidence")
    return visible_to(STRANGER, rows)


def _upstream(advisory: Advisory) -> QuerySet[Attempt]:
    """Attempts on branches that no organisation keeps; the others become public with no advisory."""
    return Attempt.objects.filter(advisory=advisory, branch__repository__organisation=None)


def _held_back(advisory: Advisory) -> tuple[int, ...]:
    """The other embargoed advisories that results of this one are built on."""
    lists = _upstream(advisory).values_list("prerequisites", flat=True)
    numbers = {number for one in lists for number in one}
    rows = Advisory.objects.filter(number__in=numbers, disclosed_at=None).exclude(pk=advisory.pk)
    return tuple(rows.order_by("number").values_list("number", flat=True))


def _warnings(advisory: Advisory) -> Iterator[str]:
    """What a person should know before opening it."""
    if held := why_held(advisory):
        yield held
    current = advisory.current
    if current is None or current.number == 0:
        yield "The advisory's own text did not come in."
    elif current.signature != "good":
        yield f"The signature of version {current.number} is not known to be good."
    if current is not None and current.deployment in ("", "unknown"):
        yield "The text does not say what may be deployed during the embargo."
    if not Fix.objects.filter(version__advisory=advisory).exists():
        yield "No fix is known."
    if bad := PatchFile.objects.filter(version__advisory=advisory).exclude(problems=[]).count():
        yield f"{bad} of its files could not be read or did not fit."
    if waiting := _upstream(advisory).filter(current=True).exclude(state=Attempt.State.DONE).count():
        yield f"{waiting} of its attempts are not finished; their results become public as they come."
    yield from _announced(advisory)


def _announced(advisory: Advisory) -> Iterator[str]:
    row = Announcement.objects.filter(number=advisory.number).first()
    if row is None:
        yield "Its number is not announced in public."
    elif row.planned_disclosure_at != advisory.planned_disclosure_at:
        yield "The date that is announced in public is another than the planned one."
