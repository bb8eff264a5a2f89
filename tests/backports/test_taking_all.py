"""Everything that a branch lacks is taken away as one file whose patches go on top of one another."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from backports.models import Attempt, Backport, BackportVersion, Branch, Review
from backports.services import receiving, reviewing, sharing
from backports.services.lacking import Lacked, lacked_on
from backports.services.reviewing import Said
from backports.services.taking_all import take_all
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.rooms import own
from tests.backports.toy import Edits
from xsa.models import Advisory, User
from xsa.visibility import visible_to

PICK = "    unsigned int table_pick_limit = toy->table_pick_count;\n"
DROP = "    unsigned int table_drop_limit = toy->table_drop_count;\n"
FIRST = PICK + "    if ( toy_first(table_pick_index) )\n        return -1;\n"
OTHER = PICK + "    if ( toy_other(table_pick_index) )\n        return -1;\n"
BELOW = DROP + "    if ( toy_below(table_drop_index) )\n        return -1;\n"


def fix(workshop: Workshop, number: int, edits: Edits, **more: Any) -> Advisory:
    return workshop.take(number, {f"xsa{number}.patch": workshop.toy.patch("master", edits, f"fix {number}")}, **more)


@pytest.fixture
def three(workshop: Workshop) -> Workshop:
    """Two fixes of one file that go together, and one that changes the same lines as the first."""
    fix(workshop, 502, {"common/table.c": [(DROP, BELOW)]})
    fix(workshop, 501, {"common/table.c": [(PICK, FIRST)]})
    fix(workshop, 503, {"common/table.c": [(PICK, OTHER)]})
    workshop.work()
    return workshop


def upstream() -> Branch:
    return Branch.objects.select_related("repository").get(name="4.1", repository__name="toy")


def lacked(reader: User) -> list[Lacked]:
    rows = (Attempt.objects.all(), Backport.objects.all(), Review.objects.all())
    attempts, backports, reviews = (visible_to(reader, one) for one in rows)
    return lacked_on(upstream(), attempts=attempts, backports=backports, reviews=reviews)


def taken(reader: User, kind: str) -> tuple[bytes, dict[str, Any]]:
    made = take_all(upstream(), lacked(reader), kind)
    assert made is not None
    return made.data, json.loads(made.manifest)


def shared(workshop: Workshop, person: User, number: int, edits: Edits) -> BackportVersion:
    received = receiving.submit(
        person,
        organisation=own(person),
        name=f"xsa{number}-4.1.patch",
        data=workshop.toy.patch("4.1", edits, f"ours for {number}"),
        advisory=Advisory.objects.get(number=number),
        branch=upstream(),
    )
    assert received.version is not None
    sharing.share(person, backport=received.version.backport)
    return received.version


def run(*command: str, cwd: Path, data: bytes = b"") -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "QUILT_PATCHES": "patches"}
    env |= {f"GIT_{who}_{what}": "one@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(command, cwd=cwd, input=data, capture_output=True, env=env, check=True).stdout.decode()


def applied(workshop: Workshop, folder: Path, kind: str, data: bytes) -> str:
    """The file's tree after the tool of its kind took it on a clone of the branch."""
    run("git", "clone", "--quiet", "--branch", "stable-4.1", str(workshop.toy.path), str(folder / "w"), cwd=folder)
    work = folder / "w"
    if kind == "mbox":
        run("git", "am", "-q", "--keep-cr", cwd=work, data=data)
    elif kind == "quilt":
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian's Python 3.11 has none
            tar.extractall(work)  # noqa: S202 - of our own making
        for name in (work / "patches" / "series").read_text().splitlines():
            run("patch", "-p1", "--fuzz=0", "--batch", "-i", f"patches/{name}", cwd=work)
    else:
        run("patch", "-p0" if kind == "p0" else "-p1", "--fuzz=0", "--batch", cwd=work, data=data)
    run("git", "add", "common", cwd=work)
    return run("git", "write-tree", cwd=work).strip()


@pytest.mark.parametrize("kind", ["mbox", "quilt", "raw", "p0"])
def test_all_of_it_applies_in_order_by_the_tools_of_those_who_take_it(
    three: Workshop, tmp_path: Path, kind: str
) -> None:
    data, told = taken(factories.person("one", listed=True), kind)
    assert [one["advisory"] for one in told["series"]] == ["XSA-501", "XSA-502"]
    assert told["branch"]["base"] == upstream().tip
    assert applied(three, tmp_path, kind, data) == told["branch"]["tree"] == told["series"][-1]["branch"]["tree"]
    assert [(one["advisory"], one["code"]) for one in told["left_out"]] == [("XSA-503", "in-the-way")]
    assert "common/table.c" in told["left_out"][0]["reason"]
    assert {one["way"] for one in told["series"]} == {"own attempt"}


def test_a_shared_backport_goes_before_our_attempt_and_an_approved_one_before_both(three: Workshop) -> None:
    reader = factories.person("reader", listed=True)
    plain = {"common/table.c": [(PICK, FIRST.replace("-1", "-EINVAL"))]}
    approved = {"common/table.c": [(PICK, FIRST.replace("-1", "-EPERM"))]}
    version = shared(three, factories.person("two", listed=True), 501, approved)
    shared(three, factories.person("three", listed=True), 501, plain)
    data, told = taken(reader, "mbox")
    assert b"-EINVAL" in data and told["series"][0]["way"] == "shared backport"
    for name in ("four", "five"):
        person = factories.person(name, listed=True)
        reviewing.give(person, version=version, organisation=own(person), said=Said("approve"))
    data, told = taken(reader, "mbox")
    assert b"-EPERM" in data and b"-EINVAL" not in data
    first = told["series"][0]
    assert (first["way"], first["backport"]) == ("approved backport", {"organisation": "Example two", "version": 1})
    assert [(one["organisation"], one["verdict"]) for one in first["reviews"]] == [
        ("Example four", "approve"),
        ("Example five", "approve"),
    ]


def test_where_the_backport_does_not_go_on_top_the_attempt_does(three: Workshop) -> None:
    edits = {"common/table.c": [(DROP, BELOW), (PICK, OTHER)]}
    shared(three, factories.person("two", listed=True), 502, edits)
    _, told = taken(factories.person("reader", listed=True), "raw")
    assert [(one["advisory"], one["way"]) for one in told["series"]] == [
        ("XSA-501", "own attempt"),
        ("XSA-502", "own attempt"),
    ]


def test_what_others_keep_to_themselves_or_object_to_is_not_taken(three: Workshop) -> None:
    author, reader = factories.person("author", listed=True), factories.person("reader", listed=True)
    version = shared(three, author, 501, {"common/table.c": [(PICK, FIRST.replace("-1", "-EINVAL"))]})
    reviewing.give(reader, version=version, organisation=own(reader), said=Said("needs-changes", "It is wrong."))
    assert taken(reader, "raw")[1]["series"][0]["way"] == "own attempt"
    Backport.objects.update(life="draft", shared_at=None)
    Review.objects.all().delete()
    assert taken(author, "raw")[1]["series"][0]["way"] == "own attempt"


def test_who_sees_nothing_takes_nothing(three: Workshop) -> None:
    assert lacked(factories.person("outsider")) == []
    assert take_all(upstream(), [], "mbox") is None


def test_prerequisites_come_first_and_once(workshop: Workshop) -> None:
    upon = FIRST + "    if ( toy_second(table_pick_index) )\n        return -1;\n"
    later = {"common/table.c": [(PICK, FIRST)]}
    fix(workshop, 510, later)
    workshop.toy.commit("refs/heads/aside", later, "first", on="refs/heads/master")
    patch = workshop.toy.patch("refs/heads/aside", {"common/table.c": [(FIRST, upon)]}, "second")
    recipe = {"Prereqs": [510], "Patches": ["xsa505.patch"]}
    workshop.take(505, {"xsa505.patch": patch}, recipes={"master": recipe})
    workshop.work()
    _, told = taken(factories.person("one", listed=True), "mbox")
    assert [one["advisory"] for one in told["series"]] == ["XSA-510", "XSA-505"]
    assert [len(one["patches"]) for one in told["series"]] == [1, 1]
