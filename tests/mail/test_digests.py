"""Digests: what they say, when they come, and that none says more than its reader's own pages."""

from __future__ import annotations

import email
import email.policy
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from backports.models import Event, OutboxMail, Subscription
from backports.pgp import Home, RoomKey
from backports.services import digests, sending, subscriptions
from tests import factories
from tests.export import upstream
from tests.mail import situations
from tests.mail.conftest import give_key
from tests.mail.situations import NUMBERS, READERS, World
from tests.pgp.keys import Correspondent
from xsa.models import Advisory, Membership, Organisation

pytestmark = pytest.mark.django_db
CANARY = re.compile(r"canary[a-z]+\d+qzx")
SITUATIONS = 500


@pytest.fixture(scope="module")
def reader() -> Correspondent:
    return Correspondent()


@pytest.fixture
def world(reader: Correspondent) -> World:
    return situations.make(reader)


@pytest.fixture
def home(room: RoomKey) -> Iterator[Home]:
    with Home(secret=room.secret) as opened:
        yield opened


def opened(sent: Any, world: World, room: RoomKey) -> tuple[bytes, str, list[tuple[str, bytes]]]:
    """The bytes that went out, and what is in them for the holder of the key: the text, and the files."""
    raw = sent.message().as_bytes(linesep="\r\n")
    outer = email.message_from_bytes(raw, policy=email.policy.default)
    if outer.get_content_type() == "text/plain":
        return raw, outer.get_content(), []
    _, body = outer.iter_parts()  # type: ignore[attr-defined]
    plain, signers = world.reader.read(body.get_payload().encode(), sender=room.public)
    assert signers == [room.fingerprint]
    inside = email.message_from_bytes(plain, policy=email.policy.default)
    text = inside.get_body(preferencelist=("plain",)).get_content()  # type: ignore[attr-defined]
    files = [(one.get_filename(), one.get_payload(decode=True)) for one in inside.iter_attachments()]  # type: ignore[attr-defined]
    return raw, f"{inside['Subject']}\n{text}", files


def everything_new(world: World, name: str, *, person: bool, cadence: str = "instant") -> Subscription:
    """A subscription that was told nothing yet."""
    whose = {"person": world.people[name]} if person else {"organisation": world.place(name)}
    now = timezone.now()
    return Subscription.objects.create(
        cadence=cadence, position=0, looked_at=now - timedelta(hours=5), set_at=now, **whose
    )


def deliver(home: Home) -> None:
    for row in OutboxMail.objects.filter(kind="digest", state="waiting"):
        sending.send(str(row.pk), home)


def test_a_digest_tells_what_is_new_for_its_reader(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any]
) -> None:
    give_key(world.place("keeper"), world.reader)
    everything_new(world, "keeper", person=False)
    situations.share(world, world.backports[0])
    assert digests.make_digests() == 1
    deliver(home)
    _, text, files = opened(mailoutbox[0], world, room)
    for heading in (
        "Disclosures ahead",
        "Advisories",
        "Dates that moved",
        "Verdicts on your branches",
        "Backports shared",
        "Checks that broke",
        "Claims about to end",
    ):
        assert f"\n{heading}\n" in text.replace("\r", ""), heading
    assert "Reviews wanted from you" not in text
    assert ("xsa501.patch", b"canaryfile501qzx\n") in files
    assert len(files) == 4
    assert max(len(line) for line in text.splitlines()[1:] if "https://" not in line) <= 72
    assert (digests.make_digests(), OutboxMail.objects.filter(kind="digest").count()) == (0, 1)


def test_git_takes_the_patches_that_a_digest_brings(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any], tmp_path: Path
) -> None:
    """Upstream's, as different tools wrote them; saved from the decrypted mail."""
    give_key(world.place("keeper"), world.reader)
    everything_new(world, "keeper", person=False)
    for name, data in upstream.FILES.items():
        factories.patch_file(world.advisories[0], name, data)
    digests.make_digests()
    deliver(home)
    _, _, files = opened(mailoutbox[0], world, room)
    # One of them says the same as another, once it is a mail.
    assert set(upstream.FILES) - {name for name, _ in files} == {"text.patch"}
    for name, data in files:
        if name in upstream.FILES:
            tree = upstream.repository(tmp_path / name)
            upstream.am(tree, data)
            assert (tree / "xen" / "timer.c").read_bytes() == upstream.FIXED


def test_a_review_is_wanted_from_others(world: World, room: RoomKey, home: Home, mailoutbox: list[Any]) -> None:
    give_key(world.people["contact"], world.reader)
    everything_new(world, "contact", person=True)
    situations.share(world, world.backports[1])
    digests.make_digests()
    deliver(home)
    _, text, _ = opened(mailoutbox[0], world, room)
    assert "Reviews wanted from you" in text
    assert "Checks that broke" not in text
    assert "canarycheck" not in text


def test_a_version_of_what_is_shared_is_told_to_who_sees_it(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any]
) -> None:
    give_key(world.people["contact"], world.reader)
    for name in ("contact", "outsider"):
        row = everything_new(world, name, person=True)
    shared, draft, both = world.backports
    situations.share(world, shared)
    Subscription.objects.update(position=subscriptions.newest(), looked_at=timezone.now())
    situations.renew(world, draft)
    assert digests.make_digests() == 0
    situations.renew(world, shared)
    situations.renew(world, shared)
    situations.share(world, both)
    situations.renew(world, both)
    assert digests.make_digests() == 1
    deliver(home)
    _, text, files = opened(mailoutbox[0], world, room)
    lines = [line for line in text.replace("\r", "").split("\n") if line.startswith("- XSA-")]
    news = ["XSA-501 on xen 4.11: Example keeper v3, applied", "XSA-503 on xen 4.11: Example keeper v2, applied"]
    assert lines[:2] == [f"- {one}" for one in news]
    assert len(lines) == 4  # and a review is wanted of each
    assert [data for _, data in files] == [b"canaryversion501qzx v3\n", b"canaryversion503qzx v2\n"]
    row.refresh_from_db()
    assert (digests.make_digests(), row.position) == (0, subscriptions.newest())


def test_mails_about_one_advisory_are_one_thread(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any]
) -> None:
    give_key(world.place("keeper"), world.reader)
    row = everything_new(world, "keeper", person=False)
    Subscription.objects.filter(pk=row.pk).update(position=subscriptions.newest(), looked_at=timezone.now())
    for number in (0, 1):
        situations.share(world, world.backports[0])
        situations.share(world, world.backports[2]) if number else None
        digests.make_digests()
        deliver(home)
    situations.share(world, world.backports[0])
    digests.make_digests()
    deliver(home)
    threads = [one.message()["References"] for one in mailoutbox]
    assert len(threads) == 3
    assert threads[0] == threads[2] != threads[1]
    assert [str(one.message()["Subject"]) for one in mailoutbox] == ["XSA-501", "Xen backports", "XSA-501"]


def test_one_click_ends_it(world: World, room: RoomKey, home: Home, mailoutbox: list[Any]) -> None:
    give_key(world.people["contact"], world.reader)
    row = everything_new(world, "contact", person=True)
    digests.make_digests()
    deliver(home)
    message = mailoutbox[0].message()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Xen backports <backports.example.org>"
    path = str(message["List-Unsubscribe"]).strip("<>").removeprefix("https://room.example")
    client = Client(enforce_csrf_checks=True)
    assert client.get(path).status_code == 200
    row.refresh_from_db()
    assert row.cadence == "instant"
    assert client.post(path, "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded").status_code == 200
    row.refresh_from_db()
    assert row.cadence == "off"
    assert client.post(path.replace("~", "~x")).status_code == 404


@pytest.mark.parametrize(
    ("wish", "looked", "now", "due"),
    [
        ({"cadence": "instant"}, "05:00", "05:01", True),
        ({"cadence": "instant", "quiet_from": 22, "quiet_until": 7}, "21:00", "23:30", False),
        ({"cadence": "instant", "quiet_from": 22, "quiet_until": 7}, "21:00", "06:59", False),
        ({"cadence": "instant", "quiet_from": 22, "quiet_until": 7}, "05:00", "07:00", True),
        ({"cadence": "daily", "hour": 8}, "07:59", "08:00", True),
        ({"cadence": "daily", "hour": 8}, "08:00", "23:00", False),
        ({"cadence": "daily", "hour": 8, "time_zone": "Asia/Tokyo"}, "22:59", "23:00", True),
        ({"cadence": "daily", "hour": 8, "time_zone": "Asia/Tokyo"}, "05:00", "08:00", False),
        ({"cadence": "weekly", "hour": 8, "weekday": 2}, "07:00", "08:00", True),
        ({"cadence": "weekly", "hour": 8, "weekday": 3}, "07:00", "08:00", False),
    ],
)
def test_when_it_is_time(wish: dict[str, Any], looked: str, now: str, due: bool) -> None:
    day = datetime(2026, 3, 4, tzinfo=UTC)  # a Wednesday
    at = [day.replace(hour=int(one[:2]), minute=int(one[3:])) for one in (looked, now)]
    assert subscriptions.is_due(Subscription(looked_at=at[0], **wish), at[1]) is due


BERLIN = {"cadence": "daily", "time_zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("wish", "first", "expected"),
    [
        # Clocks go back at 03:00 on the 25th: 02:30 comes twice.
        (BERLIN | {"hour": 8}, "2026-10-24", ["24T06:00", "25T07:00", "26T07:00"]),
        (BERLIN | {"hour": 2}, "2026-10-24", ["24T00:00", "25T00:00", "26T01:00"]),
        (BERLIN | {"hour": 3}, "2026-10-24", ["24T01:00", "25T02:00", "26T02:00"]),
        (BERLIN | {"hour": 2, "quiet_from": 2, "quiet_until": 3}, "2026-10-24", ["24T01:00", "25T02:00", "26T02:00"]),
        (BERLIN | {"hour": 2, "cadence": "weekly", "weekday": 6}, "2026-10-24", ["25T00:00"]),
        # And forward at 02:00 on the 29th: there is no 02:30.
        (BERLIN | {"hour": 8}, "2026-03-28", ["28T07:00", "29T06:00", "30T06:00"]),
        (BERLIN | {"hour": 2}, "2026-03-28", ["28T01:00", "29T01:00", "30T00:00"]),
        (BERLIN | {"hour": 2, "quiet_from": 22, "quiet_until": 7}, "2026-03-28", ["28T06:00", "29T05:00", "30T05:00"]),
        (BERLIN | {"hour": 2, "cadence": "weekly", "weekday": 6}, "2026-03-28", ["29T01:00"]),
    ],
)
def test_on_days_when_clocks_change_it_comes_once(wish: dict[str, Any], first: str, expected: list[str]) -> None:
    """Asked every ten minutes, over three of the reader's days."""
    start = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    row = Subscription(**wish, looked_at=start)
    came = []
    for minutes in range(0, 72 * 60, 10):
        now = start + timedelta(minutes=minutes)
        if subscriptions.is_due(row, now):
            came.append(f"{now:%dT%H:%M}")
            row.looked_at = now
    assert came == expected


def test_before_a_deadline_it_comes_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = everything_new(world, "contact", person=True, cadence="deadline")
    Advisory.objects.exclude(number=NUMBERS[0]).update(planned_disclosure_at=None)
    start = timezone.now()
    Advisory.objects.filter(number=NUMBERS[0]).update(planned_disclosure_at=start + timedelta(hours=60))
    Subscription.objects.filter(pk=row.pk).update(looked_at=start)
    came = []
    for hours in range(1, 61):
        moment = start + timedelta(hours=hours)
        monkeypatch.setattr(timezone, "now", lambda at=moment: at)
        if digests.make_digests():
            came.append(hours)
    assert came == [12, 56]


def test_the_list_gets_one_mail_each_or_one_to_its_own_key(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any], settings: Any, tmp_path: Any
) -> None:
    row = everything_new(world, "contact", person=True)
    Subscription.objects.filter(pk=row.pk).update(person=None)
    settings.MAIL_LIST = "list@lists.example"
    for name in ("contact", "keeper"):
        give_key(world.place(name), world.reader)
    Organisation.objects.filter(listed=True).exclude(
        pk__in=[world.place(name).pk for name in ("contact", "keeper")]
    ).update(listed=False)
    situations.share(world, world.backports[0])
    assert digests.make_digests() == 2
    deliver(home)
    assert {one.to[0] for one in mailoutbox} == {"role@contact.example", "role@keeper.example"}
    for one in mailoutbox:
        _, text, _ = opened(one, world, room)
        assert "available to members of the list" in text
        assert "Fixed versions available" in text
        assert "canarycheck" not in text
        assert "your" not in text
    (tmp_path / "list.asc").write_text(world.reader.public)
    settings.MAIL_LIST_KEY, settings.MAIL_LIST_FINGERPRINT = str(tmp_path / "list.asc"), world.reader.fingerprint
    mailoutbox.clear()
    situations.share(world, world.backports[1])
    assert digests.make_digests() == 1
    deliver(home)
    assert mailoutbox[0].to == ["list@lists.example"]
    assert "XSA-502" in opened(mailoutbox[0], world, room)[1]
    settings.MAIL_LIST_FINGERPRINT = "A" * 40
    situations.share(world, world.backports[2])
    digests.make_digests()
    deliver(home)
    assert opened(mailoutbox[1], world, room)[1].startswith("There is news, log in")


def test_what_not_everybody_on_the_list_sees_does_not_go_to_its_own_key(world: World, settings: Any) -> None:
    settings.MAIL_LIST, settings.MAIL_LIST_KEY = "list@lists.example", "somewhere"
    everything_new(world, "contact", person=True)
    Subscription.objects.update(person=None)
    # The members' organisation has no contact, so that nobody there sees what is embargoed.
    assert world.place("member").listed
    assert digests.make_digests() == 0


def test_an_organisation_is_told_nothing_of_what_its_contact_sees_for_another(world: World) -> None:
    """A contact of a listed organisation is one of an organisation that is not listed too."""
    everything_new(world, "unlisted", person=False)
    user = world.people["unlisted"]
    Membership.objects.create(user=user, organisation=world.place("contact"), contact=True)
    assert digests.make_digests() == 0


def test_an_organisation_without_a_contact_is_told_what_is_disclosed(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any]
) -> None:
    give_key(world.place("member"), world.reader)
    everything_new(world, "member", person=False)
    row = world.advisories[1]
    Advisory.objects.filter(pk=row.pk).update(disclosed_at=timezone.now(), disclosure_reason="test")
    assert digests.make_digests() == 1
    deliver(home)
    _, text, _ = opened(mailoutbox[0], world, room)
    assert _numbers(text) == {"canarytitle502qzx"}


def test_a_page_of_mail_shows_its_content_to_its_reader_alone(world: World) -> None:
    everything_new(world, "contact", person=False)
    digests.make_digests()
    row = OutboxMail.objects.get(kind="digest")
    answers = {}
    for name in READERS:
        client = factories.log_in(Client(), world.people[name])
        answers[name] = (client.get("/mail/"), client.get(f"/mail/{row.pk}/"))
    assert answers["contact"][1].status_code == 200
    assert b"canarytitle501qzx" in answers["contact"][1].content
    assert {name for name in READERS if answers[name][1].status_code == 200} == {"contact"}
    for listing, _ in answers.values():
        assert listing.status_code == 200
        assert not CANARY.search(listing.content.decode())
    assert str(row.pk) not in answers["team"][0].content.decode()
    assert b"Example contact" in answers["team"][0].content


def test_a_wish_is_set_on_its_page(world: World) -> None:
    client = factories.log_in(Client(), world.people["contact"])
    wish = {
        "cadence": "daily",
        "time_zone": "Europe/Berlin",
        "hour": 9,
        "weekday": 0,
        "quiet_from": 22,
        "quiet_until": 7,
    }
    assert client.post("/mail/digests/", wish).status_code == 302
    row = Subscription.objects.get(person=world.people["contact"])
    assert (row.cadence, row.time_zone, row.hour, row.position) == ("daily", "Europe/Berlin", 9, subscriptions.newest())
    answer = client.post("/mail/digests/", wish | {"time_zone": "Nowhere/Land"})
    assert (answer.status_code, b"no such time zone" in answer.content) == (422, True)


def test_no_mail_says_more_than_its_readers_pages(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Random readers, keys, visibilities and events; what was decrypted is held against the reader's pages."""
    caplog.set_level(logging.INFO)
    counts = {"mails": 0, "content": 0, "words": 0}
    for seed in range(SITUATIONS):
        with transaction.atomic():
            _one_situation(world, room, home, mailoutbox, Random(seed), counts)
            transaction.set_rollback(True)
        mailoutbox.clear()
    assert not CANARY.search(caplog.text)
    assert counts["mails"] > SITUATIONS // 4
    assert counts["content"] > SITUATIONS // 10
    assert counts["words"] > SITUATIONS
    logging.getLogger(__name__).info("situations %s", counts)


def _one_situation(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any], random: Random, counts: dict[str, int]
) -> None:
    name, person = random.choice(READERS), random.random() < 0.5
    situations.keys_by_chance(world, random, name)
    situations.change(world, random)
    row = everything_new(world, name, person=person)
    positions = list(Event.objects.order_by("position").values_list("position", flat=True))
    Subscription.objects.filter(pk=row.pk).update(position=random.choice([0, *positions[:-1]]))
    digests.make_digests()
    situations.change_after(world, random, name)
    deliver(home)
    counts["mails"] += len(mailoutbox)
    for sent in mailoutbox:
        raw, text, files = opened(sent, world, room)
        assert not CANARY.search(raw.decode("ascii"))
        words = set(CANARY.findall(text)) | {word for _, data in files for word in CANARY.findall(data.decode())}
        counts["content"] += "There is news, log in" not in text
        counts["words"] += len(words)
        _are_on_the_pages(world, name, words | _numbers(text))


def _numbers(text: str) -> set[str]:
    return {f"canarytitle{number}qzx" for number in NUMBERS if f"XSA-{number}" in text}


def _are_on_the_pages(world: World, name: str, words: set[str]) -> None:
    """Each thing's own page answers this reader at this moment, and shows a title that the mail named."""
    client = factories.log_in(Client(), world.people[name])
    for word in sorted(words):
        answer = client.get(world.homes[word])
        assert answer.status_code == 200, (name, word)
        assert "title" not in word or word in answer.content.decode()


def test_the_situations_would_show_a_leak(
    world: World, room: RoomKey, home: Home, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With somebody else's eyes a mail holds what its reader's pages do not show."""
    give_key(world.place("outsider"), world.reader)
    everything_new(world, "outsider", person=False)
    team = world.people["team"]
    monkeypatch.setattr(digests, "eyes_of", lambda *_: team)
    digests.make_digests()
    deliver(home)
    _, text, _ = opened(mailoutbox[0], world, room)
    with pytest.raises(AssertionError):
        _are_on_the_pages(world, "outsider", set(CANARY.findall(text)))


def test_a_window_with_nothing_visible_makes_no_mail(world: World) -> None:
    everything_new(world, "outsider", person=False)
    assert digests.make_digests() == 0
