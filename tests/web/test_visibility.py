"""What is embargoed does not exist for anyone outside, in any page, list, count, filter or download."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backports.models import Attempt
from tests import factories
from tests.web.conftest import SECRETS, World
from xsa.models import Membership, PatchFile

LISTS = [
    "/",
    "/r/xen/",
    "/?text=quiet",
    "/?text=777",
    "/?text=CVE-2031-0777",
    "/?outcome=applied",
    "/?missing=4.11",
    "/?before=900",
    "/?after=500",
    "/advisories/",
    "/advisories/?text=quiet",
    "/advisories/?after=500",
    "/r/xen/branches/4.11/",
    "/r/xen/branches/4.11/?outcome=applied",
    "/queue/",
    "/repositories/",
    "/glossary/",
    "/r/xen/progress/?newest=999&oldest=1&since=0",
]


@pytest.fixture(params=["anonymous", "outsider"])
def outside(request: pytest.FixtureRequest) -> Client:
    client: Client = request.getfixturevalue(request.param)
    return client


def secret_pages(world: World) -> list[str]:
    return [
        "/advisories/777/",
        f"/attempts/{world.secret_attempt.pk}/",
        f"/attempts/{world.secret_attempt.pk}/result.patch",
        f"/files/{world.secret_file.pk}/raw",
        "/r/xen/branches/4.11/applied.mbox",
        "/r/xen/branches/4.11/applied.tar?confidence=review",
    ]


def echoed(page: str, path: str) -> str:
    """The page without what it repeats of the reader's own question."""
    return page.replace(path.partition("text=")[2], "") if "text=" in path else page


@pytest.mark.parametrize("path", LISTS)
def test_no_list_tells_of_an_embargoed_advisory(world: World, outside: Client, path: str) -> None:
    answer = outside.get(path)
    assert answer.status_code == 200
    page = echoed(answer.content.decode(), path)
    for word in (*SECRETS, str(world.secret_attempt.pk), str(world.secret.pk)):
        # Random ids may hold any three digits; the bare number is looked for on its own.
        assert f">{word}<" not in page
        assert len(word) < 5 or word not in page


@pytest.mark.parametrize("path", [path for path in LISTS if "text=" not in path])
def test_a_list_is_the_same_to_the_byte_without_the_secret(world: World, anonymous: Client, path: str) -> None:
    with_secret = anonymous.get(path).content
    factories.forget(world.secret)
    assert without_clock(anonymous.get(path).content) == without_clock(with_secret)


def without_clock(page: bytes) -> bytes:
    return page.partition(b"since=")[0]


def test_secret_pages_answer_as_what_does_not_exist(world: World, outside: Client) -> None:
    missing = outside.get(f"/attempts/{uuid.uuid4()}/")
    assert missing.status_code == 404
    for path in secret_pages(world):
        for ask in (outside.get, outside.head):
            answer = ask(path)
            assert answer.status_code == 404, path
            assert dict(answer.headers) == dict(missing.headers), path
        assert outside.get(path).content == missing.content, path
    assert outside.get("/no/such/address/").content == missing.content


def test_trying_again_what_one_cannot_see_answers_as_what_does_not_exist(world: World, outsider: Client) -> None:
    secret = outsider.post(f"/attempts/{world.secret_attempt.pk}/retry/")
    missing = outsider.post(f"/attempts/{uuid.uuid4()}/retry/")
    assert (secret.status_code, secret.content) == (404, missing.content)
    world.secret_attempt.refresh_from_db()
    assert world.secret_attempt.current


def test_counts_are_under_the_readers_own_eyes(world: World, anonymous: Client, member: Client) -> None:
    assert b"1 advisory," in anonymous.get("/").content
    assert b"2 advisories," in member.get("/").content
    assert b"1 fix missing" in anonymous.get("/r/xen/branches/4.11/").content
    assert b"2 fixes missing" in member.get("/r/xen/branches/4.11/").content


def test_progress_and_rate_count_only_what_the_reader_may_see(world: World, anonymous: Client, member: Client) -> None:
    other = factories.branch(world.branch.repository, "4.10")
    factories.attempt(world.secret, other, state="waiting")
    late = timezone.now() - timedelta(seconds=5)
    world.secret_attempt.finished_at = late
    world.secret_attempt.save()
    assert anonymous.get("/").context["progress"].open == 0
    assert anonymous.get("/").context["progress"].rate == 0
    assert anonymous.get("/queue/").context["last_hour"] == 0
    seen = member.get("/").context["progress"]
    assert (seen.open, seen.total) == (1, 3)
    assert seen.rate > 0
    assert member.get("/queue/").context["last_hour"] == 1


def test_members_and_the_security_team_see_it(world: World, member: Client, team: Client) -> None:
    for client in (member, team):
        assert b"quiet title" in client.get("/").content
        assert b"Embargoed" in client.get("/").content
        assert client.get("/advisories/777/").status_code == 200
        assert client.get(f"/attempts/{world.secret_attempt.pk}/").status_code == 200
        assert client.get(f"/files/{world.secret_file.pk}/raw").content == b"secret bytes"


def test_a_member_loses_sight_with_the_membership(world: World, member: Client) -> None:
    assert member.get("/advisories/777/").status_code == 200
    Membership.objects.all().delete()
    assert member.get("/advisories/777/").status_code == 404


def test_embargoed_downloads_are_kept_by_no_cache(world: World, member: Client) -> None:
    answer = member.get(f"/files/{world.secret_file.pk}/raw")
    assert answer["Cache-Control"] == "no-store, no-transform"
    assert member.get("/")["Cache-Control"] == "no-store, no-transform"


def test_every_page_with_an_embargoed_download_says_what_different_patches_need(world: World, member: Client) -> None:
    for path in ("/advisories/777/", f"/attempts/{world.secret_attempt.pk}/", "/r/xen/branches/4.11/"):
        assert b"significantly different patch" in member.get(path).content, path
    assert b"significantly different patch" not in member.get("/advisories/456/").content


def test_files_that_could_not_be_read_are_for_the_security_team(
    db: None, anonymous: Client, member: Client, team: Client
) -> None:
    problem = {"code": "unknown-file", "sentence": "Its name tells no number.", "file": "odd.bin"}
    row = factories.patch_file(None, "odd.bin", b"\x00odd", problems=[problem])
    for client in (anonymous, member):
        assert client.get("/files/unread/").status_code == 403
        assert client.get(f"/files/{row.pk}/raw").status_code == 404
    page = team.get("/files/unread/").content.decode()
    assert "odd.bin" in page
    assert "unknown-file" in page
    assert "Its name tells no number." in page
    assert team.get(f"/files/{row.pk}/raw").content == b"\x00odd"


def build_on_the_secret(world: World) -> Attempt:
    """The result of a disclosed advisory that was made, while it was embargoed too, on top of another one's."""
    columns = {"rung": "exact", "confidence": "high", "hunks_total": 71, "hunks_landed": 71, "result": factories.OID}
    Attempt.objects.filter(pk=world.known_attempt.pk).update(current=False)
    return factories.attempt(world.known, world.branch, "needs-prerequisite", prerequisites=[777], **columns)


def test_a_result_built_on_an_embargoed_one_is_as_secret_as_that(world: World, outside: Client, member: Client) -> None:
    built = build_on_the_secret(world)
    lists = [*LISTS, "/advisories/456/", f"/attempts/{world.known_attempt.pk}/"]
    with_secret = {path: without_clock(outside.get(path).content) for path in lists}
    for path in (f"/attempts/{built.pk}/", f"/attempts/{built.pk}/result.patch"):
        assert outside.get(path).status_code == 404
    assert member.get(f"/attempts/{built.pk}/").status_code == 200
    assert str(built.pk) in member.get("/").content.decode()
    built.delete()
    for path in lists:
        assert without_token(without_clock(outside.get(path).content)) == without_token(with_secret[path]), path


def without_token(page: bytes) -> bytes:
    """The page without the forms' tokens, which are never the same twice."""
    return re.sub(rb'csrfmiddlewaretoken" value="\w+"', b"", page)


def test_trying_again_never_leads_to_a_hidden_attempt(world: World, outsider: Client) -> None:
    build_on_the_secret(world)
    answer = outsider.post(f"/attempts/{world.known_attempt.pk}/retry/")
    assert answer["Location"] == f"/attempts/{world.known_attempt.pk}/"


def test_an_index_that_was_read_is_not_among_the_files_that_were_not(world: World, team: Client) -> None:
    values = {"version": None, "kind": "index", "sha256": "0" * 64, "size": 2, "data": b"[]"}
    PatchFile.objects.create(name="read-xsa.json", **values)
    PatchFile.objects.create(name="unread-xsa.json", problems=[{"code": "malformed-index", "sentence": "x"}], **values)
    page = team.get("/files/unread/").content.decode()
    assert "unread-xsa.json" in page
    assert ">read-xsa.json" not in page
