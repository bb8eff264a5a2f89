"""What the person at the machine does about accounts: start a room, show a demo's code, help whoever lost a factor."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from backports.services import demo
from backports.services.accounts import clear_expired
from tests import factories
from xsa.models import Membership, Session, User


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_a_room_begins_with_a_team_and_one_link(db: None) -> None:
    text = said("create_team", "Example Team", "--admin", "Chief@team.example")
    link = re.search(r"http://\S+?(/invitation/\S+)", text)
    assert link
    assert "chief@team.example" in text
    values = {"username": "chief", "password1": "four words of mine", "password2": "four words of mine"}
    assert Client().post(link[1], values)["Location"] == "/account/app/"
    membership = Membership.objects.get(user__username="chief")
    assert (membership.role, membership.organisation.security_team) == ("admin", True)
    assert Client().post(link[1], values | {"username": "second"}).status_code == 403


def test_a_member_is_no_team_and_a_name_no_address(db: None) -> None:
    factories.person("member", listed=True)
    with pytest.raises(CommandError, match="no security team"):
        said("create_team", "Example member", "--admin", "chief@team.example")
    with pytest.raises(CommandError, match="no mail address"):
        said("create_team", "Example Team", "--admin", "chief")


def test_the_demo_shows_codes_that_log_in_and_nobody_elses(db: None) -> None:
    accounts = {one.username: one for one in demo.accounts()}
    one = accounts["member-one"]
    client = Client()
    client.post("/login/", {"login": one.username, "password": one.password})
    assert client.post("/login/code/", {"code": said("demo_code", one.username).strip()})["Location"] == "/"
    stranger = factories.person("somebody")
    TOTP.activate(stranger, one.key)
    for username in ("somebody", "nobody"):
        with pytest.raises(CommandError, match="no demo person"):
            said("demo_code", username)


def test_a_lost_factor_is_forgotten(db: None) -> None:
    person = factories.person("somebody")
    TOTP.activate(person, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    client = factories.log_in(Client(), person)
    assert "no second factor now" in said("reset_second_factor", "somebody")
    assert not Authenticator.objects.filter(user=person).exists()
    assert client.get("/account/").status_code == 302
    with pytest.raises(CommandError, match="nobody"):
        said("reset_second_factor", "else")
    assert User.objects.get() == person


def test_what_is_over_is_removed_and_nothing_else(db: None) -> None:
    client = factories.log_in(Client(), factories.person("somebody"))
    Session.objects.create(session_key="over", session_data="", expire_date=timezone.now() - timedelta(seconds=1))
    cache.set("kept", 1, 60)
    cache.set("over", 1, -60)
    clear_expired()
    assert client.get("/account/").status_code == 200
    assert not Session.objects.filter(session_key="over").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM xsa_cache")
        assert cursor.fetchone() == (1,)
