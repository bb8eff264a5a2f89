"""Advisories as Xen sends them: in by themselves when the project's key signed all of it, else for a person."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backports.models import InboundMail
from backports.services.inbound import deciding
from tests import factories
from tests.mail.inbound.conftest import Take
from tests.mail.letters import mail
from tests.xsa.samples import PATCH, advisory
from xsa.formats.signature import clear_sign, make_demo_key
from xsa.models import Advisory, PatchFile

SECRET, PUBLIC = make_demo_key("Example Project", "security@project.example")
OTHER, _ = make_demo_key("Somebody Else", "else@project.example")
NUMBER = 950
AT = datetime(2031, 5, 6, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def projects_key(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "project.asc"
    path.write_bytes(PUBLIC)
    settings.ADVISORY_KEYS = [path]


def _mail(
    secret: bytes | None = SECRET,
    *,
    version: int = 1,
    number: int = NUMBER,
    subject: str = "",
    files: Mapping[str, bytes] | None = None,
    banner: str = "",
) -> bytes:
    """As XSA.md 1.3 has it: clear-signed text in the mail, and the files beside it."""
    made = advisory(number, version=version, files={f"xsa{number}/xsa{number}-01.patch": PATCH})
    text = banner.encode() + made.pop(f"advisory-{number}.txt")
    body = clear_sign(text, secret).decode() if secret else text.decode()
    title = subject or f"Xen Security Advisory {number} v{version} (CVE-2099-0{number}) - guest may pick"
    ident = f"<{hashlib.sha256(body.encode()).hexdigest()[:9]}@project.example>"
    sender = "Example.org security team <security@project.example>"
    return mail(body, subject=title, sender=sender, files={**made, **(files or {})}, message_id=ident)


def test_a_signed_one_is_taken_in_and_embargoed(take: Take) -> None:
    row = take(_mail())
    assert (row.state, row.code, row.signature) == ("acted", "advisory", "good"), row.sentence
    made = Advisory.objects.get(number=NUMBER)
    assert (made.embargoed, made.planned_disclosure_at, row.advisory) == (True, None, made)
    assert made.current is not None and made.current.signature == "good"
    names = set(PatchFile.objects.filter(version=made.current).values_list("name", flat=True))
    assert names == {"advisory-950.txt", "xsa950/xsa950-01.patch"}


def test_the_next_version_joins_it(take: Take) -> None:
    take(_mail())
    row = take(_mail(version=2))
    assert (row.state, row.code) == ("acted", "advisory")
    assert Advisory.objects.get(number=NUMBER).current.number == 2  # type: ignore[union-attr]


def test_its_date_is_proposed_and_a_person_confirms_it(take: Take, client: Client) -> None:
    row = take(_mail(banner="*** EMBARGOED UNTIL 2031-05-06 12:00 UTC ***\n\n"))
    assert row.code == "advisory", row.sentence
    made = Advisory.objects.get(number=NUMBER)
    assert made.planned_disclosure_at is None
    assert row.proposal["planned"] == AT.isoformat()
    factories.log_in(client, factories.person("team", security_team=True))
    page = client.get(f"/mail/in/{row.pk}/").content.decode()
    assert "2031-05-06" in page
    answer = client.post(f"/mail/in/{row.pk}/", {"step": "confirm-date", "at": "2031-05-06 12:00"})
    assert answer.status_code == 302
    made.refresh_from_db()
    assert made.planned_disclosure_at == AT
    assert "Confirm this date" not in client.get(f"/mail/in/{row.pk}/").content.decode()


@pytest.mark.parametrize(
    ("raw", "state", "code"),
    [
        (_mail(None), "quarantined", "unsigned"),
        (_mail(OTHER), "quarantined", "unknown-key"),
        (_mail().replace(b"An index is not checked", b"Nothing is the matter"), "refused", "bad-signature"),
        (_mail(subject="Xen Security Advisory 951 v1 - another"), "refused", "moved"),
        (_mail(files={"xsa950/more.patch": b"diff"}), "quarantined", "unlisted-file"),
    ],
    ids=["unsigned", "unknown-key", "bad", "moved", "unlisted"],
)
def test_anything_less_does_not_enter_by_itself(take: Take, raw: bytes, state: str, code: str) -> None:
    row = take(raw)
    assert (row.state, row.code) == (state, code), row.sentence
    assert not Advisory.objects.exists()


FORGED = advisory(NUMBER, title="a forged title", files={f"xsa{NUMBER}/xsa{NUMBER}-01.patch": PATCH})[
    f"advisory-{NUMBER}.txt"
]


def _stored() -> set[tuple[str, bytes]]:
    return {(name, bytes(data)) for name, data in PatchFile.objects.values_list("name", "data")}


@pytest.mark.parametrize(
    "name",
    [f"advisory-{NUMBER}.txt", f"xsa{NUMBER}/advisory-{NUMBER}.txt", "readme.txt", "xsa.json", "xsa950/new.patch"],
)
def test_no_file_beside_it_takes_the_signed_texts_place(take: Take, name: str) -> None:
    """Not by itself, and not where a person accepts the mail for its signature."""
    row = take(_mail(files={name: FORGED}))
    assert (row.state, row.code) == ("quarantined", "unlisted-file"), row.sentence
    assert not Advisory.objects.exists()
    row = deciding.accept(factories.person("team", security_team=True), mail=row)
    made = Advisory.objects.get(number=NUMBER).current
    assert made is not None
    assert (row.code, made.title, made.signature) == ("advisory", "guest may pick outside the table", "good")
    assert {name for name, _ in _stored()} == {"advisory-950.txt", "xsa950/xsa950-01.patch"}
    assert f"{name} was left out." in row.facts["notes"]


def test_a_listed_sum_under_another_name_is_not_listed(take: Take) -> None:
    row = take(_mail(files={"xsa950/xsa950-02.patch": PATCH}))
    assert (row.state, row.code) == ("quarantined", "unlisted-file")


def test_what_is_forged_around_a_signed_text_changes_nothing(take: Take) -> None:
    good = _mail()
    take(good)
    before, title = _stored(), Advisory.objects.get(number=NUMBER).current.title  # type: ignore[union-attr]
    raw = good.replace(b"-----BEGIN PGP SIGNED", FORGED + b"\n-----BEGIN PGP SIGNED", 1)
    row = take(raw.replace(b"Message-ID: <", b"Message-ID: <forged-"))
    assert (row.state, row.code) == ("acted", "advisory"), row.sentence
    assert (_stored(), Advisory.objects.get(number=NUMBER).current.title) == (before, title)  # type: ignore[union-attr]


def test_one_that_is_disclosed_here_waits_for_a_person(take: Take) -> None:
    factories.advisory(NUMBER, disclosed=True)
    row = take(_mail(version=3))
    assert (row.state, row.code) == ("quarantined", "disclosed-already")
    assert Advisory.objects.get(number=NUMBER).versions.count() == 1


def test_a_person_takes_an_unsigned_one_in(take: Take) -> None:
    row = take(_mail(None))
    row = deciding.accept(factories.person("team", security_team=True), mail=row)
    assert (row.state, row.code, row.signature) == ("acted", "advisory", "none"), row.sentence
    assert Advisory.objects.get(number=NUMBER).embargoed


def test_the_same_advisory_again_changes_nothing(take: Take) -> None:
    take(_mail())
    before = list(Advisory.objects.values_list("number", "current__digest"))
    raw = _mail().replace(b"Message-ID: <", b"Message-ID: <again-")
    row = take(raw)
    assert (row.state, list(Advisory.objects.values_list("number", "current__digest"))) == ("acted", before)
    assert InboundMail.objects.count() == 2
