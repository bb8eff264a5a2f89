"""The record of who saw and did what: complete, closed, and not to be changed without being seen."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from tests import factories
from tests.conftest import Execute
from tests.xsa.samples import advisory
from xsa import audit
from xsa.identity import Identity, _acting, everything, reading
from xsa.models import Admission, AuditRecord, Membership, User
from xsa.services.ingest import ingest_files
from xsa.visibility import visible_records


def test_records_follow_each_other_and_verify(db: None) -> None:
    actor = factories.person("reader", listed=True)
    with audit.coming_from("192.0.2.7"):
        first = audit.record("seen", actor=actor, advisory=factories.advisory(777, disclosed=False), route="advisory")
    second = audit.record("swept", actor=None)
    assert first and second
    assert (first.position, first.previous, second.position, second.previous) == (1, audit.FIRST, 2, first.hash)
    kept = AuditRecord.objects.get(pk=first.pk)
    assert (kept.actor, kept.actor_name, kept.organisation) == (str(actor.pk), "reader", "Example reader")
    assert (kept.advisories, kept.address, kept.detail) == ([777], "192.0.2.7", {"route": "advisory"})
    assert audit.verify() == audit.Verified(2, second.hash)


def test_what_no_column_takes_is_told_in_words_that_it_takes(db: None) -> None:
    actor = factories.person("odd")
    audit.record("seen", actor=actor, note="nul \0 and half \ud800", count=3, deep={"b": [1, None], "a": True})
    assert audit.verify().broken == ""
    assert AuditRecord.objects.get().detail["deep"] == {"a": True, "b": [1, None]}


def test_the_application_can_neither_change_nor_remove_a_record(db: None) -> None:
    audit.record("seen", actor=None)
    for change in (lambda: AuditRecord.objects.update(verb="x"), lambda: AuditRecord.objects.all().delete()):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()


@pytest.fixture
def chain(committed_db: None) -> Iterator[list[AuditRecord]]:
    """Five records, committed, so that the owner can meddle with them."""
    yield [row for number in range(5) if (row := audit.record("seen", actor=None, advisories=[number + 1]))]


@pytest.fixture
def meddle(owner_db: Execute) -> Iterator[Execute]:
    """The owner, who first has to take three guards away."""
    owner_db("ALTER TABLE xsa_auditrecord DISABLE TRIGGER only_added, NO FORCE ROW LEVEL SECURITY")
    yield owner_db
    owner_db("ALTER TABLE xsa_auditrecord ENABLE TRIGGER only_added, FORCE ROW LEVEL SECURITY")


def test_not_even_the_owner_changes_a_record_in_passing(chain: list[AuditRecord], owner_db: Execute) -> None:
    for change in ("UPDATE xsa_auditrecord SET verb = 'x'", "DELETE FROM xsa_auditrecord"):
        with pytest.raises(Exception, match="never changed or removed"):
            owner_db(change)


MEDDLING = {
    "changed": ("UPDATE xsa_auditrecord SET verb = 'nothing' WHERE position = 3", 3, "content"),
    "detail": ("UPDATE xsa_auditrecord SET detail = '{\"a\": 1}' WHERE position = 3", 3, "content"),
    "moved in time": ("UPDATE xsa_auditrecord SET at = at - interval '1 microsecond' WHERE position = 3", 3, "content"),
    "removed": ("DELETE FROM xsa_auditrecord WHERE position = 3", 4, "missing"),
    "removed and closed up": (
        (
            "DELETE FROM xsa_auditrecord WHERE position = 3; "
            "UPDATE xsa_auditrecord SET position = 3 WHERE position = 4; "
            "UPDATE xsa_auditrecord SET position = 4 WHERE position = 5"
        ),
        3,
        "does not follow",
    ),
    "first removed": ("DELETE FROM xsa_auditrecord WHERE position = 1", 2, "missing"),
    "reordered": (
        (
            "UPDATE xsa_auditrecord SET position = 99 WHERE position = 3; "
            "UPDATE xsa_auditrecord SET position = 3 WHERE position = 4; "
            "UPDATE xsa_auditrecord SET position = 4 WHERE position = 99"
        ),
        3,
        "does not follow",
    ),
    "inserted": (
        (
            "UPDATE xsa_auditrecord SET position = position + 100 WHERE position > 2; "
            "UPDATE xsa_auditrecord SET position = position - 99 WHERE position > 100; "
            "INSERT INTO xsa_auditrecord SELECT gen_random_uuid(), 3, at, verb, actor, actor_name, organisation, "
            "organisations, advisories, kind, thing, address, detail, hash, hash "
            "FROM xsa_auditrecord WHERE position = 2"
        ),
        3,
        "content",
    ),
}


@pytest.mark.parametrize("how", MEDDLING)
def test_meddling_is_found_where_it_begins(chain: list[AuditRecord], meddle: Execute, how: str) -> None:
    statement, position, words = MEDDLING[how]
    assert audit.verify().broken == ""
    meddle(statement)
    found = audit.verify()
    assert (found.position, words in found.broken) == (position, True), found


def test_an_end_that_was_cut_off_is_found_by_the_head_that_was_kept(chain: list[AuditRecord], meddle: Execute) -> None:
    head = audit.verify().head
    meddle("DELETE FROM xsa_auditrecord WHERE position = 5")
    assert audit.verify().broken == ""
    assert "cut off" in audit.verify(holds=head).broken


def test_the_command_prints_the_head_and_fails_at_a_broken_record(chain: list[AuditRecord], meddle: Execute) -> None:
    out = io.StringIO()
    call_command("verify_audit", stdout=out, holds=chain[2].hash)
    (head,) = AuditRecord.objects.order_by("-position").values_list("hash", flat=True)[:1]
    assert f"head={head}" in out.getvalue()
    meddle("UPDATE xsa_auditrecord SET verb = 'nothing' WHERE position = 2")
    with pytest.raises(CommandError, match="record 2") as error:
        call_command("verify_audit", stdout=out)
    assert error.value.returncode == 1


def test_those_who_append_at_once_follow_each_other(committed_db: None) -> None:
    def append() -> None:
        with everything("tests"):
            for _ in range(5):
                audit.record("seen", actor=None)
        connection.close()

    threads = [threading.Thread(target=append) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert audit.verify() == audit.Verified(20, AuditRecord.objects.get(position=20).hash)


def test_what_is_undone_leaves_no_record_and_no_gap(committed_db: None) -> None:
    audit.record("seen", actor=None)
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record("disclosed", actor=None)
        raise RuntimeError
    audit.record("seen", actor=None)
    assert [row.verb for row in AuditRecord.objects.all()] == ["seen", "seen"]
    assert audit.verify().broken == ""


def test_long_work_holds_the_chain_only_at_its_end(db: None) -> None:
    with audit.at_the_end():
        audit.record("mined", actor=None)
        with audit.at_the_end():
            audit.record("disclosed", actor=None)
        assert not AuditRecord.objects.exists()
    assert [row.verb for row in AuditRecord.objects.all()] == ["disclosed", "mined"]
    with pytest.raises(RuntimeError), audit.at_the_end():
        audit.record("mined", actor=None)
        raise RuntimeError
    assert AuditRecord.objects.count() == 2


def test_a_chain_longer_than_a_batch_is_walked_to_its_end(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    for _ in range(5):
        audit.record("seen", actor=None)
    assert audit.verify().count == 5


def test_a_command_is_recorded_before_it_sees_everything(db: None) -> None:
    with pytest.raises(CommandError):
        call_command("mine_advisories", "nowhere")
    row = AuditRecord.objects.get(verb="bypassed")
    assert (row.actor, row.address, row.detail["command"]) == ("", "the machine itself", "mine_advisories")


def test_taking_in_is_recorded_in_its_own_transaction(db: None) -> None:
    files = advisory(900)
    ingest_files(None, files=files)
    ingest_files(None, files=files)
    rows = [(row.verb, row.advisories, row.detail["states"]) for row in AuditRecord.objects.filter(verb="ingested")]
    assert rows == [("ingested", [900], ["new"])]


# -- who reads it ---------------------------------------------------------------------------------------------------


@pytest.fixture
def told(db: None) -> dict[str, User]:
    """An advisory that one of two members of an organisation sees, and what both of them did."""
    secret = factories.advisory(777, disclosed=False)
    contact = factories.person("contact", listed=True)
    colleague = User.objects.create_user("colleague")
    organisation = Membership.objects.get(user=contact).organisation
    Membership.objects.create(user=colleague, organisation=organisation)
    colleague.cleared = True
    other, team = factories.person("other", listed=True), factories.person("team", security_team=True)
    audit.record("seen", actor=contact, advisory=secret)
    audit.record("logged-in", actor=colleague)
    audit.record("logged-in", actor=other)
    audit.record("invited", actor=team, organisation=organisation)
    return {"contact": contact, "colleague": colleague, "other": other, "team": team}


READ = {
    "team": {"seen contact", "logged-in colleague", "logged-in other", "invited team"},
    "contact": {"seen contact", "logged-in colleague", "invited team"},
    "colleague": {"logged-in colleague", "invited team"},
    "other": {"logged-in other"},
}


def _words() -> set[str]:
    return {f"{row.verb} {row.actor_name}" for row in AuditRecord.objects.all()}


@pytest.mark.parametrize("who", READ)
def test_each_reads_their_own_and_nothing_of_what_they_may_not_see(told: dict[str, User], who: str) -> None:
    with reading(told[who]):
        assert _words() == READ[who]
    with everything("tests"):  # the application's wall, alone
        assert {f"{row.verb} {row.actor_name}" for row in visible_records(told[who])} == READ[who]


@pytest.mark.parametrize("kind", ["nobody", "no-second-factor", "inactive", "token"])
def test_nobody_else_reads_a_record(told: dict[str, User], kind: str) -> None:
    user = told["team"]
    if kind == "no-second-factor":
        user.cleared = False
    if kind == "inactive":
        User.objects.update(is_active=False)
    if kind == "token":
        user.only = (777,)
    with _acting(Identity()) if kind == "nobody" else reading(user):
        assert not AuditRecord.objects.exists()
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            AuditRecord.objects.create(position=99, at=factories.DAY, verb="x", previous="x", hash="x")


def test_who_was_let_in_reads_of_that_advisory_in_their_organisation(told: dict[str, User]) -> None:
    membership = Membership.objects.get(user=told["colleague"])
    membership.contact = False
    membership.save()
    advisory = factories.advisory(778, disclosed=False)
    Admission.objects.create(advisory=advisory, membership=membership, admitted_by=told["team"])
    audit.record("seen", actor=told["contact"], advisory=advisory)
    with reading(told["colleague"]):
        assert [row.advisories for row in AuditRecord.objects.filter(verb="seen")] == [[778]]


def test_the_same_within_a_while_is_told_once(db: None) -> None:
    actor = factories.person("reader", listed=True)
    for route in ("queue", "queue", "matrix"):
        audit.record("seen", actor=actor, advisories=[7], once_in=timedelta(minutes=10), route=route)
    assert AuditRecord.objects.count() == 2
