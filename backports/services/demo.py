"""Loads the demo: a project of our own with branches, advisories, organisations and people."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backports.demo import DemoAdvisory, advisories, build_repository, make_key, sign
from xsa.formats.index import IndexEntry
from xsa.models import Advisory, Membership, User
from xsa.services.disclose import disclose
from xsa.services.members import create_organisation, create_person
from xsa.services.plans import announce_listed

from . import attempts
from .advisories import ingest
from .demo_room import furnish
from .planning import plan
from .repositories import add_repository, mine

PROJECT = "demo"


@dataclass(frozen=True, slots=True)
class Account:
    """A demo person; `password` and `key`, which an authenticator app takes, are made anew at each load."""

    username: str
    password: str
    key: str
    sees: str


def loaded() -> bool:
    """Whether the demo is there, whole: its people come last."""
    return User.objects.filter(username__in=_PEOPLE).exists()


def load() -> list[Account]:
    """Build the demo and queue its attempts; returns the accounts.

    Does nothing when it is there; one that was interrupted is taken up again, since each
    step leaves alone what an earlier run did.
    """
    if loaded():
        return []
    path = Path(settings.DATA_DIR) / "demo" / "project.git"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _forget(path)
    repository = build_repository(path)
    mirrored = add_repository(None, name=PROJECT, url=str(path))
    mine(None, mirrored)
    secret, public = make_key()
    published = advisories(repository, now=timezone.now())
    for advisory in published:
        _publish(advisory, secret, public)
    _announce(published)
    mine(None, mirrored)
    plan(mirrored, because="demo")
    attempts.send()
    with transaction.atomic():
        people = accounts()
        furnish(PROJECT)
    return people


def _forget(path: Path) -> None:
    """What an interrupted load left behind: never more than the folder that `load` makes."""
    shutil.rmtree(path)


def _publish(advisory: DemoAdvisory, secret: bytes, public: bytes) -> None:
    for version in advisory.versions:
        ingest(
            None,
            files=sign(version.files, secret),
            project=PROJECT,
            planned=advisory.planned,
            certs=[public],
        )
    if advisory.disclosed is not None:
        row = Advisory.objects.get(number=advisory.number)
        disclose(None, advisory=row, reason="public in the demo", at=advisory.disclosed)


def _announce(published: Sequence[DemoAdvisory]) -> None:
    """The first embargoed one, as the project's public list would; of the others nobody outside knows."""
    first = min((one for one in published if one.planned), key=lambda one: one.number)
    announce_listed([IndexEntry(first.number, "", first.planned, ())], now=timezone.now())


_PEOPLE: Mapping[str, tuple[str, dict[str, bool], str, str]] = {
    "security-team": (
        "Example Security Team",
        {"security_team": True},
        Membership.Role.ADMIN,
        "everything; runs the room",
    ),
    "member-one": (
        "Example Distribution",
        {"listed": True},
        Membership.Role.ADMIN,
        "what is embargoed too: its organisation is on the predisclosure list",
    ),
    "member-two": (
        "Example Hosting Provider",
        {"listed": True},
        Membership.Role.MEMBER,
        "what is embargoed too: its organisation is on the predisclosure list",
    ),
    "public-only": (
        "Example Public Distribution",
        {},
        Membership.Role.MEMBER,
        "what is disclosed, and nothing before",
    ),
}


@transaction.atomic
def accounts() -> list[Account]:
    """The demo's fictional organisations, one person in each, and the file with their passwords."""
    made = []
    for username, (organisation, kind, role, sees) in _PEOPLE.items():
        password, key = secrets.token_urlsafe(12), generate_totp_secret()
        person = create_person(
            None,
            username=username,
            password=password,
            organisation=create_organisation(None, name=organisation, **kind),
            role=role,
            contact=True,
            email=f"{username}@demo.example",
        )
        TOTP.activate(person, key)
        made.append(Account(username, password, key, sees))
    write_accounts(made)
    return made


def write_accounts(people: list[Account]) -> Path:
    """The accounts as a file that only its owner can read."""
    path = Path(settings.DATA_DIR) / "demo-accounts.txt"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"{line(one)}\n" for one in people) + f"{CODES}\n")
    return path


CODES = "A login asks for a code too: manage.py demo_code USERNAME, or type the key into an authenticator app."


def line(one: Account) -> str:
    """How an account is told to the person at the terminal."""
    return f"{one.username:14} password {one.password}  key {one.key}  sees {one.sees}"


def code(username: str) -> str | None:
    """The code that a demo person's app would show now; None for anybody else, or without an app."""
    if username not in _PEOPLE:
        return None
    app = Authenticator.objects.filter(user__username=username, type=Authenticator.Type.TOTP).first()
    if app is None:
        return None
    now = next(yield_hotp_counters_from_time()) + app_settings.TOTP_TOLERANCE
    return str(format_hotp_value(hotp_value(decrypt(app.data["secret"]), now)))
