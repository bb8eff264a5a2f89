"""A matrix with one disclosed and one embargoed advisory, and the people who look at it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.test import Client

from backports.models import Attempt, Branch
from tests import factories
from xsa.models import Advisory, PatchFile, User

SECRETS = ("XSA-777", "777", "quiet title", "CVE-2031-0777", "xsa777-secret.patch")


@dataclass
class World:
    """Everything that the pages' tests look at."""

    branch: Branch
    master: Branch
    known: Advisory
    secret: Advisory
    known_attempt: Attempt
    secret_attempt: Attempt
    known_file: PatchFile
    secret_file: PatchFile


@pytest.fixture
def world(db: None) -> World:
    xen = factories.repository("xen")
    branch, master = factories.branch(xen, "4.11"), factories.branch(xen, "master")
    known = factories.advisory(456, title="guests can do a thing", cves=("CVE-2024-0456",))
    secret = factories.advisory(777, title="quiet title", cves=("CVE-2031-0777",), disclosed=False)
    known_file = factories.patch_file(known, "xsa456.patch", b"known bytes \xff\r\n")
    secret_file = factories.patch_file(secret, "xsa777-secret.patch", b"secret bytes")
    factories.fix(known, file=known_file)
    factories.fix(secret, file=secret_file)
    factories.upstream_fix(known, master)
    partly = {"hunks_landed": 1, "hunks_total": 2, "confidence": "review", "rung": "offset"}
    return World(
        branch,
        master,
        known,
        secret,
        factories.attempt(known, branch, "partly-applied", evidence=factories.evidence(), **partly),
        factories.attempt(secret, branch),
        known_file,
        secret_file,
    )


def _client(user: User) -> Client:
    return factories.log_in(Client(), user)


@pytest.fixture
def anonymous() -> Client:
    return Client()


@pytest.fixture
def outsider(db: None) -> Client:
    """Logged in, and on no list."""
    return _client(factories.person("outsider"))


@pytest.fixture
def member(db: None) -> Client:
    return _client(factories.person("member", listed=True))


@pytest.fixture
def team(db: None) -> Client:
    return _client(factories.person("team", security_team=True))
