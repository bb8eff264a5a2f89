"""What a series says it is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backports.engine import intake
from backports.git.intended import Intended, intended
from tests.engine.helpers import FIXED, SHOP, unified

DIFF = unified(SHOP, FIXED)


def told(name: str = "fix.patch", subject: str = "[PATCH] shop: check", body: str = "", known=()) -> Intended:
    head = f"From: One <one@example.org>\nSubject: {subject}\n\n{body}\n---\n\n".encode()
    return intended(name, intake.read(name, head + DIFF).patches, known)


def values(guesses) -> list[str]:
    return [guess.value for guess in guesses]


@pytest.mark.parametrize(
    ("name", "numbers", "branches"),
    [
        ("xsa500-4.8.patch", ["500"], ["4.8"]),
        ("xsa500-4.8-2.patch", ["500"], ["4.8"]),
        ("XSA-0500/4.11/0001-shop.patch", ["500"], ["4.11"]),
        ("xsa500-unstable.patch", ["500"], ["master"]),
        ("xsa500.patch", ["500"], []),
        ("xen_4.8.5+shim4.10.2-1.debian.tar", [], ["4.8", "4.10"]),
        ("v2-0001-shop.patch", [], []),
        ("2026-03-01.patch", [], []),
        ("essays500.patch", [], []),
    ],
)
def test_names_tell_advisory_and_branch(name: str, numbers: list[str], branches: list[str]) -> None:
    found = told(name)
    assert (values(found.advisories), values(found.branches)) == (numbers, branches)


def test_the_tag_of_a_subject_tells_both() -> None:
    found = told(subject="[PATCH XSA-500 4.8 v2 1/3] shop: check")
    assert (values(found.advisories), values(found.branches)) == (["500"], ["4.8"])
    assert found.branches[0].why == "A subject begins with [PATCH XSA-500 4.8 v2 1/3]."


def test_what_a_message_states_is_surer_than_what_the_file_is_called_and_than_what_it_mentions() -> None:
    body = "Exposed by XSA-400.\n\nThis is XSA-500.\n\n(cherry picked from commit 0123456789abcdef0123)\n"
    found = told("xsa501-4.8.patch", body=body)
    assert values(found.advisories) == ["500", "501", "400"]
    assert [guess.why for guess in found.advisories] == [
        "A message says that it is XSA-500.",
        "The file is called xsa501-4.8.patch.",
        "A message mentions XSA-400.",
    ]
    assert found.origins == ("0123456789abcdef0123",)


@pytest.mark.parametrize(
    ("name", "branches"),
    [
        ("xsa500-stable-4.8.patch", ["stable-4.8"]),
        ("xsa500-sles12-sp5.patch", ["sles12-sp5"]),
        ("xsa500-stable-4.80.patch", ["4.80"]),
        ("xsa500-4.8-stable-4.8.patch", ["stable-4.8", "4.8"]),
    ],
)
def test_known_branches_are_found_as_they_are_called(name: str, branches: list[str]) -> None:
    assert values(told(name, known=["sles12-sp5", "stable-4.8", "sp5", ""]).branches) == branches


def test_a_series_of_several_branches_names_them_all() -> None:
    patches = [*intake.read("xsa500-4.8.patch", DIFF).patches, *intake.read("xsa500-4.9.patch", DIFF).patches]
    assert values(intended("xsa500.tar", patches).branches) == ["4.8", "4.9"]


@given(st.text(max_size=60), st.lists(st.text(max_size=8), max_size=3))
def test_any_name_is_read(name: str, known: list[str]) -> None:
    found = intended(name, intake.read("x", DIFF).patches, known)
    assert all(guess.value and guess.why.endswith(".") for guess in (*found.advisories, *found.branches))


@given(st.integers(1, 99_999), st.integers(0, 99), st.sampled_from(["patch", "diff", "mbox"]))
def test_the_name_that_xen_gives_is_always_understood(number: int, minor: int, suffix: str) -> None:
    found = told(f"xsa{number}-4.{minor}.{suffix}")
    assert (values(found.advisories), values(found.branches)) == ([str(number)], [f"4.{minor}"])
