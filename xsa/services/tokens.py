"""API tokens: made, used and ended. The secret is shown once; what is kept is a digest of it."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from xsa import audit
from xsa.identity import reading
from xsa.models import ApiToken, Membership, Organisation, User
from xsa.permissions import can_make_robot
from xsa.visibility import visible_advisories

from .digests import digest_of

log = logging.getLogger(__name__)
LONGEST = timedelta(days=366)
_SECRET = re.compile(r"xbt_([0-9a-z]{8})_([\w-]{43})", re.ASCII)
_NOTHING = digest_of("")


class CannotMakeToken(Exception):
    """Why there is no such token: a code, a sentence, and the form's field that it is about ("" for all)."""

    def __init__(self, code: str, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.field = code, sentence, field


@transaction.atomic
def create_token(
    actor: User,
    *,
    organisation: Organisation,
    name: str,
    expires_at: datetime,
    verbs: Iterable[str] = (ApiToken.Verb.READ,),
    kind: str = ApiToken.Kind.PERSON,
    embargoed: bool = False,
    advisories: Iterable[int] = (),
    branches: Iterable[str] = (),
) -> tuple[ApiToken, str]:
    """A token that asks in the name of `actor`, and its secret, which is not kept. Raises CannotMakeToken."""
    numbers = tuple(sorted(set(advisories)))
    _check_place(actor, organisation, kind)
    _check_time(expires_at)
    _check_reach(actor, embargoed, numbers)
    prefix, secret = _new_secret()
    token = ApiToken.objects.create(
        user=actor,
        organisation=organisation,
        kind=kind,
        name=name[:100],
        prefix=prefix,
        digest=digest_of(secret),
        verbs=sorted(set(verbs) & set(ApiToken.Verb.values)),
        embargoed=embargoed,
        advisories=list(numbers),
        branches=sorted(set(branches)),
        expires_at=expires_at,
    )
    audit.record("token-created", actor=actor, thing=token, advisories=numbers, embargoed=embargoed, kind_of=kind)
    return token, secret


def _check_place(actor: User, organisation: Organisation, kind: str) -> None:
    if not Membership.objects.filter(user=actor, organisation=organisation).exists():
        raise CannotMakeToken("not-a-member", "A token is for an organisation that you belong to.", "organisation")
    answer = can_make_robot(actor, organisation)
    if kind == ApiToken.Kind.ROBOT and not answer:
        raise CannotMakeToken("not-an-admin", answer.reason, "kind")


def _check_time(expires_at: datetime) -> None:
    now = timezone.now()
    if not now < expires_at <= now + LONGEST:
        raise CannotMakeToken("bad-time", "A token ends at a time to come, within a year.", "expires_at")


def _check_reach(actor: User, embargoed: bool, numbers: Sequence[int]) -> None:
    """What the actor may not see answers as what does not exist."""
    seen = {row.number: row for row in visible_advisories(actor).filter(number__in=numbers)}
    if unknown := [number for number in numbers if number not in seen]:
        raise CannotMakeToken("no-advisory", f"There is no advisory XSA-{unknown[0]}.", "advisories")
    if embargoed and not any(row.embargoed for row in seen.values()):
        sentence = "Name the embargoed advisories that it is for: it ends with their embargo."
        raise CannotMakeToken("no-embargo", sentence, "advisories")


def _new_secret() -> tuple[str, str]:
    prefix = secrets.token_hex(4)
    return prefix, f"xbt_{prefix}_{secrets.token_urlsafe(32)}"


@transaction.atomic
def end_token(actor: User, *, token: ApiToken) -> bool:
    """End one token for good; False when it had ended before."""
    return _end(actor, ApiToken.objects.filter(pk=token.pk)) == 1


@transaction.atomic
def end_tokens(actor: User | None, *, user: User | None = None, organisation: Organisation | None = None) -> int:
    """End the tokens of a person, of an organisation, or of a person in an organisation; returns how many.

    Raises ValueError when neither is named.
    """
    if user is None and organisation is None:
        raise ValueError("Name a person or an organisation.")
    whose = Q(user=user) if user else Q()
    whose &= Q(organisation=organisation) if organisation else Q()
    return _end(actor, ApiToken.objects.filter(whose), organisation)


def _end(actor: User | None, tokens: QuerySet[ApiToken], organisation: Organisation | None = None) -> int:
    """Locked first, so that one that is made or used just now is met too."""
    live = list(tokens.filter(ended_at=None).select_for_update().order_by("pk"))
    ApiToken.objects.filter(pk__in=[one.pk for one in live]).update(ended_at=timezone.now())
    for one in live:
        audit.record("token-ended", actor=actor, thing=one, organisation=organisation)
    return len(live)


def authenticate(secret: str) -> tuple[User, ApiToken] | None:
    """The person in whose name a token asks, limited as the token says, or None.

    None, after the same work, for one that is unknown, malformed, expired or ended, whose person is inactive
    or gone from the organisation, or whose embargo is over.
    """
    found = _SECRET.fullmatch(secret)
    prefix = found[1] if found else "-"
    token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    same = secrets.compare_digest(digest_of(secret), token.digest if token else _NOTHING)
    user = user_of(token) if same and token is not None else None
    if user is None or token is None:
        return None
    _note_use(token)
    return user, token


def user_of(token: ApiToken) -> User | None:
    """The person in whose name a token asks, limited as it says; None for one that is not good now."""
    if not _is_live(token):
        return None
    user = _limited(token)
    return None if token.embargoed and not _embargo_holds(user, token) else user


def _is_live(token: ApiToken) -> bool:
    member = Membership.objects.filter(user=token.user_id, organisation=token.organisation_id).exists()
    return member and token.user.is_active and token.ended_at is None and token.expires_at > timezone.now()


def _limited(token: ApiToken) -> User:
    user = token.user
    user.cleared = token.embargoed
    user.only = tuple(token.advisories)
    user.branches = tuple(token.branches)
    user.speaks_for = token.organisation_id
    return user


def _embargo_holds(user: User, token: ApiToken) -> bool:
    """Whether any advisory of it is embargoed still, and one that the person may see."""
    with transaction.atomic(), reading(user):
        return visible_advisories(user).filter(number__in=token.advisories, disclosed_at=None).exists()


def _note_use(token: ApiToken) -> None:
    """To the hour: more would be a record of its own of who works when."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    if token.last_used_at != hour:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=hour)


def tokens_of(user: User) -> list[ApiToken]:
    """A person's own tokens, and all of the organisations that they are an admin of, newest first."""
    admin_of: list[UUID] = list(
        user.memberships.filter(role=Membership.Role.ADMIN).values_list("organisation", flat=True)
    )
    rows = ApiToken.objects.filter(Q(user=user) | Q(organisation__in=admin_of))
    return list(rows.select_related("user", "organisation"))
