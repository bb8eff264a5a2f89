"""Whatever page, file or list holds a word of an embargoed advisory leaves a record of who was shown it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from backports.models import Attempt
from tests.permissions.actors import client_of
from tests.permissions.routes import EMPTY, ROWS
from tests.permissions.world import CANARIES, SECRET, Names, names_of
from xsa.models import Advisory, AuditRecord

SHOW = {"matrix", "repository", "progress", "branch", "applied", "advisories", "advisory", "attempt", "result", "file"}
SHOW |= {"api_advisories", "api_advisory", "api_fixes", "api_fix", "api_attempts", "api_attempt", "api_events"}
SHOW |= {"api_attempt_mbox", "api_attempt_patch", "api_cell_backports", "api_backports", "api_backport"}
SHOW |= {"api_version", "api_version_patch"}


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _patterns(one)
        else:
            yield one


def test_every_view_is_recorded() -> None:
    found = list(_patterns(get_resolver()))
    assert len(found) > 20
    assert [str(one.pattern) for one in found if not getattr(one.callback, "is_recorded", False)] == []


def _told(names: Names, route: str) -> bool:
    return AuditRecord.objects.filter(advisories=[names.number], detail__route=route).exists()


def _paths(names: Names) -> Iterator[tuple[str, str]]:
    paths = {name: row.path for name, row in ROWS.items() if "GET" in row.methods} | dict(EMPTY)
    for name, path in paths.items():
        for query in ROWS[name].queries if name in ROWS else ("",):
            yield name, path.format(**names.words) + query


def _shows(client: Client, path: str) -> bool:
    """Any word of it, and the bare number too, by which a cell of the matrix is named."""
    answer = client.get(path)
    body = answer.getvalue().decode("latin-1")
    found = any(word in body for word in CANARIES) or re.search(rf"\bc{SECRET}-|\b{SECRET}\b", body)
    return answer.status_code == 200 and bool(found)


@pytest.mark.parametrize("actor", ["contact", "guest", "team"])
def test_whoever_is_shown_a_word_of_it_is_recorded(secret: Advisory, actor: str) -> None:
    client, names = client_of(actor, secret), names_of(secret)
    shown = {name for name, path in _paths(names) if _shows(client, path)}
    assert shown >= SHOW
    assert {name for name in shown if not _told(names, name)} == set()


def test_a_head_of_it_is_recorded_as_well(secret: Advisory) -> None:
    client, names = client_of("contact", secret), names_of(secret)
    for name in ("advisory", "attempt", "result", "file"):
        client.head(ROWS[name].path.format(**names.words))
        assert _told(names, name)


def test_what_is_disclosed_and_what_outsiders_ask_for_leaves_no_record(secret: Advisory, known: Advisory) -> None:
    for actor in ("anonymous", "outsider", "member", "halfway"):
        client = client_of(actor, secret)
        for names in (names_of(secret), names_of(known)):
            for _, path in _paths(names):
                client.get(path)
    assert not AuditRecord.objects.filter(verb__in=["seen", "downloaded"]).exists()


def test_a_result_on_top_of_it_is_recorded_too(secret: Advisory, known: Advisory) -> None:
    attempt = Attempt.objects.filter(advisory=known, current=True).exclude(result="").first()
    assert attempt is not None
    Attempt.objects.filter(pk=attempt.pk).update(prerequisites=[secret.number])
    client_of("team", secret).get(f"/attempts/{attempt.pk}/")
    assert AuditRecord.objects.get(verb="seen").advisories == [secret.number]
