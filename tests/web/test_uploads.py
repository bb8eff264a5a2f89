"""Patches come in by the browser: what was sent, what it may be for, the version that is made; and what is wrong."""

from __future__ import annotations

import io
import re
import tarfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from backports.engine.intake import MAX_UPLOAD
from backports.models import Backport, BackportVersion, Branch, Upload
from tests import factories
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.backports.test_receiving import PUSH, patch
from xsa.models import Advisory, Membership, User

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]


@pytest.fixture
def advisory(workshop: Workshop) -> Advisory:
    """Embargoed, with its official fix for master."""
    return workshop.take(500, {"xsa500.patch": patch(workshop, "master")})


@pytest.fixture
def person(db: None) -> User:
    return factories.person("one", listed=True)


@pytest.fixture
def client(person: User) -> Client:
    return factories.log_in(Client(), person)


@pytest.fixture
def other(db: None) -> Client:
    return factories.log_in(Client(), factories.person("two", listed=True))


def send(client: Client, data: bytes, name: str = "xsa500-4.1.patch", *, who: str = "one", **more: Any) -> Any:
    organisation = str(Membership.objects.get(user__username=who).organisation_id)
    form = {"patches": [SimpleUploadedFile(name, data)], "organisation": organisation} | more
    return client.post("/uploads/", form)


def confirm(client: Client, address: str, number: object = 500, on: str = "4.1", **more: str) -> Any:
    branch = Branch.objects.get(name=on, repository__name="toy")
    return client.post(address, {"advisory": str(number), "branch": str(branch.pk), **more})


def made(client: Client, data: bytes, on: str = "4.1", *, who: str = "one") -> BackportVersion:
    """A version that was sent and confirmed by the pages."""
    answer = confirm(client, send(client, data, f"xsa500-{on}.patch", who=who).url, on=on)
    assert answer.status_code == 302, answer.content.decode()
    pk, number = re.fullmatch(r"/backports/([^/]+)/v(\d+)/", answer.url).groups()  # type: ignore[union-attr]
    return BackportVersion.objects.get(backport=pk, number=number)


def test_a_file_is_sent_proposed_confirmed_and_judged(workshop: Workshop, advisory: Advisory, client: Client) -> None:
    answer = send(client, patch(workshop, "4.1"))
    page = client.get(answer.url).content.decode()
    assert "XSA-500" in page
    assert "The file is called" in page
    branch = Branch.objects.get(name="4.1", repository__name="toy")
    assert f'<option value="{branch.pk}" selected' in page
    assert 'value="500"' in page
    done = client.post(answer.url, {"advisory": "500", "branch": str(branch.pk), "note": "as <b>ours</b>"}, follow=True)
    page = done.content.decode()
    assert "Kept as a draft" in page
    assert "Its only hunk landed on 4.1." in page
    assert "as &lt;b&gt;ours&lt;/b&gt;" in page
    assert Backport.objects.get().life == "draft"


def test_text_is_pasted_and_several_files_are_one_series(
    workshop: Workshop, advisory: Advisory, client: Client
) -> None:
    text = patch(workshop, "4.1")
    pasted = text.decode().replace("\n", "\r\n")
    organisation = str(Membership.objects.get(user__username="one").organisation_id)
    answer = client.post("/uploads/", {"text": pasted, "organisation": organisation})
    assert bytes(Upload.objects.get().data) == text
    assert client.get(answer.url).status_code == 200
    second = workshop.toy.patch("4.1", {"common/queue.c": [(PUSH, PUSH + "    toy_mb();\n")]}, "queue: order it")
    files = [SimpleUploadedFile("0002-b.patch", second), SimpleUploadedFile("0001-a.patch", text)]
    answer = client.post("/uploads/", {"patches": files, "organisation": organisation})
    kept = Upload.objects.get(name="files.tar")
    assert [one["subject"] for one in kept.proposal["patches"]] == ["table: check what is picked", "queue: order it"]


def test_the_same_content_is_the_same_version(workshop: Workshop, advisory: Advisory, client: Client) -> None:
    text = patch(workshop, "4.1")
    first = made(client, text)
    again = confirm(client, send(client, text, "again.patch").url)
    assert again.url == f"/backports/{first.backport_id}/v1/"
    assert BackportVersion.objects.count() == 1


def test_an_upload_is_nobody_elses(workshop: Workshop, advisory: Advisory, client: Client, other: Client) -> None:
    answer = send(client, patch(workshop, "4.1"))
    assert other.get(answer.url).content == other.get("/uploads/00000000-0000-4000-8000-000000000000/").content
    assert confirm(other, answer.url).status_code == 404


STRANGE = b"""--- a/common/table.c
+++ b/common/table.c
@@ -1,3 +1,4 @@
 lines that stand
 nowhere
+are added
 at all
"""


def _tar_with_a_link() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        entry = tarfile.TarInfo("a.patch")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.patch", b""),
        ("words.patch", b"no patch at all\n"),
        ("cut.patch", b"--- a/x\n+++ b/x\n@@ -1,3 +1,4 @@\n a\n"),
        ("picture.patch", b"\x89PNG\0\0\0"),
        ("links.tar", _tar_with_a_link()),
    ],
)
def test_what_cannot_be_read_is_kept_and_says_why(advisory: Advisory, client: Client, name: str, data: bytes) -> None:
    page = client.get(send(client, data, name).url).content.decode()
    row = Upload.objects.get()
    assert row.problem_code
    assert "It cannot be read" in page
    assert f"<code>{row.problem_code}</code>" in page
    assert bytes(row.data) == data
    answer = confirm(client, f"/uploads/{row.pk}/")
    assert answer.status_code == 200
    assert BackportVersion.objects.count() == 0


def test_more_than_fits_is_told_and_not_kept(advisory: Advisory, client: Client) -> None:
    answer = send(client, b"x" * (MAX_UPLOAD + 1))
    assert answer.status_code == 413
    assert "more than 50 MB" in answer.content.decode()
    assert not Upload.objects.exists()


def test_two_files_of_which_one_is_too_long_are_both_refused(advisory: Advisory, client: Client) -> None:
    files = [SimpleUploadedFile("a.patch", b"x"), SimpleUploadedFile("b.patch", b"x" * MAX_UPLOAD)]
    assert send(client, b"", patches=files).status_code == 413
    assert not Upload.objects.exists()


def test_too_much_text_is_told(advisory: Advisory, client: Client) -> None:
    answer = client.post("/uploads/", {"text": "x" * 3_000_000})
    assert answer.status_code == 413
    assert "too long to paste" in answer.content.decode()


def test_nothing_is_told_in_the_form(advisory: Advisory, client: Client) -> None:
    organisation = str(Membership.objects.get(user__username="one").organisation_id)
    assert (
        "Choose a file, or paste a patch."
        in client.post("/uploads/", {"text": "", "organisation": organisation}).content.decode()
    )


@pytest.mark.parametrize("number", ["501", "9999", "", "x", "99999999999999999999"])
def test_another_advisory_does_not_exist_for_who_does_not_see_it(
    workshop: Workshop, advisory: Advisory, number: str
) -> None:
    """501 is embargoed and not for an organisation that is not on the list; 9999 is not there at all."""
    factories.advisory(501, disclosed=False)
    Advisory.objects.filter(pk=advisory.pk).update(disclosed_at=advisory.created_at, disclosure_reason="test")
    client = factories.log_in(Client(), factories.person("one"))
    page = confirm(client, send(client, patch(workshop, "4.1")).url, number=number)
    assert page.status_code == 200
    assert BackportVersion.objects.count() == 0
    told = "Say which advisory it is for." if number == "" else "There is no such advisory."
    assert told in page.content.decode()


def test_a_patch_for_another_branch_is_kept_and_told(workshop: Workshop, advisory: Advisory, client: Client) -> None:
    sent = send(client, patch(workshop, "4.1"), "xsa500-4.2.patch")
    page = confirm(client, sent.url, on="4.1")
    assert "It was sent for branch 4.1 and names 4.2." in client.get(page.url).content.decode()


def test_what_does_not_apply_is_kept_with_its_place(workshop: Workshop, advisory: Advisory, client: Client) -> None:
    version = made(client, STRANGE)
    page = client.get(f"/backports/{version.backport_id}/").content.decode()
    assert version.outcome in ("conflict", "partly-applied")
    assert "did not land" in page
    assert "Not all of it landed" in page


def test_a_member_who_is_removed_in_the_middle_is_told(
    workshop: Workshop, advisory: Advisory, client: Client, person: User
) -> None:
    answer = send(client, patch(workshop, "4.1"))
    Membership.objects.filter(user=person).delete()
    assert confirm(client, answer.url).status_code in (403, 404)
    assert client.get("/uploads/").status_code == 403
    assert BackportVersion.objects.count() == 0


def test_another_members_backport_is_begun_with(
    workshop: Workshop, advisory: Advisory, client: Client, other: Client
) -> None:
    version = made(client, patch(workshop, "4.1"))
    assert other.post("/uploads/", {"from_version": str(version.pk)}).status_code == 404
    client.post(f"/backports/{version.backport_id}/life/", {"step": "share"})
    sent = other.post("/uploads/", {"from_version": str(version.pk), "advisory": "500"})
    assert f"from_version={version.pk}" in sent.url
    done = confirm(other, sent.url.partition("?")[0], on="4.2", from_version=str(version.pk))
    theirs = BackportVersion.objects.get(backport=done.url.split("/")[2])
    assert theirs.derived_from == version
    page = other.get(done.url).content.decode()
    assert "<svg" in page
    assert "begun with 4.1 v1 of Example one" in page


def test_an_attempts_result_is_begun_with(workshop: Workshop, advisory: Advisory, client: Client) -> None:
    workshop.work()
    attempt = workshop.cell(500, "4.2")
    sent = client.post("/uploads/", {"from_attempt": str(attempt.pk), "advisory": "500"})
    assert b"EMBARGOED" not in bytes(Upload.objects.get().data)
    page = client.get(sent.url).content.decode()
    assert f"/attempts/{attempt.pk}/" in page
    done = confirm(client, sent.url.partition("?")[0], on="4.2", from_attempt=str(attempt.pk))
    version = BackportVersion.objects.get(backport=done.url.split("/")[2])
    assert (version.derived_attempt, version.outcome) == (attempt, "applied")


def test_a_bad_origin_is_nothing(workshop: Workshop, advisory: Advisory, client: Client) -> None:
    for pk in ("x", "00000000-0000-4000-8000-000000000000"):
        assert client.post("/uploads/", {"from_version": pk}).status_code == 404
        assert client.post("/uploads/", {"from_attempt": pk}).status_code == 404


def test_forms_of_others_are_refused(advisory: Advisory, person: User) -> None:
    client = factories.log_in(Client(enforce_csrf_checks=True), person)
    assert send(client, b"x").status_code == 403
    assert not Upload.objects.exists()
