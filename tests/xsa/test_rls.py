"""The database's own wall, with nothing of the application in front of it."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, DataError, OperationalError, connection, transaction

from backports.models import Attempt, Resolution, UpstreamFix
from tests import factories
from tests.conftest import Execute
from xsa import rls
from xsa.identity import Identity, _acting, everything, reading
from xsa.models import (
    Admission,
    Advisory,
    AdvisoryVersion,
    DisclosureRequest,
    Fix,
    FixPatch,
    Membership,
    Organisation,
    PatchFile,
    PlannedDate,
    Statement,
    User,
)

NOBODY = Identity()


@pytest.fixture
def secret(db: None) -> Advisory:
    """An embargoed advisory with a row in every table that leads to it."""
    row = factories.advisory(777, disclosed=False)
    branch = factories.branch(factories.repository())
    factories.fix(row, file=factories.patch_file(row))
    factories.attempt(row, branch)
    factories.upstream_fix(row, branch)
    said(row)
    return row


def said(row: Advisory) -> Statement:
    """What a member says of an advisory, and the date that is planned for it."""
    user = User.objects.create_user("somebody")
    organisation = Organisation.objects.create(name="Example Distribution", listed=True)
    PlannedDate.objects.create(advisory=row, version=1, set_at=factories.DAY)
    values = {"branch": "4.11", "state": "looking", "made_by": user, "made_at": factories.DAY}
    return Statement.objects.create(advisory=row, organisation=organisation, **values)


SECRET_TABLES = [
    *(Advisory, AdvisoryVersion, PatchFile, Fix, FixPatch, Attempt, UpstreamFix),
    *(PlannedDate, Statement),
]


def seen(model: Any) -> int:
    return int(model.objects.count())


@pytest.mark.parametrize("model", SECRET_TABLES)
def test_nobody_sees_a_row(secret: Advisory, model: Any) -> None:
    assert seen(model) == 1
    with _acting(NOBODY):
        assert seen(model) == 0


@pytest.mark.parametrize("model", SECRET_TABLES)
def test_a_contact_of_a_listed_organisation_and_the_team_see_it(secret: Advisory, model: Any) -> None:
    for user in (factories.person("contact", listed=True), factories.person("team", security_team=True)):
        with reading(user):
            assert seen(model) == 1


@pytest.mark.parametrize("model", SECRET_TABLES)
@pytest.mark.parametrize("kind", ["not-listed", "no-contact", "no-second-factor", "inactive"])
def test_others_do_not(secret: Advisory, model: Any, kind: str) -> None:
    user = factories.person("other", listed=kind != "not-listed", contact=kind != "no-contact")
    user.cleared = kind != "no-second-factor"
    if kind == "inactive":
        User.objects.filter(pk=user.pk).update(is_active=False)
        user.is_active = True  # what a stale session still believes
    with reading(user):
        assert seen(model) == 0


@pytest.mark.parametrize("model", SECRET_TABLES)
def test_a_member_who_was_let_in_sees_that_one_advisory(secret: Advisory, model: Any) -> None:
    user = factories.person("guest", listed=True, contact=False)
    factories.advisory(778, disclosed=False)
    admitted(user, secret)
    with reading(user):
        assert seen(model) == 1
    Organisation.objects.update(listed=False)
    with reading(user):
        assert seen(model) == 0


def admitted(user: User, advisory: Advisory) -> Admission:
    membership = Membership.objects.get(user=user)
    return Admission.objects.create(advisory=advisory, membership=membership, admitted_by=user)


def test_a_token_for_one_advisory_opens_no_other(secret: Advisory) -> None:
    user = factories.person("contact", listed=True)
    with reading(user, only=(778,)):
        assert seen(Advisory) == 0
    with reading(user, only=(777, 778)):
        assert seen(Advisory) == 1


def test_a_result_on_top_of_a_secret_one_is_as_secret(secret: Advisory) -> None:
    known = factories.advisory(456)
    other = factories.branch(factories.repository("other"))
    factories.attempt(known, other, prerequisites=[777])
    with _acting(NOBODY):
        assert seen(Attempt) == 0
    Advisory.objects.filter(pk=secret.pk).update(disclosed_at=factories.DAY, disclosure_reason="test")
    with _acting(NOBODY):
        assert seen(Attempt) == 2


@pytest.mark.parametrize("model", [PlannedDate, Statement])
def test_what_the_room_shares_stays_in_it_after_disclosure(secret: Advisory, model: Any) -> None:
    Advisory.objects.filter(pk=secret.pk).update(disclosed_at=factories.DAY, disclosure_reason="test")
    guest = factories.person("guest", listed=True, contact=False)
    admitted(guest, secret)
    for user, rows in (
        (factories.person("outsider"), 0),
        (factories.person("colleague", listed=True, contact=False), 0),
        (factories.person("contact", listed=True), 1),
        (guest, 1),
    ):
        with reading(user):
            assert (seen(Advisory), seen(model)) == (1, rows)
    with reading(guest, only=(778,)):
        assert seen(model) == 0


def test_requests_to_disclose_are_the_teams(secret: Advisory) -> None:
    team = factories.person("team", security_team=True)
    DisclosureRequest.objects.create(advisory=secret, reason="x", asked_by=team, asked_at=factories.DAY)
    with reading(factories.person("contact", listed=True)):
        assert seen(DisclosureRequest) == 0
    with reading(team):
        assert seen(DisclosureRequest) == 1


def test_what_no_advisory_owns_is_the_teams(db: None) -> None:
    factories.patch_file(None)
    with reading(factories.person("contact", listed=True)):
        assert seen(PatchFile) == 0
    with reading(factories.person("team", security_team=True)):
        assert seen(PatchFile) == 1


def test_nothing_can_be_written_that_could_not_be_read(secret: Advisory) -> None:
    branch = factories.branch(factories.repository("other"))
    values = {"input_key": "0", "tip": factories.OID, "seen_tip": factories.OID, "because": "x"}
    with _acting(NOBODY):
        assert Attempt.objects.update(because="mine") == 0
        assert Attempt.objects.all().delete()[0] == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Attempt.objects.create(advisory_id=secret.pk, branch_id=branch.pk, **values)


def test_not_even_the_team_discloses_but_by_the_service(secret: Advisory) -> None:
    with reading(factories.person("team", security_team=True)):
        assert Advisory.objects.update(disclosed_at=factories.DAY, disclosure_reason="mine") == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Advisory.objects.create(number=9)


def test_every_table_with_a_path_to_an_advisory_is_protected_for_its_owner_too(db: None, owner_db: Execute) -> None:
    assert rls.check_models() == []
    assert rls.unprotected() == []
    assert {model._meta.db_table for model in rls.secret_models()} >= {"xsa_fixpatch", "backports_compilation"}


def test_the_policies_in_the_database_are_those_of_the_models(db: None, owner_db: Execute) -> None:
    """Made again from the models inside a transaction that is thrown away, they read the same."""
    before = owner_db(POLICIES)
    statements = [
        one for model in rls.secret_models() for one in rls.protect(model, rls.readers_of(model) or rls.Root())
    ]
    owner_db("; ".join(statements))
    assert owner_db(POLICIES) == before
    assert {table for table, *_ in before} == {model._meta.db_table for model in rls.secret_models()}


def test_a_database_with_older_policies_gets_those_of_the_models(django_db_setup: None, owner_db: Execute) -> None:
    """All are under others, some by names that are used no more, and written anew; thrown away at the end."""
    steps = [(app, step) for app in ("xsa", "backports") for step in _written_anew(app)]
    models = [apps.get_model(app, step.model_name) for app, step in steps]
    before = owner_db(POLICIES)
    owner_db("BEGIN")
    for table in [model._meta.db_table for model in models]:
        owner_db(f"ALTER POLICY readers ON {table} USING (false); DROP POLICY IF EXISTS writers ON {table}")
        owner_db(f"CREATE POLICY writers ON {table} FOR ALL USING (true)")
    closed = {table for table, name, _, condition, _ in owner_db(POLICIES) if (name, condition) == ("readers", "false")}
    for model, (_, step) in zip(models, steps, strict=True):
        owner_db("; ".join(rls.protect(model, step.readers)))
    after = owner_db(POLICIES)
    owner_db("ROLLBACK")
    assert closed == {model._meta.db_table for model in rls.secret_models()}
    assert after == before


def _written_anew(app: str) -> list[Any]:
    """The steps of the app's last migration of that kind, and those of tables that came after it."""
    names = sorted(path.stem for path in Path(apps.get_app_config(app).path, "migrations").glob("0*.py"))
    last = max(name for name in names if name.endswith("_policies_again"))
    later = [importlib.import_module(f"{app}.migrations.{name}").Migration for name in names if name >= last]
    return [step for migration in later for step in migration.operations if isinstance(step, rls.Protect)]


POLICIES = "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies ORDER BY tablename, policyname"


def test_a_bypass_needs_a_known_name_and_ends_with_its_block(secret: Advisory) -> None:
    with pytest.raises(ValueError, match="no service"), everything("anything"):
        pass
    with _acting(NOBODY):
        with everything("attempts"):
            assert seen(Advisory) == 1
        assert seen(Advisory) == 0


def test_a_bypass_ends_with_an_exception_too(secret: Advisory) -> None:
    with _acting(NOBODY):
        with pytest.raises(RuntimeError), everything("attempts"):
            raise RuntimeError
        assert seen(Advisory) == 0


def test_an_error_of_the_database_leaves_no_reader_behind(secret: Advisory) -> None:
    with _acting(NOBODY):
        with pytest.raises(DatabaseError), transaction.atomic(), everything("attempts"), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert seen(Advisory) == 0


@pytest.fixture
def committed_secret(committed_db: None) -> Iterator[Advisory]:
    yield factories.advisory(777, disclosed=False)


@pytest.mark.parametrize("end", ["commit", "rollback", "timeout", "lost", "outside"])
def test_a_connection_that_is_used_again_carries_nobody(committed_secret: Advisory, end: str) -> None:
    with ExitStack() as stack:
        if end in ("rollback", "timeout", "lost"):
            stack.enter_context(pytest.raises(DatabaseError))
        with everything("attempts"):
            if end == "outside":
                assert seen(Advisory) == 1
            else:
                _use(end)
    with _acting(NOBODY), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('xsa.reader', true), current_setting('xsa.everything', true)")
        assert not any(cursor.fetchone())
        cursor.execute("SELECT count(*) FROM xsa_advisory")
        assert cursor.fetchone() == (0,)


def test_a_database_that_goes_away_is_told_as_such(committed_secret: Advisory) -> None:
    """Its own error comes through the blocks that name a reader, and nobody's name holds after it."""
    with pytest.raises(OperationalError), transaction.atomic(), everything("attempts"):
        connection.cursor().execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with _acting(NOBODY):
        assert seen(Advisory) == 0


def _use(end: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        assert seen(Advisory) == 1
        cursor.execute("SET LOCAL statement_timeout = 20")
        if end == "rollback":
            cursor.execute("SELECT 1 / 0")
        if end == "timeout":
            cursor.execute("SELECT pg_sleep(1)")
        if end == "lost":
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_another_thread_begins_as_nobody(committed_secret: Advisory) -> None:
    counted: list[int] = []

    def count() -> None:
        counted.append(seen(Advisory))
        connection.close()

    with everything("attempts"):
        other = threading.Thread(target=count)
        other.start()
        other.join()
    assert counted == [0]


def test_a_list_that_is_read_bit_by_bit_outside_a_transaction_is_read_as_the_reader(committed_secret: Advisory) -> None:
    with everything("attempts"):
        assert [row.number for row in Advisory.objects.iterator(chunk_size=1)] == [777]
    with _acting(NOBODY):
        assert list(Advisory.objects.iterator(chunk_size=1)) == []


def test_a_single_query_tells_its_reader_and_leaves_nobody_behind(committed_secret: Advisory) -> None:
    with everything("attempts"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*), '100%' FROM xsa_advisory")
        assert cursor.fetchone() == (1, "100%")
        cursor.execute("SELECT count(*), '%%', %s FROM xsa_advisory", ["5%"])
        assert cursor.fetchone() == (1, "%", "5%")
        with pytest.raises(DataError):
            cursor.execute("SELECT 1 / %s", [0])
        assert connection.get_autocommit()
        assert Advisory.objects.update(number=778) == 1
    with _acting(NOBODY), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('xsa.reader', true), current_setting('xsa.everything', true)")
        assert not any(cursor.fetchone())
        cursor.execute("SELECT count(*) FROM xsa_advisory")
        assert cursor.fetchone() == (0,)


def test_an_answer_is_as_secret_as_its_advisory(secret: Advisory) -> None:
    assert rls.readers_of(Resolution) is not None
    user = factories.person("contact", listed=True)
    sides = {"base": b"", "ours": b"", "theirs": b"", "answer": b""}
    branch = Attempt.objects.get().branch
    values = {"path": "a", "key": "k", "loose_key": "k", "created_at": factories.DAY, **sides}
    Resolution.objects.create(advisory=secret, branch=branch, made_by=user, **values)
    with _acting(NOBODY):
        assert seen(Resolution) == 0
    with reading(user):
        assert seen(Resolution) == 1
