"""Advisories found in a repository: disclosed by their commits, unless somebody knew them before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.xsa.samples import advisory
from xsa.models import Advisory, Fix, FixPatch
from xsa.services.ingest import ingest_files
from xsa.services.mined import MINED, MinedCommit, record_mined

pytestmark = pytest.mark.django_db

FIRST = MinedCommit("a" * 40, "toy: check the index", ("CVE-2099-0950",), datetime(2020, 1, 2, tzinfo=UTC))
SECOND = MinedCommit("b" * 40, "toy: check the other index", (), datetime(2020, 1, 3, tzinfo=UTC))


def record(advisories: dict[int, dict[str, list[MinedCommit]]]) -> list[int]:
    return record_mined(None, repository="xen", tree="xen", advisories=advisories)


def test_a_mined_advisory_is_public_since_its_first_commit() -> None:
    assert record({950: {"4.8": [SECOND], "master": [FIRST]}}) == [950]
    row = Advisory.objects.select_related("current").get(number=950)
    assert row.disclosed_at == FIRST.committed_at
    assert row.current is not None
    assert (row.current.number, row.current.title, row.current.cves) == (MINED, FIRST.subject, ["CVE-2099-0950"])


def test_mining_never_ends_an_embargo() -> None:
    ingest_files(None, files=advisory())
    record({950: {"master": [FIRST]}})
    row = Advisory.objects.select_related("current").get(number=950)
    assert row.embargoed
    assert row.current is not None
    assert row.current.number == 1, "the text that came in stays what pages show"


def test_mining_twice_changes_nothing() -> None:
    found = {950: {"master": [FIRST], "4.8": [SECOND]}}
    record(found)
    before = list(FixPatch.objects.order_by("pk").values())
    assert record(found) == []
    assert list(FixPatch.objects.order_by("pk").values()) == before


def test_a_commit_more_makes_the_fix_longer() -> None:
    record({950: {"master": [FIRST]}})
    assert record({950: {"master": [FIRST, SECOND]}}) == [950]
    fix = Fix.objects.get(branch="master")
    assert list(fix.patches.values_list("commit", flat=True)) == [FIRST.oid, SECOND.oid]
