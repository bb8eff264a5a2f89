"""Taking in advisories: kept byte for byte, told apart by version, never dropped."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.xsa.samples import PATCH, advisory
from xsa.models import Advisory, AdvisoryVersion, Fix, PatchFile
from xsa.services.disclose import disclose
from xsa.services.ingest import Ingested, ingest_files
from xsa.services.mined import MinedCommit, record_mined

pytestmark = pytest.mark.django_db


def take(files: dict[str, bytes]) -> list[Ingested]:
    return ingest_files(None, files=files)


def states(results: list[Ingested]) -> list[str]:
    return [result.state for result in results]


def test_an_advisory_is_born_embargoed() -> None:
    take(advisory())
    assert Advisory.objects.get(number=950).embargoed


def test_files_are_kept_byte_for_byte_with_their_sha256() -> None:
    files = advisory()
    take(files)
    for name, data in files.items():
        row = PatchFile.objects.get(name=name)
        assert bytes(row.data) == data
        assert row.sha256 == hashlib.sha256(data).hexdigest()


def test_fixes_follow_the_resolution_list() -> None:
    take(advisory())
    assert set(Fix.objects.values_list("branch", "tree", "origin")) == {
        ("master", "xen", "resolution"),
        ("4.8", "xen", "resolution"),
    }


def test_the_same_bytes_again_change_nothing() -> None:
    take(advisory())
    before = [list(model.objects.order_by("pk").values()) for model in (Advisory, AdvisoryVersion, Fix, PatchFile)]
    assert states(take(advisory())) == ["unchanged"]
    after = [list(model.objects.order_by("pk").values()) for model in (Advisory, AdvisoryVersion, Fix, PatchFile)]
    assert before == after


def test_a_new_version_stands_beside_the_old_one_and_says_what_changed() -> None:
    take(advisory())
    changed = {"xsa950.patch": PATCH.replace(b"-1", b"-2")}
    assert states(take(advisory(version=2, title="another title", files=changed))) == ["new-version"]
    row = Advisory.objects.get(number=950)
    assert row.current is not None
    assert row.current.number == 2
    assert [change["code"] for change in row.current.changes] == ["title", "file-changed"]
    assert row.versions.count() == 2


def test_an_older_version_that_comes_late_does_not_become_current() -> None:
    take(advisory(version=2))
    take(advisory(version=1))
    row = Advisory.objects.get(number=950)
    assert row.current is not None
    assert row.current.number == 2


def test_a_missing_file_that_comes_later_completes_the_version() -> None:
    files = advisory()
    patch = files.pop("xsa950.patch")
    first = take(files)
    assert "missing-file" in {problem.code for problem in first[0].problems}
    assert states(take({"xsa950.patch": patch})) == ["completed"]
    assert Fix.objects.get(branch="4.8").patches.count() == 1
    version = AdvisoryVersion.objects.get(number=1, advisory__number=950)
    assert "missing-file" not in {problem["code"] for problem in version.problems}


def test_two_advisories_of_one_number_are_both_kept_and_the_first_stands() -> None:
    take(advisory())
    other = advisory(title="a wholly different matter")
    assert states(take(other)) == ["unchanged", "kept"]
    row = Advisory.objects.get(number=950)
    assert row.current is not None
    assert row.current.title == "guest may pick outside the table"
    aside = PatchFile.objects.get(version=None)
    assert bytes(aside.data) == other["advisory-950.txt"]
    assert aside.problems[-1]["code"] == "two-advisories"


def test_a_wrong_hash_is_told_and_the_file_is_kept() -> None:
    files = advisory()
    files["xsa950.patch"] += b"-- \n2.30\n"
    result = take(files)[0]
    assert "hash-mismatch" in {problem.code for problem in result.problems}
    assert bytes(PatchFile.objects.get(name="xsa950.patch").data) == files["xsa950.patch"]


def test_a_file_that_names_no_advisory_is_kept_and_named_once() -> None:
    junk = {"notes.bin": b"\x00\xff not a patch"}
    assert states(take(junk)) == ["kept"]
    assert states(take(junk)) == []
    row = PatchFile.objects.get(name="notes.bin")
    assert row.version is None
    assert row.problems[0]["code"] == "no-advisory"


def test_an_index_discloses_what_it_lists_as_public_and_nothing_else() -> None:
    index = [
        {
            "xsas": [
                {"xsa": 950, "title": "t", "public_time": "2020-01-02T12:00:00Z", "cve": []},
                {"xsa": 951, "title": "t", "public_time": "2999-01-02T12:00:00Z", "cve": []},
            ]
        }
    ]
    listed = "xsa951.patch    xen-unstable"
    take(advisory() | advisory(951, lines=listed) | {"xsa.json": json.dumps(index).encode()})
    assert Advisory.objects.get(number=950).disclosed_at == datetime(2020, 1, 2, 12, tzinfo=UTC)
    assert Advisory.objects.get(number=951).embargoed


def test_a_text_under_any_name_is_told_by_its_header() -> None:
    files = advisory()
    files["mail.txt"] = files.pop("advisory-950.txt")
    assert [(result.number, result.state) for result in take(files)] == [(950, "new")]


def test_a_fifty_megabyte_file_is_kept() -> None:
    big = b"x" * 50_000_000
    take({"xsa950-4.8.patch": big})
    assert PatchFile.objects.get(name="xsa950-4.8.patch").size == len(big)


def test_what_is_planned_for_later_never_joins_what_is_disclosed() -> None:
    take(advisory())
    row = Advisory.objects.get(number=950)
    disclose(None, advisory=row, reason="test", at=datetime(2020, 1, 2, tzinfo=UTC))
    before = list(AdvisoryVersion.objects.values())
    files = advisory(version=2, title="a title for later")
    planned = timezone.now() + timedelta(days=3)
    result = ingest_files(None, files=files, planned=planned)
    assert [(one.state, one.changed, one.problems[0].code) for one in result] == [("kept", False, "disclosed-already")]
    assert list(AdvisoryVersion.objects.values()) == before
    assert {file.name for file in PatchFile.objects.filter(version=None)} == set(files)


def test_patches_without_a_text_leave_the_title_that_is_known() -> None:
    first = MinedCommit("a" * 40, "toy: check the index", ("CVE-2099-0950",), datetime(2020, 1, 2, tzinfo=UTC))
    record_mined(None, repository="xen", tree="xen", advisories={950: {"master": [first]}})
    take({"xsa950.patch": PATCH})
    current = Advisory.objects.get(number=950).current
    assert current is not None
    assert (current.number, current.title, current.cves) == (1, "toy: check the index", ["CVE-2099-0950"])
    take(advisory())
    assert AdvisoryVersion.objects.get(number=1).title == "guest may pick outside the table"


def test_an_index_from_before_the_release_opens_nothing_even_when_its_date_is_over() -> None:
    row = {"xsa": 950, "title": "(Prereleased, but embargoed)", "public_time": "2020-01-02T12:00:00Z", "cve": []}
    take(advisory() | {"xsa.json": json.dumps([{"xsas": [row]}]).encode()})
    assert Advisory.objects.get(number=950).embargoed


def test_an_index_is_kept_byte_for_byte_with_what_could_not_be_read_of_it() -> None:
    data = b'[{"xsas": [{"xsa": 9, "title": "t"}, 7]}]'
    assert [problem.code for result in take({"xsa.json": data}) for problem in result.problems] == ["malformed-entry"]
    row = PatchFile.objects.get()
    assert (row.kind, row.sha256, row.problems[0]["code"]) == (
        "index",
        hashlib.sha256(data).hexdigest(),
        "malformed-entry",
    )
    assert take({"xsa.json": data}) == []
