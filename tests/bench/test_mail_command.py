"""`manage.py bench_mail`, `room_key` and `list_digests`: what they say they did is there afterwards."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backports.models import OutboxMail, Subscription
from backports.pgp import load_room_key
from tests import factories


def told(command: str, *args: object, **options: object) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def mail(settings: Any, tmp_path: Path) -> Path:
    """Mail goes into files, and the room has a key of its own."""
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "backports.mail.files.EmailBackend", str(tmp_path / "mail")
    settings.ROOM_KEY = tmp_path / "room-key.asc"
    return tmp_path


@pytest.mark.usefixtures("committed_db")
def test_digests_are_made_and_sent_by_processes(mail: Path) -> None:
    out = told("bench_mail", recipients=3, items=2, workers=2)
    assert "3 mails of 2 items, 2 workers" in out
    assert float(re.findall(r"ratio ([\d.]+)", out)[0]) > 0
    assert list(OutboxMail.objects.values_list("state", "notice")) == [("sent", False)] * 3
    files = list((mail / "mail").iterdir())
    assert len(files) == 3
    assert all(b"BEGIN PGP MESSAGE" in file.read_bytes() for file in files)
    assert not any(b"usual length" in file.read_bytes() for file in files)


@pytest.mark.usefixtures("committed_db")
def test_the_bench_measures_on_nobodys_data() -> None:
    factories.advisory(1)
    with pytest.raises(CommandError, match="not-empty"):
        told("bench_mail", recipients=1)


def test_the_rooms_key_is_made_once(mail: Path) -> None:
    first = told("room_key")
    assert first.strip() == load_room_key(mail / "room-key.asc").fingerprint
    again = told("room_key", public=True)
    assert again.startswith(first)
    assert "BEGIN PGP PUBLIC KEY BLOCK" in again
    (mail / "room-key.asc").chmod(0o644)
    with pytest.raises(CommandError, match="Others can read"):
        told("room_key")


def test_the_lists_digests_are_set_by_an_operator(db: None) -> None:
    assert "daily" in told("list_digests", "daily", hour=9)
    row = Subscription.objects.get(organisation=None, person=None)
    assert (row.cadence, row.hour) == ("daily", 9)
    told("list_digests", "off")
    assert Subscription.objects.get().cadence == "off"
