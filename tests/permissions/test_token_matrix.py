"""Program by route by method by secrecy: what a token opens, and that it tells nothing more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.test import Client
from django.urls import resolve

from tests.backports.conftest import Workshop
from tests.permissions.account_routes import ACCOUNT_ROWS
from tests.permissions.crawl import crawl
from tests.permissions.routes import EMPTY, EMPTY_DATA, ROWS, Row
from tests.permissions.test_canaries import leaks, told
from tests.permissions.test_matrix import NOWHERE, preferences, same
from tests.permissions.test_two_worlds import everything
from tests.permissions.test_walls import one_wall
from tests.permissions.tokens import OUTSIDE, PROGRAMS, program
from tests.permissions.world import CANARIES, Names, hide, live_in, names_of
from xsa.models import Advisory

__all__ = ["one_wall"]

SAW = [name for name, one in PROGRAMS.items() if one.sees and one.good]
CRAWLING = [name for name in OUTSIDE if PROGRAMS[name].good]  # the others get one answer everywhere
PAGES = {name: row.path for name, row in ROWS.items() if not row.tokens} | {
    name: path for name, path in EMPTY.items() if name not in EMPTY_DATA
}


def nothing(names: Names) -> dict[str, str]:
    """What stands in an address of something that there is not."""
    return {**dict.fromkeys(names.words, NOWHERE), "number": "9999"}


def data_rows() -> Iterator[tuple[str, Row]]:
    """The rows that tokens open; behind some there is nothing in these worlds."""
    yield from ((name, row) for name, row in ROWS.items() if row.tokens)
    yield from EMPTY_DATA.items()


def some_rows() -> Iterator[tuple[str, Row]]:
    """Those without what differs from another by its kind alone, and without queries."""
    yield from ((name, replace(row, queries=("",))) for name, row in data_rows() if not row.alike)


THOROUGH = "token-in-the-room"  # who asks with every method


def differences(client: Client, actor: str, secrets: Names, known: Names | None = None) -> Iterator[str]:
    """Where what this program gets is not what the matrix says, at addresses with data; without `known`, of secrets."""
    for name, row in data_rows():
        for names, embargoed in ((secrets, True), (known, False)):
            if names is None or (embargoed and not row.about_one) or (row.alike and actor != THOROUGH):
                continue
            for method in ("GET", "HEAD", "POST", "DELETE") if actor == THOROUGH else ("GET", "POST"):
                got = client.generic(method, row.path.format(**names.words)).status_code
                wanted = row.expected_by_token(actor, method, embargoed=embargoed)
                if got != wanted:
                    yield f"{actor} {method} {name} embargoed={embargoed}: {got}, not {wanted}"


def test_every_address_with_data_answers_every_program_as_the_matrix_says(secret: Advisory, known: Advisory) -> None:
    names = (names_of(secret), names_of(known))
    assert [line for actor in PROGRAMS for line in differences(program(actor, secret), actor, *names)] == []


def whole(answer: Any) -> tuple[Any, ...]:
    """Everything that an answer says."""
    return answer.status_code, answer.content, sorted(answer.headers.items()), dict(answer.cookies)


def test_no_token_opens_a_page_whosever_it_is_and_whatever_stands_there(secret: Advisory, known: Advisory) -> None:
    """One answer at every page, at those about accounts too, so that it tells nothing of what is behind it."""
    paths = {name: row.path for name, row in ACCOUNT_ROWS.items()} | PAGES
    ids = dict.fromkeys(("organisation", "membership", "invitation", "token", "key", "mail"), NOWHERE)
    worlds = (names_of(secret).words, names_of(known).words, nothing(names_of(secret)))
    for actor in ("token-of-the-team", "robot-in-the-room", "token-ended"):
        one, client, answers = PROGRAMS[actor], program(actor, secret), {}
        for name, path in paths.items():
            for words in worlds if name in PAGES else worlds[:1]:
                asked = path.format(**words, **ids)
                for method in ("GET", "POST"):
                    answers[method, asked] = whole(client.generic(method, asked))
        assert {answer[0] for answer in answers.values()} == {403 if one.good else 401}, actor
        assert len({str(answer) for answer in answers.values()}) == 1, actor


def test_what_is_embargoed_answers_a_program_byte_for_byte_as_what_does_not_exist(secret: Advisory) -> None:
    names, none = names_of(secret), nothing(names_of(secret))
    for actor in ("token", "token-elsewhere", "token-other", "robot"):
        client = program(actor, secret)
        for name, row in data_rows() if actor == "token" else some_rows():
            for query in row.queries if row.about_one and not (row.everywhere and PROGRAMS[actor].branches) else ():
                for method in row.tokens:
                    for headers in preferences(method, query):
                        got = client.generic(method, row.path.format(**names.words) + query, **headers)
                        missing = client.generic(method, row.path.format(**none) + query, **headers)
                        assert got.status_code == missing.status_code, (actor, name, method, query)
                        assert same(got, names) == same(missing, none), (actor, name, method, query)


def crawl_known(client: Client, *worlds: Names) -> Mapping[str, Any]:
    """What a program is answered at the addresses that are known."""
    return crawl(client, *worlds, follow=False)


def found_by(actor: str, secret: Advisory, *worlds: Names) -> dict[str, list[str]]:
    """The canaries that a program reads anywhere, by address."""
    answers = crawl_known(program(actor, secret), *worlds)
    found = {path: leaks(told(answer), path) for path, answer in answers.items()}
    return {path: words for path, words in found.items() if words}


def test_no_program_outside_reads_a_word_of_it(secret: Advisory, known: Advisory) -> None:
    worlds = (names_of(known), names_of(secret))
    assert {actor: found for actor in CRAWLING if (found := found_by(actor, secret, *worlds))} == {}


def test_a_program_that_was_made_for_it_reads_it_where_there_is_data_alone(secret: Advisory, known: Advisory) -> None:
    data = {name for name, _ in data_rows()}
    for actor in SAW:
        found = found_by(actor, secret, names_of(known), names_of(secret))
        assert {resolve(path.partition("?")[0]).url_name for path in found} <= data, actor
        assert {word for words in found.values() for word in words} >= {"canary_function_qzx", "Canary Person Qzx"}, (
            actor
        )


def test_a_program_for_other_branches_reads_of_the_advisory_and_nothing_of_a_branch(
    secret: Advisory, known: Advisory
) -> None:
    found = found_by("token-elsewhere", secret, names_of(known), names_of(secret))
    read = {word for words in found.values() for word in words}
    assert read >= {"canarytitleqzx", "CVE-2099-07123"}
    said = {word for word in CANARIES if word.startswith("canary") and word not in ("canarytitleqzx", "canaryfileqzx")}
    assert read & {"Canary Person Qzx", *said} == set()


def test_one_wall_alone_stops_every_program(secret: Advisory, known: Advisory, one_wall: str) -> None:
    stopped = CRAWLING if one_wall == "database-alone" else [*CRAWLING, "token-elsewhere"]
    assert [line for actor in stopped for line in differences(program(actor, secret), actor, names_of(secret))] == []


def test_no_program_can_tell_the_worlds_apart(
    workshop: Workshop, known: Advisory, at_one_moment: Callable[..., Any]
) -> None:
    names = names_of(known)
    clients = {actor: program(actor, None) for actor in CRAWLING}

    def looks() -> dict[str, Any]:
        return {actor: everything(at_one_moment(crawl_known, client, names)) for actor, client in clients.items()}

    without = looks()
    live_in(hide(workshop))
    found = looks()
    for actor in CRAWLING:
        assert found[actor].keys() == without[actor].keys()
        assert [path for path in found[actor] if found[actor][path] != without[actor][path]] == [], actor
