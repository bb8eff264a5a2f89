"""Actor by route by method by secrecy: the status that each gets, and that nothing else can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.permissions.actors import ACTORS, KEEPER, OUTSIDERS, client_of
from tests.permissions.routes import ACCOUNTS, EMPTY, METHODS, ROWS, Row
from tests.permissions.world import THINGS, Names, names_of
from xsa.models import Advisory


def _names(resolver: URLResolver) -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _names(one)
        elif isinstance(one, URLPattern):
            yield one.name or str(one.pattern)


def test_every_route_has_a_row() -> None:
    known = ROWS.keys() | EMPTY.keys() | ACCOUNTS
    assert set(_names(get_resolver())) == known


def ask(client: Client, method: str, path: str, **headers: str) -> Any:
    return client.generic(method, path, **headers)


# Those who are asked with every method; of the others each is asked what its address takes, to read and to change.
THOROUGH = ("anonymous", "contact")


def methods(actor: str, row: Row) -> tuple[str, ...]:
    """With what an address is asked."""
    if row.alike and actor not in THOROUGH:
        return ()
    fewer = ("GET", "POST", *(method for method in row.methods if method not in ("GET", "HEAD", "POST")))
    return METHODS if actor in THOROUGH else fewer


def differences(client: Client, actor: str, secrets: Names, known: Names | None = None) -> Iterator[str]:
    """Where what this actor gets is not what the matrix says; without `known`, about what is embargoed alone."""
    for name, row in ROWS.items():
        for names, embargoed in ((secrets, True), (known, False)):
            if names is None or (embargoed and not row.about_one):
                continue
            for method in methods(actor, row):
                path = row.path.format(**names.words)
                got = ask(client, method, path).status_code
                wanted = row.expected(actor, method, embargoed=embargoed)
                if got != wanted:
                    yield f"{actor} {method} {name} embargoed={embargoed}: {got}, not {wanted}"


@pytest.mark.parametrize("actor", [*ACTORS, KEEPER])
def test_every_address_answers_as_the_matrix_says(secret: Advisory, known: Advisory, actor: str) -> None:
    client = client_of(actor, secret)
    assert list(differences(client, actor, names_of(secret), names_of(known))) == []


PART, FORM = {"HTTP_RANGE": "bytes=0-9"}, {"HTTP_ACCEPT": "application/json"}
PREFERENCES: tuple[dict[str, str], ...] = ({}, PART, FORM)
NOWHERE = "00000000-0000-4000-8000-000000000000"


def preferences(method: str, query: str) -> tuple[dict[str, str], ...]:
    """What is asked for beside the address: each by itself of what is read, all at once of the rest."""
    if query:
        return ({},) if method == "GET" else ()
    return PREFERENCES if method == "GET" else ({**PART, **FORM},)


@pytest.mark.parametrize("actor", OUTSIDERS)
def test_what_is_embargoed_answers_byte_for_byte_as_what_does_not_exist(secret: Advisory, actor: str) -> None:
    client, names = client_of(actor), names_of(secret)
    nothing = {"number": "9999", **dict.fromkeys(THINGS, NOWHERE)}
    about = {name: row for name, row in ROWS.items() if row.about_one} | {name: Row(EMPTY[name]) for name in EMPTY}
    for name, row in about.items():
        for query in row.queries if actor in THOROUGH else ("",):
            for method in methods(actor, row):
                for headers in preferences(method, query):
                    got = ask(client, method, row.path.format(**names.words) + query, **headers)
                    missing = ask(client, method, row.path.format(**nothing) + query, **headers)
                    assert got.status_code == missing.status_code, (name, method, query)
                    assert same(got, names) == same(missing, nothing), (name, method, query)


def same(answer: Any, names: Names | dict[str, str]) -> tuple[Any, bytes]:
    """Headers and body without the words of the reader's own question."""
    words = names.words if isinstance(names, Names) else names
    headers, body = dict(answer.headers), answer.content
    for word in words.values():
        headers = {key: value.replace(word, "?") for key, value in headers.items()}
        body = body.replace(word.encode(), b"?")
    return headers, body
