"""What programs send that is wrong: each gets a clear answer, nothing of it is lost, and nobody else reads a word."""

from __future__ import annotations

import gzip
import io
import logging
import tarfile
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from backports.models import Backport, BackportVersion, DoneRequest, Upload
from tests import factories
from tests.api.client import Api
from tests.api.test_backports import (
    api_of,
    cell,
    git_root,
    known,
    secret,
    sent,
    toy,
    toy_original,
    unsent,
    uploader,
    workshop,
)
from tests.permissions.world import KNOWN, SECRET
from xsa.models import Advisory, Membership, User

__all__ = ["git_root", "known", "secret", "toy", "toy_original", "unsent", "uploader", "workshop"]
WORD = "canarybadqzx"
DIFF = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-canarybadqzx\n+b\n"
NOWHERE = "/api/v1/uploads/00000000-0000-4000-8000-000000000000/"
JSON = "application/json"


def packed(files: dict[str, bytes | str]) -> bytes:
    """A tar; a text is where a link leads."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(data, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, data
                tar.addfile(entry)
            else:
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def growing() -> bytes:
    """A tar of some 300 kB that says that it holds two gigabytes, and goes on for 300 MB."""
    packer, zeros = zlib.compressobj(wbits=31), bytes(1 << 20)
    entry = tarfile.TarInfo(f"debian/{WORD}")
    entry.size = 2 << 30
    return packer.compress(entry.tobuf()) + b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()


BAD: dict[str, tuple[bytes, str]] = {
    "no diff": (WORD.encode(), "no-diff"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0" + WORD.encode(), "binary-file"),
    "truncated": (DIFF[:-4], "bad-hunk"),
    "truncated tar": (packed({"a.patch": DIFF * 40})[:900], "truncated"),
    "grows to gigabytes": (growing(), "expands-too-far"),
    "a link": (packed({"a.patch": DIFF, f"{WORD}.patch": "/etc/passwd"}), "link-in-archive"),
    "leads out": (packed({f"../{WORD}.patch": DIFF}), "unsafe-path"),
    "missing file": (packed({"series": f"{WORD}.patch\n".encode(), "a.patch": DIFF}), "missing-file"),
    "packed twice": (gzip.compress(gzip.compress(DIFF)), "binary-file"),
}


def test_what_cannot_be_read_is_kept_whole_and_told_to_its_own_people_alone(
    secret: Advisory, uploader: User, contact: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = api_of(uploader, SECRET)
    others = (Api(), api_of(contact, SECRET), api_of(uploader))
    nothing = [one.get(NOWHERE).content for one in others]
    for kind, (data, code) in BAD.items():
        answer = api.post(cell(secret), {"patch": SimpleUploadedFile(f"{WORD}.patch", data)})
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, "patch"), kind
        assert len(answer.json()["detail"]) > 20, kind
        kept = Upload.objects.get(pk=answer["Location"].split("/")[-2])
        assert (bytes(kept.data), kept.size, kept.problem_code) == (data, len(data), code), kind
        assert api.get(answer["Location"]).json()["problem_code"] == code, kind
        assert [one.get(answer["Location"]).content for one in others] == nothing, kind
    assert not BackportVersion.objects.filter(made_by=uploader).exists()
    assert WORD not in caplog.text


def test_what_is_for_another_advisory_or_branch_is_taken_and_told(
    secret: Advisory, known: Advisory, uploader: User
) -> None:
    """A program that may not see the other one is told the same as of one that is not there."""
    for number in (SECRET, 9999):
        name = f"xsa{number}-4.1.patch"
        answer = api_of(uploader).post(cell(known), {"patch": sent(known, name)})
        if number == SECRET:
            assert answer.status_code == 201, answer.content
            told = [note["sentence"] for note in answer.json()["version"]["notes"]]
            assert told == [
                f"It was sent for advisory {KNOWN} and names {SECRET}.",
                "It was sent for branch 4.2 and names 4.1.",
            ]
        upload = api_of(uploader).get(f"/api/v1/uploads/{answer.json()['upload']}/").json()
        assert upload["proposal"]["advisories"] == []


def test_what_was_placed_is_not_moved_to_where_others_read_it(
    secret: Advisory, known: Advisory, uploader: User
) -> None:
    api = api_of(uploader, SECRET, KNOWN)
    made = api.post(cell(secret), {"patch": sent(secret)}).json()
    (branch,) = api.get("/api/v1/branches/?name=4.2").json()["results"]
    address = f"/api/v1/uploads/{made['upload']}/version/"
    moved = api.post(address, {"advisory": KNOWN, "branch": branch["id"]}, JSON)
    assert (moved.status_code, moved.json()["code"]) == (422, "placed")
    assert api_of(uploader).get(f"/api/v1/uploads/{made['upload']}/").status_code == 404
    again = api.post(address, {"advisory": SECRET, "branch": branch["id"]}, JSON)
    assert (again.status_code, again.json()["created"]) == (200, False)


def test_a_state_that_is_no_more_changes_nothing(known: Advisory, uploader: User) -> None:
    """Somebody else's change came between."""
    api = api_of(uploader)
    address = f"/api/v1/backports/{api.post(cell(known), {'patch': sent(known)}).json()['backport']['id']}/"
    seen = {"If-Match": api.get(address)["ETag"]}
    assert api.patch(address, {"life": "shared"}, JSON, headers=seen).status_code == 200
    late: Any = {"life": "withdrawn", "because": "as I saw it"}
    answer = api.patch(address, late, JSON, headers=seen)
    assert (answer.status_code, answer.json()["code"]) == (412, "changed")
    assert Backport.objects.get(pk=address.split("/")[-2]).life == "shared"


def test_a_member_who_is_removed_in_the_middle_loses_the_token_and_the_organisation_nothing(
    secret: Advisory, uploader: User
) -> None:
    colleague = factories.person("colleague", listed=True)
    place = uploader.memberships.get().organisation
    Membership.objects.filter(user=colleague).update(organisation=place)
    api, key = api_of(uploader, SECRET), {"Idempotency-Key": WORD}
    made = api.post(cell(secret), {"patch": sent(secret)}, headers=key).json()
    unplaced = api.post("/api/v1/uploads/", {"patch": sent(secret)})["Location"]
    (branch,) = api.get("/api/v1/branches/?name=4.1").json()["results"]
    Membership.objects.filter(user=uploader).delete()
    where = {"advisory": SECRET, "branch": branch["id"]}
    asked = (
        api.post(f"{unplaced}version/", where, JSON),
        api.post(cell(secret), {"patch": sent(secret)}, headers=key),
        api.get(f"/api/v1/backports/{made['backport']['id']}/"),
    )
    assert [answer.status_code for answer in asked] == [401, 401, 401]
    assert all(str(SECRET).encode() not in answer.content for answer in asked)
    assert api_of(colleague, SECRET).get(f"/api/v1/backports/{made['backport']['id']}/").status_code == 200
    assert BackportVersion.objects.filter(made_by=uploader).count() == 1


def test_a_key_is_kept_as_a_digest_and_answers_nobody_who_may_not_read_it_any_more(
    secret: Advisory, uploader: User
) -> None:
    key = {"Idempotency-Key": WORD}
    first = api_of(uploader, SECRET).post(cell(secret), {"patch": sent(secret)}, headers=key)
    assert first.status_code == 201
    row = DoneRequest.objects.get(user=uploader)
    assert WORD not in f"{row.key} {row.request}"
    answer = api_of(uploader).post(cell(secret), {"patch": sent(secret)}, headers=key)
    assert answer.status_code == 404
    assert answer.content == api_of(uploader).get(NOWHERE).content
