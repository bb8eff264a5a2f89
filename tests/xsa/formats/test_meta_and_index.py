"""The two JSON formats."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.xsa.formats.samples import meta
from xsa.formats.errors import FormatError
from xsa.formats.index import parse_index, read_index
from xsa.formats.meta import MetaRecipe, parse_meta

OID = "0123456789abcdef0123456789abcdef01234567"


def test_a_recipe_drops_itself_from_its_prerequisites():
    read = parse_meta(meta(414, {"4.16": {"StableRef": OID, "Prereqs": [412, 414, 412], "Patches": ["xsa414.patch"]}}))
    assert (read.number, read.supported, read.trees) == (414, ("4.16",), ("xen",))
    assert read.recipes == {"4.16": {"xen": MetaRecipe(OID, (412,), ("xsa414.patch",))}}


def test_an_old_file_repeats_the_version_and_quotes_its_glob():
    recipe = {"XenVersion": "4.5", "Recipes": {"xen": {"StableRef": OID, "Prereqs": [], "Patches": ['"xsa9-4.5/*"']}}}
    read = parse_meta(json.dumps({"XSA": 9, "Recipes": {"4.5": recipe}}).encode())
    assert read.recipes["4.5"]["xen"].patches == ("xsa9-4.5/*",)
    assert read.supported == ()


def test_a_branch_with_nothing_to_apply_is_kept():
    assert parse_meta(meta(440, {"master": {"Patches": []}})).recipes["master"]["xen"] == MetaRecipe(None, (), ())


def test_a_branch_that_is_none_is_told():
    read = parse_meta(meta(9, {"../x": {"Patches": []}}))
    assert read.recipes == {}
    assert [problem.code for problem in read.problems] == ["unknown-branch"]


def test_a_stable_ref_that_is_no_commit_is_left_out():
    assert parse_meta(meta(9, {"4.5": {"StableRef": "--upload-pack=x"}})).recipes["4.5"]["xen"].stable_ref is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"XSA": true}',
        b'{"XSA": 9, "Recipes": []}',
        b'{"XSA": 9, "Recipes": {"4.5": {"Recipes": {"xen": {"Patches": "all"}}}}}',
        b'{"XSA": 9, "Recipes": {"4.5": {"Recipes": {"xen": {"Prereqs": ["x"]}}}}}',
        b'{"XSA": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
    ],
)
def test_a_malformed_meta_says_so(data):
    with pytest.raises(FormatError) as caught:
        parse_meta(data)
    assert caught.value.code == "malformed-meta"


def test_the_index_in_its_published_shape():
    rows = [
        {"xsa": 9, "title": "Kettle", "public_time": "2031-09-15T12:00:00Z", "cve": ["CVE-2031-10001"]},
        {"xsa": 10, "title": "Not yet public"},
        {"xsa": "11", "title": "T", "public_time": "2031-09-15 14:00:00+02:00", "cve": []},
        {"xsa": 12, "title": "T", "public_time": "2031-09-15 12:00", "cve": None},
    ]
    noon = datetime(2031, 9, 15, 12, tzinfo=UTC)
    entries = parse_index(json.dumps([{"xsas": rows}]).encode())
    assert [(entry.number, entry.public_time) for entry in entries] == [(9, noon), (10, None), (11, noon), (12, noon)]
    assert entries[0].cves == ("CVE-2031-10001",)
    assert entries[0].title == "Kettle"


def test_what_cannot_be_read_in_the_index_is_told_and_the_rest_counts():
    read = read_index(b'[{"xsas": [{"xsa": 9}, {"xsa": 9}, 7, {"xsa": null}]}]')
    assert [entry.number for entry in read.entries] == [9]
    assert [problem.code for problem in read.problems] == ["duplicate-entry", "malformed-entry", "malformed-entry"]


def test_half_a_surrogate_in_a_title_is_replaced():
    assert parse_index(b'[{"xsas": [{"xsa": 9, "title": "a\\ud800b\\u0000"}]}]')[0].title == "a\ufffdb\ufffd"


@pytest.mark.parametrize("data", [b"", b"7", b"[7]", b'{"x": 1}', b'"xsas"'])
def test_a_malformed_index_says_so(data):
    with pytest.raises(FormatError) as caught:
        parse_index(data)
    assert caught.value.code == "malformed-index"
