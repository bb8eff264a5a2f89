"""Everything that an actor can reach: from the front page by links and forms, and the addresses that are known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from tests.permissions.routes import EMPTY, ROWS
from tests.permissions.world import Names

MOST = 2000
OWN = "http://testserver"
_LEAVES = re.compile(r"^/(logout|login)/")
_LIKE_THE_FIRST = re.compile(r"^/r/toy/branches/(?!4\.1/)[^/]+/missing/")  # one branch's files are enough


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "hx-get", "action") and value and value.startswith(("/", "?")):
                self.found.add(value)


def named(data: Any) -> Iterator[str]:
    """The addresses of ours that data names, wherever in it they stand."""
    if isinstance(data, dict | list):
        for value in data.values() if isinstance(data, dict) else data:
            yield from named(value)
    elif isinstance(data, str) and data.startswith(("/", OWN)):
        yield data.removeprefix(OWN).partition("#")[0]


def found_in(answer: Any, path: str) -> list[str]:
    """Where an answer leads, whether it is a page or data."""
    kind = answer.get("Content-Type", "")
    if kind.startswith("text/html"):
        return sorted(links(answer.content.decode(), path))
    is_data = kind.partition(";")[0].endswith(("/json", "+json")) and answer.content
    return sorted(named(json.loads(answer.content))) if is_data else []


def links(page: str, path: str) -> Iterator[str]:
    """The addresses of ours that a page names, without fragments."""
    parser = _Links()
    parser.feed(page)
    for link in parser.found:
        whole = path.partition("?")[0] + link if link.startswith("?") else link
        yield whole.partition("#")[0]


def rows_of(names: Names, *, queries: bool = True) -> Iterator[tuple[str, str]]:
    """The name and the known addresses of each row, for an advisory; lists with every query or with none.

    What is about one advisory is asked with queries by the test that compares it with what there is not.
    """
    for name, row in ROWS.items():
        for query in row.queries if queries and not row.about_one else ("",):
            if not row.alike:
                yield name, row.path.format(**names.words) + query
    yield from ((name, path.format(**names.words)) for name, path in EMPTY.items())


def starts(*worlds: Names) -> Iterator[str]:
    """Every known address for each of the advisories, for the last one with every query."""
    for names in worlds:
        yield from (path for _, path in rows_of(names, queries=names is worlds[-1]))
        yield from (f"/audit/export?advisory={names.number}", f"/audit/?advisory={names.number}")
    yield from ("/audit/", "/organisation/audit/", "/tokens/", "/organisations/", "/organisation/", "/account/")
    yield from ("/mail/", "/mail/digests/", "/keys/")
    yield from ("/no/such/address/", "/static/css/none.css", "/robots.txt", "/admin/", "/api/v1/")


def crawl(client: Client, *worlds: Names, follow: bool = True) -> Mapping[str, Any]:
    """Answers by address: everything known, and everything that is linked from what was answered."""
    return dict(walk(client, *worlds, follow=follow))


def walk(client: Client, *worlds: Names, follow: bool = True) -> Iterator[tuple[str, Any]]:
    """The same, one by one."""
    waiting, seen = list(starts(*worlds)), set()
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        if path in seen or _LEAVES.match(path) or _LIKE_THE_FIRST.match(path):
            continue
        seen.add(path)
        answer = client.get(path)
        yield path, answer
        waiting += found_in(answer, path) if follow else ()
    assert not waiting, "the crawl has no end"
