"""API tokens: what they open, what they do not, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests import factories
from xsa.identity import Identity, _acting, reading
from xsa.models import Advisory, ApiToken, AuditRecord, Membership, Organisation, User
from xsa.services.tokens import CannotMakeToken, authenticate, create_token, end_token, end_tokens, tokens_of
from xsa.visibility import in_room, in_security_team, sees_embargoed, visible_advisories, visible_records


@pytest.fixture
def member(db: None) -> User:
    return factories.person("member", listed=True)


@pytest.fixture
def secrets(db: None) -> list[Advisory]:
    return [factories.advisory(number, disclosed=False) for number in (777, 778)]


def made(user: User, **values: Any) -> tuple[ApiToken, str]:
    place = Membership.objects.get(user=user).organisation
    values = {"organisation": place, "name": "a script", "expires_at": timezone.now() + timedelta(days=7)} | values
    return create_token(user, **values)


def asked(secret: str) -> User | None:
    """As the middleware asks: in nobody's name."""
    with _acting(Identity()):
        found = authenticate(secret)
    return found[0] if found else None


def test_the_secret_is_kept_nowhere(member: User) -> None:
    token, secret = made(member)
    assert asked(secret) == member
    row = ApiToken.objects.values().get()
    told = AuditRecord.objects.values().get(verb="token-created")
    assert secret.rpartition("_")[2] not in str(row) + str(told)
    assert secret.startswith(f"xbt_{token.prefix}_")


def test_a_token_opens_nothing_embargoed_unless_it_was_made_for_it(member: User, secrets: list[Advisory]) -> None:
    user = asked(made(member)[1])
    assert user is not None
    assert not visible_advisories(user).exists()
    with reading(user):
        assert not Advisory.objects.exists()


def test_a_token_for_one_embargoed_advisory_opens_that_one_through_either_wall(
    member: User, secrets: list[Advisory]
) -> None:
    factories.advisory(456)
    user = asked(made(member, embargoed=True, advisories=[777])[1])
    assert user is not None
    assert {row.number for row in visible_advisories(user)} == {456, 777}
    assert not sees_embargoed(user)
    assert [in_room(user, secret) for secret in secrets] == [True, False]
    with reading(user):
        assert set(Advisory.objects.values_list("number", flat=True)) == {456, 777}


def test_a_token_of_the_team_does_not_speak_for_the_team(secrets: list[Advisory]) -> None:
    team = factories.person("team", security_team=True)
    factories.patch_file(None)
    user = asked(made(team, embargoed=True, advisories=[777])[1])
    assert user is not None
    assert not in_security_team(user)
    assert not visible_records(user).exists()
    with reading(user):
        assert not AuditRecord.objects.exists()


def test_a_token_for_embargoed_material_ends_with_the_embargo(member: User, secrets: list[Advisory]) -> None:
    secret = made(member, embargoed=True, advisories=[777, 778])[1]
    disclosed = {"disclosed_at": factories.DAY, "disclosure_reason": "test"}
    Advisory.objects.filter(number=777).update(**disclosed)
    assert asked(secret) == member
    Advisory.objects.filter(number=778).update(**disclosed)
    assert asked(secret) is None


def _expire(token: ApiToken, member: User) -> None:
    ApiToken.objects.update(expires_at=timezone.now())


def _end(token: ApiToken, member: User) -> None:
    assert end_token(member, token=token)


def _leave(token: ApiToken, member: User) -> None:
    Membership.objects.filter(user=member).delete()


def _lock_out(token: ApiToken, member: User) -> None:
    User.objects.update(is_active=False)


def _strike(token: ApiToken, member: User) -> None:
    Organisation.objects.update(listed=False)


@pytest.mark.parametrize("how", [_expire, _end, _leave, _lock_out, _strike])
def test_a_token_ends(member: User, secrets: list[Advisory], how: Callable[[ApiToken, User], None]) -> None:
    token, secret = made(member, embargoed=True, advisories=[777])
    assert asked(secret) == member
    how(token, member)
    assert asked(secret) is None


@pytest.mark.parametrize("change", [str.upper, lambda one: one[:-1], lambda one: f"{one}=", lambda one: f"x{one}"])
def test_a_secret_that_is_nearly_right_is_wrong(member: User, change: Callable[[str], str]) -> None:
    secret = made(member)[1]
    assert asked(change(secret)) is None
    other = made(member)[1]
    assert asked(secret[:13] + other[13:]) is None


@pytest.mark.parametrize("odd", ["", "xbt_", "\0", "xbt_00000000_" + "A" * 43, "é" * 56, "x" * 100_000])
def test_what_is_no_secret_is_none(member: User, odd: str) -> None:
    assert asked(odd) is None


def test_every_wrong_secret_costs_the_same_questions(member: User, django_assert_num_queries: Any) -> None:
    ended, secret = made(member)
    end_token(member, token=ended)
    for wrong in ("malformed", "xbt_00000000_" + "A" * 43, secret[:13] + "B" * 43):
        with django_assert_num_queries(1):
            assert authenticate(wrong) is None


REFUSED: dict[str, dict[str, Any]] = {
    "bad-time": {"expires_at": factories.DAY},
    "no-advisory": {"advisories": [777, 999]},
    "no-embargo": {"embargoed": True},
    "not-an-admin": {"kind": "robot"},
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_made_is_told_why(member: User, secrets: list[Advisory], code: str) -> None:
    with pytest.raises(CannotMakeToken) as error:
        made(member, **REFUSED[code])
    assert error.value.code == code
    assert not ApiToken.objects.exists()


def test_no_token_lives_longer_than_a_year(member: User) -> None:
    with pytest.raises(CannotMakeToken, match="within a year"):
        made(member, expires_at=timezone.now() + timedelta(days=367))


def test_a_token_for_another_organisation_cannot_be_made(member: User) -> None:
    factories.person("other", listed=True)
    with pytest.raises(CannotMakeToken) as error:
        made(member, organisation=Organisation.objects.get(name="Example other"))
    assert error.value.code == "not-a-member"


def test_what_the_person_may_not_see_answers_as_what_does_not_exist(secrets: list[Advisory]) -> None:
    outsider = factories.person("outsider")
    told = []
    for number in (777, 999):
        with pytest.raises(CannotMakeToken) as error:
            made(outsider, advisories=[number], embargoed=True)
        told.append(str(error.value).replace(str(number), "N"))
    assert told[0] == told[1]


def test_the_database_keeps_no_token_for_all_that_is_embargoed(member: User) -> None:
    token, _ = made(member)
    with pytest.raises(IntegrityError, match="what_is_embargoed_is_named"), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(embargoed=True)


def test_the_last_use_is_told_to_the_hour(member: User) -> None:
    asked(made(member)[1])
    used = ApiToken.objects.get().last_used_at
    assert used is not None
    assert (used.minute, used.second, used.microsecond) == (0, 0, 0)
    assert timezone.now() - used < timedelta(hours=1)


def test_leaving_ends_the_tokens_of_a_person_or_of_an_organisation(member: User) -> None:
    other = factories.person("other")
    kept = made(other)[1]
    gone = [made(member)[1], made(member)[1]]
    assert end_tokens(None, user=member) == 2
    assert [asked(secret) for secret in gone] == [None, None]
    assert asked(kept) == other
    assert end_tokens(None, organisation=Organisation.objects.get(name="Example other")) == 1
    assert asked(kept) is None
    assert AuditRecord.objects.filter(verb="token-ended").count() == 3
    with pytest.raises(ValueError, match="Name a person"):
        end_tokens(None)


def test_an_admin_makes_robots_and_sees_the_tokens_of_the_organisation(member: User) -> None:
    colleague = User.objects.create_user("colleague")
    place = Membership.objects.get(user=member).organisation
    Membership.objects.create(user=colleague, organisation=place)
    Membership.objects.filter(user=member).update(role="admin")
    robot, _ = made(member, kind="robot", name="builder")
    theirs, _ = made(colleague)
    assert set(tokens_of(member)) == {robot, theirs}
    assert tokens_of(colleague) == [theirs]
