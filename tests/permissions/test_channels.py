"""Channels through which systems like this have leaked, as far as no other test has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches

from tests.conftest import Execute
from tests.permissions.looks import Looks

EMBARGO = Path(__file__).resolve().parent.parent.parent / "docs" / "embargo.md"
CHANNELS = (
    "titles in lists and dashboards",
    "objects by id",
    "another representation of a protected object",
    "a dry run used as an oracle",
    "child tables without a policy",
    "materialised views and search vectors",
    "history rows",
    "task progress and queue pages",
    "media and static files",
    "notification settings",
    "webhook answers",
    "totals, facets, page counts, badges, metrics",
    "the second sort order",
    "autocomplete",
    "the moment of import",
    "caches",
    "mail recipients, subjects, plaintext",
    "mail headers and bodies as they go out",
    "plaintext when a key is missing",
    "mail that came back",
    "the page of mail",
    "enumeration of users and organisations",
    "git ref advertisement",
    "a reader's identity left on a pooled connection",
    "half-done disclosure",
    "what outlives a membership",
    "Referer",
    "logs, error pages and telemetry",
    "compression of secret pages",
    "hostile text in patches",
    "path and symlink escapes",
    "unsafe GET",
    "unpickling and server-side request forgery",
    "mentions that add a non-member",
    "forwarded-for spoofing",
    "an audit that fails open",
)


def rows_of(heading: str) -> Iterator[list[str]]:
    """The rows of the table under a heading of the document."""
    text = EMBARGO.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in text.split("\n"):
        if line.startswith("|") and "---" not in line:
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_channel_has_a_test_of_its_own_or_is_not_there() -> None:
    found = {row[0]: row[1] for row in list(rows_of("Channels"))[1:]}
    assert list(found) == list(CHANNELS)
    for channel, test in found.items():
        assert test.startswith("not there: ") or re.fullmatch(r"`tests/\S+\.py::test_\w+`", test), channel


@pytest.mark.parametrize(("heading", "least"), [("Claims", 100), ("Channels", len(CHANNELS) - 1)])
def test_every_test_that_the_document_names_is_there(heading: str, least: int) -> None:
    named = [test.strip("`").split("::") for _, test in list(rows_of(heading))[1:] if "::" in test]
    assert len(named) >= least
    root = EMBARGO.parent.parent
    assert [name for path, name in named if f"def {name}(" not in (root / path).read_text()] == []


def test_no_view_is_materialised_and_every_view_asks_as_its_reader(db: None, owner_db: Execute) -> None:
    assert owner_db("SELECT matviewname FROM pg_matviews WHERE schemaname = 'public'") == []
    views = "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
    assert [name for name, options in owner_db(views) if "security_invoker=true" not in (options or [])] == []
    vectors = (
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'tsvector'"
    )
    assert owner_db(vectors) == []


@pytest.mark.parametrize("actor", ["anonymous", "contact", "team"])
def test_looking_changes_nothing(looks: Looks, actor: str) -> None:
    look = looks.at(looks.rooms.both, actor)
    assert look.before["xsa_advisory"][0] == 2
    assert look.after == look.before
    assert look.sent == []


def test_nothing_from_outside_is_unpickled(db: None) -> None:
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_SERIALIZER == "json"
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")
    cache: Any = caches["default"]
    assert cache.__class__.__name__ == "DatabaseCache"  # written by the server's own role alone
