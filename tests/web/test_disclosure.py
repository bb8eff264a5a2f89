"""The pages on which an advisory is planned, announced, rehearsed and opened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.utils import timezone

from backports.models import Attempt
from backports.services import disclosing
from backports.services.rehearsal import rehearse
from tests import factories
from tests.web.conftest import World
from xsa.identity import reading
from xsa.models import Advisory, AdvisoryVersion, Announcement, DisclosureRequest, Fix, PatchFile, PlannedDate
from xsa.services import disclose as opener
from xsa.services.plans import note_plan

PAGE = "/advisories/777/disclosure/"
HOUR = timedelta(hours=1)


@pytest.fixture
def second(db: None) -> Client:
    """Another person of the security team."""
    return factories.log_in(Client(), factories.person("second", security_team=True))


def is_open(client: Client) -> bool:
    return client.get("/advisories/777/").status_code == 200


def step(client: Client, step: str, **data: str) -> Any:
    return client.post(PAGE, {"step": step, **data})


def test_outsiders_find_no_rehearsal_and_members_are_told_whose_it_is(
    world: World, anonymous: Client, outsider: Client, member: Client, team: Client
) -> None:
    missing = anonymous.get("/advisories/778/disclosure/")
    for client in (anonymous, outsider):
        for ask in (client.get, client.post):
            answer = ask(PAGE)
            assert (answer.status_code, answer.content) == (404, missing.content)
    for ask in (member.get, member.post):
        assert ask(PAGE).status_code == 403
        assert b"Only the security team plans and makes disclosures." in ask(PAGE).content
    assert team.get(PAGE).status_code == 200
    assert anonymous.get("/advisories/456/disclosure/").status_code == 403


def test_a_rehearsal_says_what_a_stranger_would_see_and_opens_nothing(
    world: World, team: Client, anonymous: Client
) -> None:
    Attempt.objects.filter(pk=world.secret_attempt.pk).update(current=False)
    factories.advisory(778, disclosed=False)
    factories.attempt(world.secret, world.branch, prerequisites=[778])
    page = team.get(PAGE).content.decode()
    for words in ("quiet title", "xsa777-secret.patch", "CVE-2031-0777", "XSA-778"):
        assert words in page
    assert not is_open(anonymous)
    found = {part.name: (part.opens, part.stays) for part in rehearse(world.secret).parts}
    assert found["attempts"] == (1, 1)
    assert found["files as they came in"] == (1, 0)
    assert found["versions of its text"] == (1, 0)
    world.secret.refresh_from_db()
    assert world.secret.embargoed


def test_what_was_rehearsed_is_what_opens(world: World, team: Client) -> None:
    promised = {part.name: part.opens for part in rehearse(world.secret).parts}
    step(team, "open-public", reason="posted to a list")
    with reading(AnonymousUser()):
        counted = {name: len(rows) for name, rows in seen(world.secret).items()}
    assert counted == {name: promised[name] for name in counted}
    assert all(counted.values())


def seen(row: Advisory) -> dict[str, Any]:
    return {
        "attempts": Attempt.objects.filter(advisory=row),
        "fixes": Fix.objects.filter(version__advisory=row),
        "files as they came in": PatchFile.objects.filter(version__advisory=row),
        "versions of its text": AdvisoryVersion.objects.filter(advisory=row),
    }


def test_it_opens_to_everyone_when_a_second_person_confirms(
    world: World, team: Client, second: Client, anonymous: Client
) -> None:
    assert b"two people" in team.get(PAGE).content
    assert step(team, "open", reason="I say so").status_code == 403
    assert step(team, "ask", reason="seen in the wild").status_code == 302
    request = team.get(PAGE).context["asked"]
    assert step(team, "confirm", request=str(request.pk)).status_code == 403
    assert b"disabled" in team.get(PAGE).content
    assert not is_open(anonymous)
    assert b"seen in the wild" in second.get(PAGE).content
    assert step(second, "confirm", request=str(request.pk)).status_code == 302
    assert is_open(anonymous)
    assert anonymous.get(f"/attempts/{world.secret_attempt.pk}/").status_code == 200
    assert anonymous.get(f"/files/{world.secret_file.pk}/raw").content == b"secret bytes"
    page = second.get(PAGE).content.decode()
    assert "cannot go back under embargo" in page
    assert "<button" not in page.partition("<main")[2]
    assert step(second, "confirm", request=str(request.pk)).status_code == 403
    assert b"What is public stays public" in step(team, "plan", at="2035-01-01T12:00").content


@pytest.mark.parametrize("name", ["ask", "open", "open-public", "plan"])
def test_nothing_happens_without_a_reason_or_a_date(world: World, team: Client, anonymous: Client, name: str) -> None:
    answer = step(team, name, reason="  ", at="soon")
    assert answer.status_code == 400
    assert b'role="alert"' in answer.content
    assert not is_open(anonymous)


def test_an_unknown_step_or_request_is_told(world: World, team: Client) -> None:
    assert step(team, "close").status_code == 400
    assert step(team, "confirm", request="no-such").status_code == 404
    assert step(team, "withdraw", request="").status_code == 404


def test_deciding_needs_a_fresh_second_factor(world: World, team: Client, anonymous: Client) -> None:
    session = team.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 1.0}]
    session.save()
    assert team.get(PAGE).status_code == 200
    answer = step(team, "open-public", reason="posted to a list")
    assert answer.status_code == 302
    assert PAGE in answer["Location"].replace("%2F", "/")
    assert not is_open(anonymous)


def test_the_planned_date_is_confirmed_or_moved_later_and_kept(world: World, team: Client) -> None:
    assert step(team, "plan", at="2031-03-04T12:00").status_code == 302
    assert step(team, "plan", at="2031-03-11T12:00").status_code == 302
    assert step(team, "plan", at="2030-03-04T12:00").status_code == 403
    page = team.get(PAGE).content.decode()
    assert "2031-03-11 12:00 UTC" in page
    assert "moved from" in page
    assert "it opens by itself" in page


def test_what_is_announced_is_the_number_and_the_date_and_nothing_else(
    world: World, team: Client, anonymous: Client, outsider: Client
) -> None:
    missing = anonymous.get("/advisories/777/")
    assert missing.status_code == 404
    assert step(team, "announce").status_code == 302
    for client in (anonymous, outsider):
        page = client.get("/advisories/777/").content.decode()
        assert "2031-03-04 12:00 UTC" in page
        assert "quiet title" not in page
        assert "CVE" not in page
        assert "planned for" in client.get("/advisories/").content.decode()
        assert "XSA-777" not in client.get("/advisories/?text=quiet").content.decode()
        assert "XSA-777</a> announced" in client.get("/advisories/?text=777").content.decode()
    assert b"quiet title" in team.get("/advisories/777/").content
    assert b"announced, planned" not in team.get("/advisories/").content


@pytest.mark.parametrize("path", ["/advisories/777/", "/advisories/", "/advisories/?text=777", "/"])
def test_an_announced_number_reads_the_same_whether_its_content_is_here_or_not(
    world: World, anonymous: Client, path: str
) -> None:
    Announcement.objects.create(number=777, planned_disclosure_at=factories.PLANNED)
    here = anonymous.get(path)
    factories.forget(world.secret)
    gone = anonymous.get(path)
    assert (gone.status_code, gone.content.partition(b"since=")[0]) == (200, here.content.partition(b"since=")[0])


def test_cells_are_planned_again_after_a_disclosure(
    world: World, team: Client, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a disclosed advisory could not be built on while it was embargoed, it can be now."""
    sent: list[str] = []
    monkeypatch.setattr(disclosing.replan_disclosed, "delay", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        step(team, "open-public", reason="posted to a list")
    assert sent == [str(world.secret.pk)]
    fix = world.known.current.fixes.get()
    fix.prerequisites = [777]
    fix.save()
    assert disclosing.replan_disclosed(sent[0]) >= 1
    again = Attempt.objects.get(advisory=world.known, branch=world.branch, current=True)
    assert (again.because, again.state) == ("disclosed", "waiting")


def test_the_clock_opens_what_is_due(world: World, anonymous: Client) -> None:
    note_plan(None, advisory=world.secret, at=factories.PLANNED)
    assert disclosing.disclose_due() == 0
    assert not is_open(anonymous)
    PlannedDate.objects.update(planned_at=timezone.now(), set_at=timezone.now() - 48 * HOUR)
    Advisory.objects.filter(pk=world.secret.pk).update(planned_disclosure_at=PlannedDate.objects.get().planned_at)
    assert disclosing.disclose_due() == 1
    assert is_open(anonymous)


def test_an_error_in_the_middle_of_the_answer_leaves_everything_closed(
    world: World, team: Client, anonymous: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError

    team.raise_request_exception = False
    monkeypatch.setattr(opener, "_tell", breaks)
    assert step(team, "open-public", reason="posted to a list").status_code == 500
    assert not is_open(anonymous)
    assert not DisclosureRequest.objects.exists()
    monkeypatch.undo()
    assert step(team, "open-public", reason="posted to a list").status_code == 302
    assert is_open(anonymous)
