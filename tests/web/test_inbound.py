"""The pages of mail that came in: for the security team, which decides about what is quarantined."""

from __future__ import annotations

import pytest
from django.test import Client

from backports.models import InboundMail
from backports.services.inbound import handling
from backports.services.inbound.door import receive
from tests import factories
from tests.mail.letters import mail
from xsa.models import User

PATCH = "why\n\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.fixture
def team(db: None) -> User:
    return factories.person("team", security_team=True)


@pytest.fixture
def quarantined(db: None) -> InboundMail:
    row = receive(mail(PATCH, subject="[PATCH XSA-500 4.1] <b>bold</b> \u202etxt"), via="pipe")
    handling.handle(row.pk)
    row.refresh_from_db()
    return row


def test_the_list_tells_every_mail_and_its_end(team: User, quarantined: InboundMail, client: Client) -> None:
    spam = receive(mail(headers={"X-Spam-Flag": "YES"}, message_id="<spam@x.example>"), via="lmtp")
    handling.handle(spam.pk)
    page = factories.log_in(client, team).get("/mail/in/").content.decode()
    assert "unsigned" in page
    assert "spam" in page
    assert "quarantined 1" in page
    only = client.get("/mail/in/?state=refused").content.decode()
    assert str(spam.pk) in only
    assert str(quarantined.pk) not in only


def test_what_somebody_wrote_is_shown_and_never_rendered(team: User, quarantined: InboundMail, client: Client) -> None:
    page = factories.log_in(client, team).get(f"/mail/in/{quarantined.pk}/").content.decode()
    assert "<b>bold</b>" not in page
    assert "\u202e" not in page
    assert "none" in page


def test_nobody_else_finds_it(quarantined: InboundMail, client: Client) -> None:
    factories.log_in(client, factories.person("contact", listed=True))
    missing = client.get("/mail/in/00000000-0000-4000-8000-000000000000/")
    for path in (f"/mail/in/{quarantined.pk}/", f"/mail/in/{quarantined.pk}/raw"):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (404, missing.content)
    assert client.get("/mail/in/").status_code == 403


def test_it_is_taken_away_as_it_came(team: User, quarantined: InboundMail, client: Client) -> None:
    answer = factories.log_in(client, team).get(f"/mail/in/{quarantined.pk}/raw")
    assert answer.content == bytes(quarantined.raw)
    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]


def test_it_is_refused_with_a_reason_once(team: User, quarantined: InboundMail, client: Client) -> None:
    factories.log_in(client, team)
    path = f"/mail/in/{quarantined.pk}/"
    assert client.post(path, {"step": "refuse", "reason": " "}).status_code == 400
    assert client.post(path, {"step": "refuse", "reason": "Nobody knows them."}).status_code == 302
    quarantined.refresh_from_db()
    assert (quarantined.state, quarantined.code, quarantined.decided_by) == ("refused", "turned-away", team)
    assert client.post(path, {"step": "accept"}).status_code == 400
    assert client.post(path, {"step": "nothing"}).status_code == 400


def test_what_nobody_here_wrote_cannot_be_accepted_as_anybodys(
    team: User, quarantined: InboundMail, client: Client
) -> None:
    factories.log_in(client, team)
    assert client.post(f"/mail/in/{quarantined.pk}/", {"step": "accept"}).status_code == 302
    quarantined.refresh_from_db()
    assert (quarantined.state, quarantined.code) == ("refused", "nobody")


def test_in_whose_name_it_would_be_done_is_told_before(team: User, client: Client) -> None:
    person = factories.person("contact", listed=True)
    person.email = "contact@member.example"
    person.save()
    row = receive(mail(PATCH, sender=f'"The other one of another place" <{person.email}>'), via="pipe")
    handling.handle(row.pk)
    page = factories.log_in(client, team).get(f"/mail/in/{row.pk}/").content.decode()
    assert f"<strong>{person.username}</strong>" in page
    assert f"<strong>{person.memberships.get().organisation.name}</strong>" in page


def test_that_nobody_here_has_the_address_is_told_before(team: User, quarantined: InboundMail, client: Client) -> None:
    page = factories.log_in(client, team).get(f"/mail/in/{quarantined.pk}/").content.decode()
    assert "Nobody who belongs to an organisation here has its address." in page
