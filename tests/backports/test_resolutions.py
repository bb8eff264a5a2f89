"""A person's answer to a conflict: kept from a finished series, offered on other branches, and to whom."""

from __future__ import annotations

import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from backports.engine.errors import MalformedPatch
from backports.models import Attempt, Resolution
from backports.services.open_conflicts import conflicts_of
from backports.services.resolutions import CannotRemember, offers_for, remember, why_not
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, git, guard, replaced
from xsa.models import Advisory, Membership, Organisation, User

PATH = "common/queue.c"
TRACE = "toy_trace(toy, TRACE_QUEUE_PULL, queue_pull_index);"
LOG = 'toy_log(toy, "pull");'
FIX: Edits = {PATH: [(TRACE, "toy_trace_pull(toy);")]}
DONE: Edits = {PATH: [(LOG, 'toy_log_pull(toy, "pull");')]}


@pytest.fixture
def member(db: None) -> User:
    return factories.person("member", listed=True)


@pytest.fixture
def logged(workshop: Workshop) -> Workshop:
    """The old branches log where the newer ones trace, and an embargoed fix changes what is traced."""
    for branch in ("4.1", "4.2", "4.3"):
        workshop.toy.commit(branch, {PATH: [(TRACE, LOG)]}, "queue: log")
    workshop.toy.commit("4.3", {PATH: [(LOG, 'toy_log(toy, "pulled");')]}, "queue: log otherwise")
    workshop.mine()
    take(workshop, 950)
    workshop.work()
    return workshop


def take(workshop: Workshop, number: int, edits: Edits = FIX) -> None:
    workshop.take(number, {f"xsa{number}.patch": workshop.toy.patch("master", edits, "queue: trace")})


def disclose(number: int) -> None:
    Advisory.objects.filter(number=number).update(disclosed_at=factories.DAY, disclosure_reason="test")


def finished(workshop: Workshop, branch: str, edits: Edits = DONE) -> bytes:
    return workshop.toy.patch(branch, edits, "queue: log the pull")


def answer(workshop: Workshop, member: User, number: int = 950, branch: str = "4.2") -> None:
    assert remember(member, attempt=workshop.cell(number, branch), finished=finished(workshop, branch)).new == 1


def said(reader: User | AnonymousUser, attempt: Attempt) -> list[bytes]:
    return [b"".join(one.answer.lines) for one in offers_for(reader, attempt).offered]


def test_an_attempt_keeps_its_conflicts_as_evidence(logged: Workshop) -> None:
    left = conflicts_of(logged.cell(950, "4.2"))
    assert [(one.path, one.chunk.ours) for one in left.found] == [(PATH, (f"    {LOG}\n".encode(),))]
    assert left.whole
    assert conflicts_of(logged.cell(950, "4.5")).found == ()


def test_an_answer_from_one_branch_is_offered_on_another_with_the_whole_result(logged: Workshop, member: User) -> None:
    answer(logged, member)
    row = logged.cell(950, "4.1")
    offers = offers_for(member, row)
    (one,) = offers.offered
    assert (one.row.branch.name, one.row.organisation.name, one.answer.exact) == ("4.2", "Example member", True)
    assert one.answer.lines == (b'    toy_log_pull(toy, "pull");\n',)
    git(logged.mirror, "read-tree", row.tip)
    git(logged.mirror, "apply", "--cached", data=offers.proposal)
    made = git(logged.mirror, "show", f":{PATH}").decode()
    assert made == done_text(logged, "4.1")


def test_an_offer_changes_nothing_of_the_attempt(logged: Workshop, member: User) -> None:
    before = Attempt.objects.filter(pk=logged.cell(950, "4.1").pk).values().get()
    answer(logged, member)
    offers_for(member, logged.cell(950, "4.1"))
    logged.work()
    assert Attempt.objects.filter(pk=logged.cell(950, "4.1").pk).values().get() == before
    assert before["outcome"] == "conflict"


def test_a_conflict_that_differs_in_a_word_is_offered_nothing(logged: Workshop, member: User) -> None:
    answer(logged, member)
    assert conflicts_of(logged.cell(950, "4.3")).asked
    assert offers_for(member, logged.cell(950, "4.3")).offered == ()


def test_what_landed_stays_in_the_proposal(logged: Workshop, member: User) -> None:
    take(logged, 951, FIX | {"common/table.c": [guard("table_pick")]})
    logged.work()
    edits = DONE | {"common/table.c": [guard("table_pick")]}
    done = remember(member, attempt=logged.cell(951, "4.2"), finished=finished(logged, "4.2", edits))
    assert (done.new, done.untold) == (1, ())
    row = logged.cell(951, "4.1")
    assert (row.outcome, row.hunks_landed) == ("partly-applied", 1)
    proposal = offers_for(member, row).proposal
    assert proposal.count(b"diff --git ") == 2
    assert b"+    if ( table_pick_index >= table_pick_limit )" in proposal
    assert b"+    toy_log_pull" in proposal


def test_the_same_series_again_changes_nothing_and_a_later_answer_takes_its_place(
    logged: Workshop, member: User
) -> None:
    answer(logged, member)
    first = Resolution.objects.get()
    again = remember(member, attempt=logged.cell(950, "4.2"), finished=finished(logged, "4.2"))
    assert (again.new, again.known) == (0, 1)
    assert Resolution.objects.get().created_at == first.created_at
    other: Edits = {PATH: [(LOG, "toy_log_other(toy);")]}
    assert remember(member, attempt=logged.cell(950, "4.2"), finished=finished(logged, "4.2", other)).new == 1
    assert said(member, logged.cell(950, "4.1")) == [b"    toy_log_other(toy);\n"]


def test_organisations_that_answer_otherwise_are_rivals_and_the_newest_goes_first(
    logged: Workshop, member: User
) -> None:
    answer(logged, member)
    team = factories.person("team", security_team=True)
    other: Edits = {PATH: [(LOG, "toy_log_other(toy);")]}
    remember(team, attempt=logged.cell(950, "4.2"), finished=finished(logged, "4.2", other))
    (one,) = offers_for(member, logged.cell(950, "4.1")).offered
    assert (one.row.organisation, one.answer.rivals) == (None, 1)
    assert one.answer.lines == (b"    toy_log_other(toy);\n",)


def test_the_database_holds_one_answer_of_the_security_team_to_a_chunk(logged: Workshop) -> None:
    team = factories.person("team", security_team=True)
    answer(logged, team)
    row = Resolution.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_finished_files_do_as_well_as_a_series(logged: Workshop, member: User) -> None:
    files = {PATH: done_text(logged, "4.2").encode()}
    assert remember(member, attempt=logged.cell(950, "4.2"), finished=files).new == 1
    assert said(member, logged.cell(950, "4.1")) == [b'    toy_log_pull(toy, "pull");\n']


def test_an_outsider_is_offered_nothing_of_what_is_embargoed_and_all_of_it_afterwards(
    logged: Workshop, member: User
) -> None:
    answer(logged, member)
    outsiders = (AnonymousUser(), factories.person("outsider"))
    cell = logged.cell(950, "4.1")
    assert [said(one, cell) for one in outsiders] == [[], []]
    disclose(950)
    assert [len(said(one, cell)) for one in outsiders] == [1, 1]


def test_an_answer_of_an_embargoed_advisory_stands_beside_no_other_advisory(logged: Workshop, member: User) -> None:
    answer(logged, member)
    take(logged, 951)
    logged.work()
    other = logged.cell(951, "4.1")
    assert said(member, other) == []
    disclose(951)
    assert said(member, logged.cell(951, "4.1")) == []
    disclose(950)
    assert len(said(AnonymousUser(), logged.cell(951, "4.1"))) == 1


def test_an_answer_of_a_disclosed_advisory_helps_an_embargoed_one(logged: Workshop, member: User) -> None:
    disclose(950)
    answer(logged, member)
    take(logged, 951)
    logged.work()
    assert len(said(member, logged.cell(951, "4.1"))) == 1
    assert said(AnonymousUser(), logged.cell(951, "4.1")) == [b'    toy_log_pull(toy, "pull");\n']


def test_an_answer_that_builds_on_an_embargoed_advisory_is_as_secret_as_that(logged: Workshop, member: User) -> None:
    disclose(950)
    take(logged, 952)
    answer(logged, member)
    Resolution.objects.update(prerequisites=[952])
    assert said(AnonymousUser(), logged.cell(950, "4.1")) == []
    assert len(said(member, logged.cell(950, "4.1"))) == 1
    disclose(952)
    assert len(said(AnonymousUser(), logged.cell(950, "4.1"))) == 1


def test_the_page_offers_the_proposal_and_git_and_patch_take_it_with_its_notes(
    logged: Workshop, member: User, tmp_path: Path
) -> None:
    answer(logged, member)
    client, row = Client(), logged.cell(950, "4.1")
    factories.log_in(client, member)
    shown = client.get(f"/attempts/{row.pk}/").content.decode()
    assert f'href="/attempts/{row.pk}/proposal.patch"' in shown.replace("\n", "")
    assert "The result with it applied" in shown
    assert "significantly different patch" in shown
    download = client.get(f"/attempts/{row.pk}/proposal.patch")
    assert download["Content-Disposition"] == 'attachment; filename="xsa950-4.1-proposal.patch"'
    assert download["Cache-Control"] == "no-store, no-transform"
    assert b"# EMBARGOED: XSA-950 is not disclosed." in download.content
    assert b"# PROPOSAL: " in download.content
    before, after = (text.encode() for text in (logged.toy.text("4.1", PATH), done_text(logged, "4.1")))
    for command in (("git", "apply", "-"), ("patch", "-p1", "--quiet")):
        file = tmp_path / command[0] / PATH
        file.parent.mkdir(parents=True)
        file.write_bytes(before)
        subprocess.run(command, cwd=tmp_path / command[0], input=download.content, check=True)
        assert file.read_bytes() == after


def done_text(workshop: Workshop, branch: str) -> str:
    """The file as a person finished it."""
    return replaced(workshop.toy.text(branch, PATH), DONE[PATH])  # type: ignore[arg-type]


def refused(actor: User, attempt: Attempt, series: bytes, organisation: Organisation | None = None) -> str:
    with pytest.raises(CannotRemember) as caught:
        remember(actor, attempt=attempt, finished=series, organisation=organisation)
    assert not Resolution.objects.exists()
    return caught.value.code


def test_only_members_answer_and_only_what_they_see(logged: Workshop, member: User) -> None:
    outsider, cell = factories.person("outsider"), logged.cell(950, "4.2")
    secret = why_not(outsider, cell)
    assert refused(outsider, cell, finished(logged, "4.2")) == "not-allowed"
    disclose(950)
    assert why_not(outsider, cell) != secret
    assert refused(outsider, cell, finished(logged, "4.2")) == "not-allowed"
    assert why_not(member, cell) == ""
    Membership.objects.all().delete()
    assert refused(member, cell, finished(logged, "4.2")) == "not-allowed"


def test_a_person_of_two_organisations_says_for_which(logged: Workshop, member: User) -> None:
    second = Organisation.objects.create(name="Example second", listed=True)
    stranger = Organisation.objects.create(name="Example stranger", listed=True)
    Membership.objects.create(user=member, organisation=second)
    series, cell = finished(logged, "4.2"), logged.cell(950, "4.2")
    assert refused(member, cell, series) == "which-one"
    assert refused(member, cell, series, stranger) == "not-allowed"
    assert remember(member, attempt=cell, finished=series, organisation=second).new == 1
    assert Resolution.objects.get().organisation == second


def test_a_series_that_does_not_apply_as_it_is_teaches_nothing(logged: Workshop, member: User) -> None:
    cell = logged.cell(950, "4.2")
    assert refused(member, cell, finished(logged, "4.5", FIX)) == "does-not-apply"
    with pytest.raises(MalformedPatch):
        remember(member, attempt=cell, finished=b"no patch at all\n")
    assert refused(member, logged.cell(950, "4.5"), finished(logged, "4.5", FIX)) == "no-conflicts"


def test_bytes_that_are_no_text_are_not_read_back_as_others(logged: Workshop, member: User) -> None:
    row = logged.cell(950, "4.2")
    row.evidence["conflicts"]["chunks"][0]["ours"] = "    toy_log(toy, \ufffd);\n"
    row.save()
    assert conflicts_of(row).found == ()
    assert refused(member, row, finished(logged, "4.2")) == "no-conflicts"


def run(*args: str) -> str:
    out = StringIO()
    call_command("remember_resolution", *args, stdout=out)
    return out.getvalue()


def test_the_command_keeps_a_finished_series(logged: Workshop, member: User, tmp_path: Path) -> None:
    file, pk = tmp_path / "done.patch", str(logged.cell(950, "4.2").pk)
    file.write_bytes(finished(logged, "4.2"))
    args = (pk, "--as", "member", "--patch", str(file))
    assert run(*args) == "1 kept, 0 known already, 0 not told apart\n"
    assert run(*args, "--organisation", "Example member") == "0 kept, 1 known already, 0 not told apart\n"


def test_the_command_says_what_could_not_be_told_apart(logged: Workshop, member: User, tmp_path: Path) -> None:
    file = tmp_path / "done.patch"
    file.write_bytes(finished(logged, "4.2", {PATH: [guard("queue_peek")]}))
    told = run(str(logged.cell(950, "4.2").pk), "--as", "member", "--patch", str(file))
    assert "0 kept, 0 known already, 1 not told apart" in told
    assert f"{PATH}:22: left-alone: the chunk was left as it is" in told


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"--as": "nobody"}, "no-such-person"),
        ({"attempt": "00000000-0000-4000-8000-000000000000"}, "no-such-attempt"),
        ({"--organisation": "none"}, "no-such-organisation"),
        ({"--patch": "/nonexistent"}, "missing-file"),
        ({"--as": "outsider"}, "not-allowed"),
    ],
)
def test_the_command_refuses_with_a_code(
    logged: Workshop, member: User, tmp_path: Path, change: dict[str, str], code: str
) -> None:
    factories.person("outsider")
    (tmp_path / "done.patch").write_bytes(finished(logged, "4.2"))
    args = {"attempt": str(logged.cell(950, "4.2").pk), "--as": "member", "--patch": str(tmp_path / "done.patch")}
    args |= change
    with pytest.raises(CommandError, match=f"^{code}: "):
        run(args.pop("attempt"), *(word for pair in args.items() for word in pair))
    assert not Resolution.objects.exists()
