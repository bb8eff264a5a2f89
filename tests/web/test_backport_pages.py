"""A backport's page and what stands on it: versions, comparisons, lineage, files to take away, its life."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backports.engine.diff import parse_series
from backports.export import mbox
from backports.models import Backport, BackportVersion
from tests import factories
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.backports.test_receiving import PUSH, patch
from tests.web.test_uploads import STRANGE, advisory, client, made, other, person
from xsa.models import Advisory, Organisation
from xsa.services.disclose import disclose

__all__ = [
    "advisory",
    "client",
    "git_root",
    "other",
    "person",
    "toy",
    "toy_original",
    "unsent",
    "workshop",
]
MORE = "    if ( toy_check(table_pick_index) )\n        return -EINVAL;\n\n"


@pytest.fixture
def version(workshop: Workshop, advisory: Advisory, client: Client) -> BackportVersion:
    return made(client, patch(workshop, "4.1"))


def step(client: Client, backport: object, name: str, **more: str) -> Any:
    return client.post(f"/backports/{backport}/life/", {"step": name, **more}, follow=True)


def test_a_draft_is_shared_and_read_by_others(version: BackportVersion, client: Client, other: Client) -> None:
    address = f"/backports/{version.backport_id}/"
    assert other.get(address).status_code == 404
    assert "None that you see." in other.get("/advisories/500/").content.decode()
    assert "The room reads it now." in step(client, version.backport_id, "share").content.decode()
    page = other.get(address).content.decode()
    assert "Backport of Example one" in page
    assert "Each organisation keeps its own backports: you do not speak for this one." in page
    assert "Example one v1" in other.get("/advisories/500/").content.decode()
    assert Client().get(address).status_code == 404


def test_others_change_nothing(version: BackportVersion, client: Client, other: Client) -> None:
    step(client, version.backport_id, "share")
    for name in ("share", "withdraw", "keep", "supersede"):
        assert step(other, version.backport_id, name, because="no").status_code == 403
    assert Backport.objects.get().life == "shared"


def test_after_the_disclosure_everybody_reads_what_is_not_kept(
    version: BackportVersion, client: Client, other: Client, advisory: Advisory
) -> None:
    address = f"/backports/{version.backport_id}/"
    step(client, version.backport_id, "share")
    assert "Members keep it." in step(client, version.backport_id, "keep").content.decode()
    disclose(None, advisory=advisory, reason="public", at=advisory.created_at)
    assert Client().get(address).status_code == 404
    step(client, version.backport_id, "open")
    page = Client().get(address).content.decode()
    assert "Backport of Example one" in page
    assert "Share or withdraw" not in page
    assert "It is public." in step(client, version.backport_id, "keep").content.decode()


def test_withdrawing_wants_a_reason_and_says_it(version: BackportVersion, client: Client) -> None:
    assert "Say why" in step(client, version.backport_id, "withdraw", because=" ").content.decode()
    page = step(client, version.backport_id, "withdraw", because="it is <wrong>").content.decode()
    assert "Withdrawn: it is &lt;wrong&gt;" in page
    assert "It is withdrawn already." in page
    assert step(client, version.backport_id, "fly").status_code == 400


def test_versions_are_told_apart(workshop: Workshop, version: BackportVersion, client: Client) -> None:
    second = made(client, patch(workshop, "4.1", check=MORE))
    assert (second.backport_id, second.number) == (version.backport_id, 2)
    page = client.get(f"/backports/{version.backport_id}/").content.decode()
    link = f"/versions/{second.pk}/comparison/?with={version.pk}"
    assert link in page
    page = client.get(link).content.decode()
    assert "return -EINVAL;" in page
    assert "adapted" in page
    interdiff = page[page.index('id="interdiff"') :]
    assert re.search(r'class="line del"[^>]*>.*return -1;', interdiff)
    assert "This is v1, an older version." in client.get(f"/backports/{version.backport_id}/v1/").content.decode()
    assert client.get(f"/backports/{version.backport_id}/v3/").status_code == 404


def test_beside_the_official_fix(version: BackportVersion, client: Client) -> None:
    page = client.get(f"/versions/{version.pk}/comparison/").content.decode()
    assert "Same as the official fix for" in page
    assert "changes the same lines to the same" in page


def test_another_backport_is_compared_hunk_by_hunk(
    workshop: Workshop, version: BackportVersion, client: Client, other: Client
) -> None:
    step(client, version.backport_id, "share")
    edits = [(PUSH, PUSH + "    toy_mb();\n")]
    more = workshop.toy.patch("4.2", {"common/queue.c": edits}, "queue: order it")
    theirs = made(other, patch(workshop, "4.2") + more, on="4.2", who="two")
    page = other.get(f"/backports/{theirs.backport_id}/").content.decode()
    assert "1 of 2" in page
    page = other.get(f"/versions/{theirs.pk}/comparison/?with={version.pk}").content.decode()
    assert "Same as v1 of Example one on toy 4.1 with 1 hunk more." in page
    assert "They were tried on different commits" in page


@pytest.mark.parametrize("named", ["x", "00000000-0000-4000-8000-000000000000"])
def test_a_comparison_with_nothing_is_nothing(version: BackportVersion, client: Client, named: str) -> None:
    assert client.get(f"/versions/{version.pk}/comparison/?with={named}").status_code == 404


def test_what_is_not_visible_is_compared_with_nothing(
    workshop: Workshop, version: BackportVersion, client: Client, other: Client
) -> None:
    theirs = made(other, patch(workshop, "4.2"), on="4.2", who="two")
    assert client.get(f"/versions/{version.pk}/comparison/?with={theirs.pk}").status_code == 404
    assert client.get(f"/versions/{theirs.pk}/comparison/?with={version.pk}").status_code == 404


@pytest.mark.parametrize("kind", ["mbox", "quilt", "p0", "raw"])
def test_it_is_taken_away_with_its_manifest(version: BackportVersion, client: Client, kind: str) -> None:
    address = f"/versions/{version.pk}/files/{kind}"
    assert address in client.get(f"/backports/{version.backport_id}/").content.decode()
    answer, told = client.get(address), json.loads(client.get(f"{address}.json").content)
    assert answer["Content-Disposition"].startswith('attachment; filename="xsa500-4.1-v1')
    assert answer["Cache-Control"].startswith("no-store")
    assert "Predisclosure list members only" in answer["X-Embargo"]
    assert b"EMBARGOED" in answer.content
    assert told["file"]["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert (told["verdict"]["outcome"], told["branch"]["base"]) == ("applied", version.base)
    if kind == "quilt":
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
            names = tar.getnames()
        assert names == ["EMBARGOED.txt", "patches/series", "patches/xsa500-4.1-v1.patch"]
    else:
        assert parse_series(answer.content)[0].files[0].path.endswith("common/table.c")


def test_what_did_not_land_is_given_as_it_came_alone(version: BackportVersion, client: Client) -> None:
    second = made(client, STRANGE)
    assert second.outcome == "conflict"
    assert client.get(f"/versions/{second.pk}/files/raw").status_code == 200
    for kind in ("mbox", "quilt", "p0", "zip"):
        assert client.get(f"/versions/{second.pk}/files/{kind}").status_code == 404


def test_what_does_not_give_the_result_again_is_not_given_out(
    version: BackportVersion, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the writer of the file had a fault."""
    whole = mbox.series
    monkeypatch.setattr(mbox, "series", lambda where: [mail.replace(b"+    ", b"+  ") for mail in whole(where)])
    answer = client.get(f"/versions/{version.pk}/files/mbox")
    assert answer.status_code == 409
    assert "Not given out" in answer.content.decode()
    assert client.get(f"/versions/{version.pk}/files/mbox.json").status_code == 409
    assert client.get(f"/versions/{version.pk}/files/raw").status_code == 200


def test_the_rooms_part_asks_no_more_for_many(client: Client, version: BackportVersion, advisory: Advisory) -> None:
    """However many backports there are, the page asks the database as often."""
    user, branch = version.made_by, version.backport.branch
    _ask(client)
    before = _ask(client)
    for at in range(30):
        organisation = Organisation.objects.create(name=f"Example {at}", listed=False)
        row = factories.backport(advisory, branch, organisation, user, life="shared", shared_at=factories.DAY)
        factories.version(row)
    assert _ask(client) <= before
    page = f"/backports/{version.backport_id}/"
    with CaptureQueriesContext(connection) as many:
        client.get(page)
    Backport.objects.exclude(pk=version.backport_id).delete()
    with CaptureQueriesContext(connection) as alone:
        client.get(page)
    assert len(many) <= len(alone)


def _ask(client: Client) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get("/advisories/500/").status_code == 200
    return len(found)
