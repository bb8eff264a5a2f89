"""Reviews: whose count, what makes them stale, and that none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from backports.models import Backport, BackportVersion, Event, Review, ReviewDraft
from backports.services import commenting, reviewing, sharing, signing
from backports.services.errors import NotDone
from backports.services.reviewing import Said, Standing
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.rooms import BARRIER, OTHER_CHECK, Room, fresh, own, room_in
from tests.backports.toy import git
from tests.signing import OpenPgp, ssh_key, ssh_sign
from xsa.models import AuditRecord, Organisation, User
from xsa.services.disclose import disclose
from xsa.visibility import visible_to

APPROVE = Said("approve")


@pytest.fixture
def room(workshop: Workshop) -> Room:
    return room_in(workshop)


def give(person: User, version: BackportVersion, said: Said = APPROVE) -> Any:
    return reviewing.give(person, version=fresh(version), organisation=own(person), said=said)


def standing(version: BackportVersion) -> Standing:
    backport = Backport.objects.get(pk=version.backport_id)
    rows = Review.objects.filter(version__backport=backport).select_related("organisation", "version")
    return reviewing.standings([backport], rows)[backport.pk]


def test_what_is_said_of_a_backport_that_was_shared_a_moment_ago_is_told_to_the_room(room: Room) -> None:
    """The version was read before the sharing, as by two requests at once."""
    version = room.upload()
    assert version.backport.shared_at is None
    sharing.share(room.author, backport=Backport.objects.get(pk=version.backport_id))
    reviewing.give(room.author, version=version, organisation=own(room.author), said=APPROVE)
    backport = version.backport
    commenting.say(
        room.author, organisation=own(room.author), advisory=backport.advisory, backport=backport, text="Why?"
    )
    for kind in ("review.given", "comment.made"):
        assert visible_to(room.reviewer, Event.objects.filter(kind=kind)).count() == 1


def test_two_other_organisations_make_the_quorum(room: Room) -> None:
    version = room.shared()
    give(room.author, version)
    assert (standing(version).approve, standing(version).met) == ([], False)
    give(room.reviewer, version)
    give(room.reviewer, version, Said("approve", "again"))
    assert not standing(version).met
    give(room.third, version)
    assert standing(version).met
    assert [one.name for one in standing(version).approve] == ["Example reviewer", "Example third"]


def test_whoever_needs_changes_holds_it_up_until_they_say_otherwise(room: Room) -> None:
    version = room.shared()
    for person in (room.reviewer, room.third):
        give(person, version)
    give(room.team, version, Said("needs-changes", "The lock is missing."))
    assert not standing(version).met
    assert standing(version).object == [own(room.team)]
    give(room.team, version)
    assert standing(version).met


def test_comments_and_tests_approve_nothing(room: Room) -> None:
    version = room.shared()
    give(room.reviewer, version, Said("comment", "Nice."))
    give(room.third, version, Said("tested", "", "4.1 on a machine with two sockets"))
    assert standing(version).approve == []
    assert set(Review.objects.values_list("verdict", flat=True)) == {"comment", "tested"}


def test_a_new_version_that_changes_the_hunks_makes_a_review_stale(room: Room) -> None:
    first = room.shared()
    whole = give(room.reviewer, first)
    queue = give(room.third, first, Said("approve", files=["common/queue.c"]))
    second = room.upload(OTHER_CHECK)
    assert second.backport_id == first.backport_id
    whole.refresh_from_db()
    queue.refresh_from_db()
    assert (whole.stale_with_id, queue.stale_with_id) == (second.pk, None)
    found = standing(second)
    assert (found.approve, found.stale) == ([own(room.third)], [own(room.reviewer)])


def test_a_new_version_that_changes_no_hunk_of_it_keeps_it(room: Room) -> None:
    first = room.shared()
    table = give(room.reviewer, first, Said("approve", files=["common/table.c"]))
    room.upload(push="")
    table.refresh_from_db()
    assert table.stale_with is None
    assert standing(first).approve == [own(room.reviewer)]


def test_hunks_that_come_back_as_they_were_are_reviewed_again(room: Room) -> None:
    table = give(room.reviewer, room.shared(), Said("approve", files=["common/table.c"]))
    changed = room.upload(OTHER_CHECK)
    table.refresh_from_db()
    assert table.stale_with == changed
    room.upload(push=BARRIER * 2)
    table.refresh_from_db()
    assert table.stale_with is None


def test_a_review_of_what_was_just_replaced_is_kept_as_a_draft(room: Room) -> None:
    first = room.shared()
    room.upload(OTHER_CHECK)
    said = Said("needs-changes", "The lock is missing.")
    draft = give(room.reviewer, first, said)
    assert isinstance(draft, ReviewDraft)
    assert (draft.text, draft.verdict, draft.version) == (said.text, said.verdict, first)
    assert not Review.objects.exists()
    again = give(room.reviewer, first, Said("comment", "Other words."))
    assert again.pk == draft.pk
    second = fresh(first).backport.current
    assert second and give(room.reviewer, second, said).version == second
    assert not ReviewDraft.objects.exists()


def test_a_draft_is_for_its_organisation_alone(room: Room) -> None:
    first = room.shared()
    room.upload(OTHER_CHECK)
    give(room.reviewer, first)
    seen = {
        one.username for one in (room.author, room.reviewer, room.team) if visible_to(one, ReviewDraft.objects.all())
    }
    assert seen == {"reviewer"}


def test_the_team_sets_how_many_are_needed(room: Room) -> None:
    version = room.shared()
    with pytest.raises(PermissionDenied):
        reviewing.set_quorum(room.reviewer, advisory=room.advisory, needed=1)
    with pytest.raises(NotDone):
        reviewing.set_quorum(room.team, advisory=room.advisory, needed=0)
    reviewing.set_quorum(room.team, advisory=room.advisory, needed=1)
    give(room.reviewer, version)
    assert standing(version).met
    assert reviewing.needed(room.advisory) == 1


def test_nobody_speaks_for_others_or_from_outside_the_room(room: Room) -> None:
    version = room.shared()
    outsider = factories.person("outsider")
    for person, organisation in ((room.reviewer, own(room.third)), (outsider, own(outsider))):
        with pytest.raises(PermissionDenied):
            reviewing.give(person, version=fresh(version), organisation=organisation, said=APPROVE)
    Organisation.objects.filter(pk=own(room.reviewer).pk).update(listed=False)
    with pytest.raises(PermissionDenied):
        give(room.reviewer, version)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (Said("fine"), "verdict"),
        (Said("tested"), "tested_on"),
        (Said("tested", tested_on="4.1\nverdict: approve"), "tested_on"),
        (Said("comment", "  "), "text"),
        (Said("approve", "x" * 50_001), "text"),
        (Said("approve", files=["no/such.c"]), "files"),
        (Said("approve", signature="signed: me"), "signature"),
    ],
)
def test_bad_reviews_are_refused_with_a_sentence(room: Room, said: Said, field: str) -> None:
    with pytest.raises(NotDone) as error:
        give(room.reviewer, room.shared(), said)
    assert error.value.field == field
    assert not Review.objects.exists()


def test_what_is_withdrawn_is_not_reviewed(room: Room) -> None:
    version = room.shared()
    sharing.withdraw(room.author, backport=version.backport, because="wrong")
    with pytest.raises(NotDone):
        give(room.reviewer, version)


def test_it_is_in_the_audit_and_among_the_events_without_a_word_of_it(room: Room) -> None:
    row = give(room.reviewer, room.shared(), Said("comment", "canaryword"))
    assert Event.objects.filter(kind="review.given", thing=row.pk, opens=False).count() == 1
    record = AuditRecord.objects.get(verb="reviewed")
    assert (record.thing, record.detail) == (str(row.pk), {"verdict": "comment"})


def test_reviews_open_with_their_backport_and_drafts_of_them_do_not(room: Room) -> None:
    version = room.shared()
    give(room.reviewer, version)
    room.upload(OTHER_CHECK)
    give(room.third, version)
    anyone = AnonymousUser()
    assert not visible_to(anyone, Review.objects.all()).exists()
    disclose(None, advisory=room.advisory, reason="public", at=room.advisory.created_at)
    assert visible_to(anyone, Review.objects.all()).count() == 1
    assert not visible_to(anyone, ReviewDraft.objects.all()).exists()
    sharing.withdraw(room.author, backport=version.backport, because="wrong")
    assert not visible_to(anyone, Review.objects.all()).exists()


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenPgp]:
    made = OpenPgp(tmp_path_factory)
    yield made
    made.close()


def test_a_signature_by_the_organisations_key_is_good(room: Room, key: OpenPgp) -> None:
    version = room.shared()
    text = signing.text_to_sign(version, "approve")
    assert f"base: {version.base}\n" in text and text.endswith("verdict: approve\n")
    signature = key.sign(text.encode())
    unknown = give(room.third, version, Said("approve", signature=signature))
    assert (unknown.signature_state, unknown.signer) == ("unchecked", key.fingerprint)
    Organisation.objects.filter(pk=own(room.reviewer).pk).update(pgp_key=key.public)
    row = give(room.reviewer, version, Said("approve", signature=signature.replace("\n", "\r\n")))
    assert (row.signature_state, row.signer, row.signed_text) == ("good", key.fingerprint, text)


def test_a_signature_of_another_verdict_is_refused(room: Room, tmp_path: Path) -> None:
    version = room.shared()
    signature = ssh_sign(ssh_key(tmp_path), signing.text_to_sign(version, "approve").encode())
    with pytest.raises(NotDone) as error:
        give(room.reviewer, version, Said("needs-changes", "No.", signature=signature))
    assert (error.value.code, error.value.field) == ("other-text", "signature")
    row = give(room.reviewer, version, Said("approve", signature=signature))
    assert (row.signature_kind, row.signature_state) == ("ssh", "intact")


def test_the_text_names_what_git_itself_names(room: Room) -> None:
    version = room.shared()
    text = signing.text_to_sign(version, "tested", "4.1 here")
    data = bytes(version.patches.get().data)
    told = git(room.workshop.toy.path, "patch-id", "--stable", data=data).split()[0].decode()
    assert f"patch-id: {told}\n" in text
    assert text.endswith("verdict: tested\ntested-on: 4.1 here\n")


def test_where_nothing_landed_there_is_nothing_to_sign(room: Room) -> None:
    version = room.shared()
    BackportVersion.objects.filter(pk=version.pk).update(result="")
    with pytest.raises(NotDone):
        signing.text_to_sign(fresh(version), "approve")
