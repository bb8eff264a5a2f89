"""What members send: kept, read, placed, tried, compared; and nothing of it lost or made twice."""

from __future__ import annotations

import io
import tarfile
import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections

from backports.git.store import open_repository
from backports.models import Backport, BackportVersion, Branch, Event, Upload
from backports.services import receiving, sharing
from backports.services.errors import NotDone
from backports.services.receiving import Origin, confirm, receive, submit
from backports.services.repositories import add_repository
from tests import factories
from tests.backports.conftest import Workshop
from xsa.identity import everything
from xsa.models import Advisory, AuditRecord, Membership, Organisation, User
from xsa.services.disclose import disclose

LIMIT = "    unsigned int table_pick_limit = toy->table_pick_count;\n\n"
CHECK = "    if ( toy_check(table_pick_index) )\n        return -1;\n\n"
PUSH = "    spin_lock(&toy->queue_push_lock);\n"


@pytest.fixture
def member(db: None) -> User:
    return factories.person("one", listed=True)


@pytest.fixture
def organisation(member: User) -> Organisation:
    return Organisation.objects.get(memberships__user=member)


@pytest.fixture
def advisory(workshop: Workshop) -> Advisory:
    """Embargoed, with its official fix for master."""
    return workshop.take(500, {"xsa500.patch": patch(workshop, "master")})


def patch(workshop: Workshop, on: str, check: str = CHECK, subject: str = "table: check what is picked") -> bytes:
    return workshop.toy.patch(on, {"common/table.c": [(LIMIT, LIMIT + check)]}, subject)


def branch(name: str = "4.1") -> Branch:
    return Branch.objects.get(name=name, repository__name="toy")


@pytest.fixture
def send(member: User, organisation: Organisation, advisory: Advisory) -> Any:
    def call(data: bytes, name: str = "xsa500-4.1.patch", on: str = "4.1", **more: Any) -> receiving.Received:
        place = {"advisory": advisory, "branch": branch(on)} | more
        return submit(member, organisation=organisation, name=name, data=data, **place)

    return call


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_an_upload_proposes_its_advisory_and_branch(
    workshop: Workshop, member: User, organisation: Organisation, advisory: Advisory
) -> None:
    factories.advisory(501, disclosed=False)
    upload = receive(member, organisation=organisation, name="xsa500-4.1.patch", data=patch(workshop, "4.1"))
    assert [one["number"] for one in upload.proposal["advisories"]] == [500]
    first, *others = upload.proposal["branches"]
    assert (first["name"], first["named"], first["standing"]) == ("4.1", True, 1)
    assert {one["name"] for one in others} >= {"4.3"}


def test_a_proposal_names_no_advisory_that_the_sender_may_not_see(workshop: Workshop, advisory: Advisory) -> None:
    outsider = factories.person("outsider")
    own = Organisation.objects.get(memberships__user=outsider)
    upload = receive(outsider, organisation=own, name="xsa500-4.1.patch", data=patch(workshop, "4.1"))
    assert upload.proposal["advisories"] == []


def test_the_branch_is_proposed_by_where_it_fits(
    workshop: Workshop, member: User, organisation: Organisation, advisory: Advisory
) -> None:
    edits = {"arch/timer.c": [("int timer_arm(", "int  timer_arm(")]}
    upload = receive(member, organisation=organisation, name="a.patch", data=workshop.toy.patch("4.2", edits, "timer"))
    assert [one["name"] for one in upload.proposal["branches"]] == ["4.3", "4.2", "4.1"]


def test_a_patch_becomes_a_version_with_its_verdict(workshop: Workshop, send: Any) -> None:
    received = send(patch(workshop, "4.1"))
    version = received.version
    assert received.created and version.number == 1
    assert (version.outcome, version.rung, version.base) == ("applied", "exact", workshop.toy.tip("4.1"))
    assert (version.hunks_landed, version.hunks_total) == (1, 1)
    assert version.compared["counts"] == {"same": 1, "adapted": 0, "missing": 0, "extra": 0}
    repo = open_repository(workshop.results(500))
    tree = repo.get(version.result).tree
    assert b"toy_check(table_pick_index)" in tree["common/table.c"].data
    assert version.backport.life == "draft" and version.backport.shared_at is None


def test_it_is_told_hunk_by_hunk_how_it_differs_from_the_official_fix(workshop: Workshop, send: Any) -> None:
    other = CHECK.replace("return -1", "return -EINVAL")
    edits = {"common/table.c": [(LIMIT, LIMIT + other)], "common/queue.c": [(PUSH, PUSH + "    barrier();\n")]}
    version = send(workshop.toy.patch("4.1", edits, "table: check")).version
    assert version.compared["counts"] == {"same": 0, "adapted": 1, "missing": 0, "extra": 1}
    (extra,) = [pair for pair in version.compared["pairs"] if pair["fate"] == "extra"]
    assert extra["ours"][0]["path"] == "common/queue.c"


def test_what_does_not_apply_is_kept_and_told_why(workshop: Workshop, send: Any) -> None:
    data = patch(workshop, "4.1").replace(b"table_pick", b"nowhere_pick")
    version = send(data).version
    assert version.outcome == "conflict" and version.result == ""
    (file,) = version.evidence["patches"][0]["files"]
    assert file["hunks"][0]["rejection"]["sentence"]
    assert bytes(version.patches.get().data) == data
    assert bytes(version.upload.data) == data


def test_the_same_content_gives_the_version_that_is_there(workshop: Workshop, send: Any) -> None:
    data = patch(workshop, "4.1")
    first = send(data)
    again = send(data, name="another-name.patch")
    in_a_tar = send(packed({"patches/xsa500-4.1.patch": data}), name="patches.tar.gz")
    assert (first.created, again.created, in_a_tar.created) == (True, False, False)
    assert {again.version.pk, in_a_tar.version.pk} == {first.version.pk}
    assert Backport.objects.count() == BackportVersion.objects.count() == 1


def test_another_content_is_the_next_version(workshop: Workshop, send: Any) -> None:
    first = send(patch(workshop, "4.1")).version
    second = send(patch(workshop, "4.1", CHECK.replace("-1", "-EINVAL"))).version
    assert (second.backport_id, second.number) == (first.backport_id, 2)
    assert Backport.objects.get().current_id == second.pk


def test_each_organisation_has_its_own_backport(workshop: Workshop, advisory: Advisory, send: Any) -> None:
    mine = send(patch(workshop, "4.1")).version
    other = factories.person("two", listed=True)
    theirs = Organisation.objects.get(memberships__user=other)
    found = submit(
        other, organisation=theirs, name="a", data=patch(workshop, "4.1"), advisory=advisory, branch=branch()
    )
    assert found.created and found.version is not None and found.version.backport_id != mine.backport_id


BAD = {
    "empty": (b"", "empty"),
    "no diff": (b"hello\n", "no-diff"),
    "binary": (bytes(range(256)) * 8, "binary-file"),
    "missing member": (packed({"series": b"a.patch\n"}), "missing-file"),
    "dots": (packed({"../../etc/passwd.patch": b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"}), "unsafe-path"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_read_is_kept_with_why(member: User, organisation: Organisation, send: Any, kind: str) -> None:
    data, code = BAD[kind]
    received = send(data, name="sent")
    assert received.version is None and not received.created
    kept = Upload.objects.get()
    assert (kept.problem_code, bytes(kept.data), kept.size) == (code, data, len(data))
    assert kept.problem and Backport.objects.count() == 0


def test_of_what_is_too_large_the_facts_are_kept(send: Any) -> None:
    data = b"+" * (50 * 1024 * 1024 + 1)
    kept = send(data).upload
    assert (kept.problem_code, kept.size, bytes(kept.data)) == ("too-large", len(data), b"")


def test_a_truncated_patch_is_kept_with_where(workshop: Workshop, send: Any) -> None:
    data = patch(workshop, "4.1")
    cut = data[: data.index(CHECK[:20].encode())]
    received = send(cut)
    assert received.version is None and "line" in received.upload.problem.lower()


def test_a_patch_for_another_advisory_or_branch_is_taken_and_told(
    workshop: Workshop, member: User, organisation: Organisation, send: Any
) -> None:
    workshop.take(501, {"xsa501.patch": patch(workshop, "master")})
    version = send(patch(workshop, "4.1"), name="xsa501-4.2.patch").version
    assert [note["code"] for note in version.notes] == ["other-advisory", "other-branch"]


def test_a_message_says_more_surely_than_a_files_name_what_a_patch_is_for(
    workshop: Workshop, member: User, organisation: Organisation, send: Any
) -> None:
    data = patch(workshop, "4.1", subject="table: check what is picked\n\nThis is XSA-501.")
    version = send(data, name="xsa500-4.1.patch").version
    assert [note["sentence"] for note in version.notes] == ["It was sent for advisory 500 and names 501."]


def test_another_advisory_that_is_named_is_told_whether_it_exists_or_not(
    workshop: Workshop, member: User, organisation: Organisation, send: Any
) -> None:
    """The version may open, and members of the organisation may not see the other one."""
    factories.advisory(501, disclosed=False)
    place = {"advisory": factories.advisory(456, disclosed=True)}
    for number in (501, 9999):
        received = send(patch(workshop, "4.1", subject=f"for {number}"), name=f"xsa{number}-4.1.patch", **place)
        (note,) = received.version.notes
        assert note["sentence"] == f"It was sent for advisory 456 and names {number}."
        assert Upload.objects.get(pk=received.upload.pk).proposal["advisories"] == []


def test_characters_that_look_like_others_are_told(workshop: Workshop, send: Any) -> None:
    version = send(patch(workshop, "4.1", CHECK.replace("toy_check", "toy_\u0441heck"))).version
    assert version.outcome == "applied"
    assert {mark["why"] for mark in version.marks} == {"look-alike"}


def test_nobody_uploads_in_anothers_name(workshop: Workshop, organisation: Organisation) -> None:
    with pytest.raises(PermissionDenied):
        receive(factories.person("stranger", listed=True), organisation=organisation, name="a", data=b"x")
    assert Upload.objects.count() == 0


def test_a_member_who_was_removed_uploads_nothing_more(workshop: Workshop, member: User, send: Any) -> None:
    send(patch(workshop, "4.1"))
    Membership.objects.filter(user=member).delete()
    with pytest.raises(PermissionDenied):
        send(patch(workshop, "4.1", CHECK.replace("-1", "-2")))
    assert BackportVersion.objects.count() == 1


def test_what_was_derived_from_is_kept(workshop: Workshop, send: Any) -> None:
    workshop.work()
    attempt = workshop.cell(500, "4.1")
    first = send(patch(workshop, "4.1"), origin=Origin(attempt=attempt, note="from the attempt")).version
    second = send(patch(workshop, "4.2"), on="4.2", origin=Origin(version=first)).version
    assert (first.derived_attempt, first.note) == (attempt, "from the attempt")
    assert second.derived_from == first and list(first.derived.all()) == [second]


def test_a_broken_mirror_loses_nothing(workshop: Workshop, send: Any) -> None:
    workshop.mirror.rename(workshop.mirror.with_suffix(".away"))
    version = send(patch(workshop, "4.1")).version
    assert (version.outcome, version.problem_code) == ("error", "not-a-repository")
    assert version.patches.count() == 1


def test_each_step_leaves_a_record_and_an_event(workshop: Workshop, member: User, send: Any) -> None:
    backport = send(patch(workshop, "4.1")).version.backport
    sharing.share(member, backport=backport)
    sharing.withdraw(member, backport=backport, because="wrong branch")
    verbs = list(AuditRecord.objects.filter(actor=str(member.pk)).order_by("position").values_list("verb", flat=True))
    assert verbs == ["uploaded", "backport-uploaded", "backport-shared", "backport-withdrawn"]
    told = [(row.kind, row.shared_at is None) for row in Event.objects.filter(organisation=backport.organisation)]
    assert told == [("backport.version", True), ("backport.shared", False), ("backport.withdrawn", False)]


class TestLife:
    @pytest.fixture
    def backport(self, workshop: Workshop, send: Any) -> Backport:
        return send(patch(workshop, "4.1")).version.backport

    def test_shared_twice_is_shared_once(self, member: User, backport: Backport) -> None:
        first = sharing.share(member, backport=backport).shared_at
        assert sharing.share(member, backport=backport).shared_at == first
        assert AuditRecord.objects.filter(verb="backport-shared").count() == 1

    def test_who_is_off_the_list_shares_nothing(
        self, member: User, organisation: Organisation, backport: Backport
    ) -> None:
        Organisation.objects.update(listed=False)
        organisation.refresh_from_db()
        backport.organisation = organisation
        with pytest.raises(PermissionDenied, match="predisclosure"):
            sharing.share(member, backport=backport)

    def test_another_organisation_changes_nothing(self, backport: Backport) -> None:
        other = factories.person("two", listed=True)
        for change in (
            lambda: sharing.share(other, backport=backport),
            lambda: sharing.withdraw(other, backport=backport, because="x"),
            lambda: sharing.keep_among_members(other, backport=backport, members_only=True),
            lambda: sharing.supersede(other, backport=backport, by=backport),
        ):
            with pytest.raises(PermissionDenied):
                change()

    def test_a_new_version_of_what_is_shared_is_the_rooms_at_once(
        self, workshop: Workshop, member: User, backport: Backport, send: Any
    ) -> None:
        sharing.share(member, backport=backport)
        version = send(patch(workshop, "4.1", CHECK.replace("-1", "-2"))).version
        assert (version.backport_id, version.number, version.backport.life) == (backport.pk, 2, "shared")

    def test_after_withdrawal_an_upload_begins_another(
        self, workshop: Workshop, member: User, backport: Backport, send: Any
    ) -> None:
        sharing.withdraw(member, backport=backport, because="wrong")
        again = send(patch(workshop, "4.1"))
        assert again.created and again.version.backport_id != backport.pk and again.version.number == 1

    def test_withdrawing_needs_a_reason(self, member: User, backport: Backport) -> None:
        with pytest.raises(NotDone) as refused:
            sharing.withdraw(member, backport=backport, because=" ")
        assert (refused.value.code, refused.value.field) == ("no-reason", "because")

    def test_what_is_public_is_not_hidden_again(self, member: User, backport: Backport) -> None:
        sharing.share(member, backport=backport)
        disclose(None, advisory=backport.advisory, reason="public", at=factories.DAY)
        with pytest.raises(NotDone) as refused:
            sharing.keep_among_members(member, backport=backport, members_only=True)
        assert refused.value.code == "public"

    def test_a_shared_one_takes_the_place_of_another(
        self, workshop: Workshop, member: User, advisory: Advisory, backport: Backport
    ) -> None:
        other = factories.person("two", listed=True)
        theirs = Organisation.objects.get(memberships__user=other)
        data = patch(workshop, "4.1")
        found = submit(other, organisation=theirs, name="a", data=data, advisory=advisory, branch=branch()).version
        assert found is not None
        with pytest.raises(NotDone):
            sharing.supersede(member, backport=backport, by=found.backport)
        shared = sharing.share(other, backport=found.backport)
        assert sharing.supersede(member, backport=backport, by=shared).life == "superseded"
        with pytest.raises(NotDone):
            sharing.share(member, backport=backport)


def test_confirming_places_an_upload_that_was_received_before(
    workshop: Workshop, member: User, organisation: Organisation, advisory: Advisory
) -> None:
    data = patch(workshop, "4.1")
    upload = receive(member, organisation=organisation, name="a.patch", data=data)
    assert receive(member, organisation=organisation, name="a.patch", data=data).pk == upload.pk
    received = confirm(member, upload=upload, advisory=advisory, branch=branch())
    assert received.created and Upload.objects.get().advisory == advisory


def test_what_was_placed_is_not_moved_to_another_advisory(
    workshop: Workshop, member: User, organisation: Organisation, advisory: Advisory
) -> None:
    """Its readers would be those of the other one, which may be disclosed."""
    upload = receive(member, organisation=organisation, name="a.patch", data=patch(workshop, "4.1"))
    first = confirm(member, upload=upload, advisory=advisory, branch=branch())
    other = factories.advisory(456, disclosed=True)
    for place in ({"advisory": other, "branch": branch()}, {"advisory": advisory, "branch": branch("4.2")}):
        with pytest.raises(NotDone, match="said before"):
            confirm(member, upload=upload, **place)
    assert Upload.objects.get().advisory == advisory
    again = confirm(member, upload=upload, advisory=advisory, branch=branch())
    assert (again.version, again.created) == (first.version, False)


def test_two_uploads_of_the_same_bytes_at_once_make_one_version(
    committed_db: None, toy: Any, git_root: Any, unsent: list[str]
) -> None:
    work = Workshop(toy, add_repository(None, name="toy", url=str(toy.path)), unsent)
    row = work.take(500, {"xsa500.patch": patch(work, "master")})
    user, data = factories.person("one", listed=True), patch(work, "4.1")
    organisation = Organisation.objects.get(memberships__user=user)
    ready, came = threading.Barrier(2), []

    def come() -> None:
        with everything("tests"):
            place = {"advisory": row, "branch": branch()}
            ready.wait()
            came.append(submit(user, organisation=organisation, name="a.patch", data=data, **place))
        connections.close_all()

    both = [threading.Thread(target=come) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(one.created for one in came) == [False, True]
    assert len({one.version.pk for one in came}) == BackportVersion.objects.count() == 1
