"""Whatever page, file or list holds a word of an embargoed advisory leaves a record of who was shown it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from backports.models import Attempt
from tests.permissions.actors import OUTSIDERS, client_of
from tests.permissions.crawl import rows_of
from tests.permissions.looks import Looks
from tests.permissions.routes import EMPTY, ROWS
from tests.permissions.world import CANARIES, KNOWN, SECRET, Names, names_of
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


def _shows(answer: Any) -> bool:
    """Any word of it, and the bare number too, by which a cell of the matrix is named."""
    body = answer.content.decode("latin-1")
    found = any(word in body for word in CANARIES) or re.search(rf"\bc{SECRET}-|\b{SECRET}\b", body)
    return answer.status_code == 200 and bool(found)


@pytest.mark.parametrize("actor", ["contact", "guest", "team"])
def test_whoever_is_shown_a_word_of_it_is_recorded(looks: Looks, actor: str) -> None:
    look, names = looks.at(looks.rooms.both, actor), looks.rooms.names(SECRET)
    shown = {name for name, path in rows_of(names) if _shows(look.answers[path])}
    recorded = {record.detail.get("route") for record in look.records if record.advisories == [SECRET]}
    assert shown >= SHOW
    assert shown - recorded == set()


def test_a_head_of_it_is_recorded_as_well(secret: Advisory) -> None:
    client, names = client_of("contact", secret), names_of(secret)
    for name in ("advisory", "attempt", "result", "file"):
        client.head(ROWS[name].path.format(**names.words))
        assert _told(names, name)


@pytest.mark.parametrize("actor", OUTSIDERS)
def test_what_is_disclosed_and_what_outsiders_ask_for_leaves_no_record(looks: Looks, actor: str) -> None:
    look = looks.at(looks.rooms.both, actor)
    for number in (SECRET, KNOWN):
        asked = rows_of(looks.rooms.names(number), queries=number == SECRET)
        assert {path for _, path in asked} <= look.answers.keys()
    # Their own organisation's people are somebody's secret too, and no advisory's.
    told = [record for record in look.records if record.verb in ("seen", "downloaded")]
    assert [one for one in told if one.advisories or one.detail["route"] in ROWS.keys() | EMPTY] == []


def test_a_result_on_top_of_it_is_recorded_too(secret: Advisory, known: Advisory) -> None:
    attempt = Attempt.objects.filter(advisory=known, current=True).exclude(result="").first()
    assert attempt is not None
    Attempt.objects.filter(pk=attempt.pk).update(prerequisites=[secret.number])
    client_of("team", secret).get(f"/attempts/{attempt.pk}/")
    assert AuditRecord.objects.filter(verb="seen").latest("position").advisories == [secret.number]
