"""The audit's pages, and that nothing is read without a record."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.test import Client

from tests import factories
from tests.conftest import Execute
from tests.web.conftest import World
from xsa import audit
from xsa.models import Advisory, AuditRecord, Membership, User

PAGES = ("/advisories/777/", "/", "/queue/")


def test_a_page_and_a_file_are_told_apart(world: World, member: Client) -> None:
    member.get(f"/attempts/{world.secret_attempt.pk}/", REMOTE_ADDR="192.0.2.9")
    member.get(f"/files/{world.secret_file.pk}/raw")
    file, page = AuditRecord.objects.all()
    assert (page.verb, page.kind, page.thing) == ("seen", "attempt", str(world.secret_attempt.pk))
    assert (page.address, page.detail) == ("192.0.2.9", {"route": "attempt"})
    assert (file.verb, file.kind, file.detail) == ("downloaded", "patch file", {"route": "file"})
    assert {page.actor_name, file.actor_name} == {"member"}


def test_each_reading_of_one_thing_is_recorded_and_a_list_that_is_polled_once(world: World, member: Client) -> None:
    for _ in range(3):
        member.get("/queue/")
        member.get("/advisories/777/")
    routes = [row.detail["route"] for row in AuditRecord.objects.all()]
    assert (routes.count("queue"), routes.count("advisory")) == (1, 3)


def test_a_form_that_is_shown_again_is_a_reading_too(world: World, team: Client) -> None:
    answer = team.post("/advisories/777/disclosure/", {"step": "ask", "reason": ""})
    assert answer.status_code == 400
    assert b"777" in answer.content
    assert AuditRecord.objects.filter(verb="seen", advisories=[777], detail__route="disclosure").exists()


@pytest.fixture
def no_records(owner_db: Execute) -> Iterator[None]:
    """A table that takes no record."""
    owner_db("REVOKE INSERT ON xsa_auditrecord FROM backports_app")
    yield
    owner_db("GRANT INSERT ON xsa_auditrecord TO backports_app")


@pytest.mark.parametrize("path", [*PAGES, "file", "attempt"])
def test_no_record_no_reading(world: World, member: Client, no_records: None, path: str) -> None:
    named = {"file": f"/files/{world.secret_file.pk}/raw", "attempt": f"/attempts/{world.secret_attempt.pk}/"}
    member.raise_request_exception = False
    answer = member.get(named.get(path, path))
    assert answer.status_code == 500
    assert b"777" not in answer.content
    assert b"secret" not in answer.content


def test_what_is_disclosed_needs_no_record(world: World, member: Client, no_records: None) -> None:
    assert member.get("/advisories/456/").status_code == 200


def test_what_people_change_is_recorded_with_their_name(world: World, team: Client, member: Client) -> None:
    member.post(f"/attempts/{world.secret_attempt.pk}/retry/")
    team.post("/repositories/xen/fetch/")
    rows = AuditRecord.objects.filter(verb__in=["retried", "fetch-asked"])
    told = {row.verb: (row.actor_name, row.advisories, row.kind) for row in rows}
    assert told == {"retried": ("member", [777], "attempt"), "fetch-asked": ("team", [], "repository")}


# -- the security team's page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["anonymous", "outsider", "member"])
def test_the_whole_audit_is_for_the_team(world: World, who: str, request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue(who)
    for path in ("/audit/", "/audit/export?advisory=456"):
        answer = client.get(path)
        assert answer.status_code in (302, 403), path
        assert b"777" not in answer.content


@pytest.fixture
def records(world: World) -> None:
    one, two = factories.person("reader-one", listed=True), factories.person("reader-two", listed=True)
    audit.record("seen", actor=one, advisory=world.secret)
    audit.record("downloaded", actor=two, advisory=world.known)
    audit.record("logged-in", actor=two)


FILTERS = {
    "advisory=777": {"reader-one"},
    "advisory=456": {"reader-two"},
    "organisation=reader-two": {"reader-two"},
    "person=READER-ONE": {"reader-one"},
    "verb=downloaded": {"reader-two"},
    "until=2011-01-01": set(),
    "since=2011-01-01": {"reader-one", "reader-two"},
    "advisory=x&since=tomorrow": {"reader-one", "reader-two"},
}


@pytest.mark.parametrize("query", FILTERS)
def test_the_team_filters(records: None, team: Client, query: str) -> None:
    answer = team.get(f"/audit/?{query}")
    assert answer.status_code == 200
    assert {row["who"] for row in answer.context["rows"]} - {"team"} == FILTERS[query]


def test_reading_the_audit_is_recorded(records: None, team: Client) -> None:
    team.get("/audit/")
    last = AuditRecord.objects.all()[0]
    assert (last.actor_name, last.advisories, last.detail) == ("team", [777], {"route": "audit"})


def test_pages_go_by_a_records_random_id(db: None, team: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backports.web.audit.PAGE", 2)
    for number in range(5):
        audit.record("seen", actor=None, count=number)
    first = team.get("/audit/?verb=seen")
    second = team.get("/audit/" + first.context["page"].older)
    third = team.get("/audit/" + second.context["page"].older)
    counts = [[row["record"].detail.get("count") for row in page.context["rows"]] for page in (first, second, third)]
    # Reading the first page made a record of its own, which is newer than what it showed.
    assert counts == [[4, 3], [2, 1], [0]]
    back = team.get("/audit/" + third.context["page"].newer)
    assert [row["record"].detail.get("count") for row in back.context["rows"]] == [2, 1]
    assert "position" not in first.context["page"].older


@pytest.mark.parametrize("cursor", ["before=1", "after=x", "before=%00", f"before={factories.OID}"])
def test_a_cursor_that_names_no_record_is_none(records: None, team: Client, cursor: str) -> None:
    assert len(team.get(f"/audit/?{cursor}").context["rows"]) == 3


def test_hostile_words_in_a_record_are_shown_and_not_rendered(db: None, team: Client) -> None:
    user = User.objects.create_user("<script>x</script>")
    audit.record("seen", actor=user, note="<b>bold</b>")
    page = team.get("/audit/").content.decode()
    assert "<script>x" not in page
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page


# -- what is given away ---------------------------------------------------------------------------------------------


def test_an_embargoed_advisorys_audit_is_not_exported(records: None, team: Client) -> None:
    answer = team.get("/audit/export?advisory=777")
    assert answer.status_code == 403
    reason = "XSA-777 is embargoed. Its audit can be exported once it is disclosed."
    assert reason in answer.content.decode()
    page = team.get("/audit/?advisory=777").content.decode()
    assert reason in page
    assert "disabled" in page


def test_what_is_exported_names_no_person(records: None, team: Client) -> None:
    Advisory.objects.filter(number=777).update(disclosed_at=factories.DAY, disclosure_reason="test")
    audit.record("seen", actor=None, advisories=[777, 456], secret_of="another")
    answer = team.get("/audit/export?advisory=777")
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert [(line["verb"], line["organisation"], line["advisory"]) for line in lines] == [
        ("seen", "Example reader-one", 777),
        ("seen", "", 777),
    ]
    assert set(lines[0]) == {"id", "at", "verb", "organisation", "kind", "advisory"}
    assert answer["Content-Disposition"] == 'attachment; filename="xsa777-audit.jsonl"'
    last = AuditRecord.objects.all()[0]
    assert (last.verb, last.advisories, last.detail["lines"]) == ("exported", [777], 2)


@pytest.mark.parametrize("query", ["", "?advisory=", "?advisory=x", "?advisory=999", "?advisory=9999999999"])
def test_there_is_nothing_to_export_of_what_is_not(records: None, team: Client, query: str) -> None:
    assert team.get(f"/audit/export{query}").status_code == 404


# -- an organisation's own ------------------------------------------------------------------------------------------


def test_an_organisation_reads_its_own_as_far_as_one_sees_the_advisory(world: World) -> None:
    contact = factories.person("contact", listed=True)
    colleague = User.objects.create_user("colleague")
    organisation = Membership.objects.get(user=contact).organisation
    Membership.objects.create(user=colleague, organisation=organisation)
    team = factories.person("someone-of-the-team", security_team=True)
    audit.record("seen", actor=contact, advisory=world.secret)
    audit.record("logged-in", actor=colleague)
    with audit.coming_from("192.0.2.44"):
        audit.record("invited", actor=team, organisation=organisation)
    audit.record("logged-in", actor=factories.person("other", listed=True))
    page = factories.log_in(Client(), contact).get("/organisation/audit/")
    assert [row["record"].verb for row in page.context["rows"]] == ["invited", "logged-in", "seen"]
    text = page.content.decode()
    assert "Example someone-of-the-team" in text
    assert ">someone-of-the-team" not in text
    assert "192.0.2.44" not in text
    page = factories.log_in(Client(), colleague).get("/organisation/audit/")
    assert [row["record"].verb for row in page.context["rows"]] == ["invited", "logged-in"]
    assert "777" not in page.content.decode()


def test_an_organisations_records_need_a_second_factor(db: None) -> None:
    user = factories.person("halfway", listed=True)
    client = Client()
    assert client.get("/organisation/audit/").status_code == 302
    client.force_login(user)
    answer = client.get("/organisation/audit/")
    assert answer.status_code == 403
    assert b"second factor" in answer.content


def test_the_pages_are_linked_from_where_one_looks(world: World, team: Client, member: Client) -> None:
    account = member.get("/account/").content.decode()
    assert 'href="/tokens/"' in account
    assert 'href="/organisation/audit/"' in account
    organisation = Membership.objects.get(user__username="member").organisation
    assert 'href="/organisation/audit/"' in member.get(f"/organisations/{organisation.pk}/").content.decode()
    linked = team.get(f"/organisations/{organisation.pk}/").content.decode()
    assert 'href="/audit/?organisation=Example%20member"' in linked


@pytest.mark.parametrize(
    ("address", "who"), [("192.0.2.7", "nobody known"), ("", "the machine"), (audit.MACHINE, "the machine")]
)
def test_what_the_machine_did_is_told_from_what_strangers_did(db: None, team: Client, address: str, who: str) -> None:
    with audit.coming_from(address):
        audit.record("tried-out", actor=None)
    page = team.get("/audit/?verb=tried-out").content.decode()
    assert f'<span class="soft">{who}</span>' in page
