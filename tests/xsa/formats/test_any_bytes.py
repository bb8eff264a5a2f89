"""Whatever comes in: a value or a FormatError, in time linear in its size."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xsa.formats.samples import advisory, meta, patch, section
from xsa.formats.advisory import parse_advisory
from xsa.formats.bundle import read_bundle
from xsa.formats.errors import FormatError
from xsa.formats.index import parse_index
from xsa.formats.meta import parse_meta
from xsa.formats.names import guess_name
from xsa.formats.resolution import targets
from xsa.formats.signature import clear_sign, make_demo_key, verify

SECRET, PUBLIC = make_demo_key("Security Engineer One", "one@example.org")
SEEDS = [
    advisory(files={"xsa900.patch": patch()}),
    clear_sign(advisory(), SECRET),
    meta(900, {"4.9": {"Prereqs": [1], "Patches": ["*"]}}),
    b'[{"xsas": [{"xsa": 9, "title": "T", "public_time": "2031-09-15", "cve": ["CVE-2031-10001"]}]}]',
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample with a piece cut, doubled or overwritten; or any bytes."""
    seed = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(seed)))
    stop = draw(st.integers(start, len(seed)))
    middle = draw(st.one_of(st.binary(max_size=40), st.just(seed[start:stop] * 2)))
    return draw(st.one_of(st.just(seed[:start] + middle + seed[stop:]), st.binary(max_size=300)))


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(damaged())
def test_every_reader_gives_a_value_or_a_format_error(data):
    for reader in (parse_advisory, parse_meta, parse_index):
        try:
            reader(data)
        except FormatError as error:
            assert error.code
            assert error.sentence.endswith((".", "?"))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(damaged())
def test_a_damaged_signature_is_never_good_for_a_changed_text(data):
    found = verify(data, [PUBLIC])
    if found.state == "good":
        assert parse_advisory(data).title == parse_advisory(SEEDS[1]).title


NAMES = st.one_of(st.text(max_size=30), st.from_regex(r"(xsa9|advisory-9|x/)[-.0-9a-z]{0,12}\.(txt|meta|patch|json)"))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(NAMES, damaged(), max_size=5))
def test_a_bundle_never_raises_and_never_drops_a_file(files):
    bundle = read_bundle(files, certs=[PUBLIC], newest="4.20")
    assert {file.name: file.data for file in bundle.files} == files
    assert {problem for file in bundle.files for problem in file.problems} <= set(bundle.problems)
    assert {name for recipe in bundle.recipes for name in recipe.files} <= set(files)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.text(max_size=80), st.from_regex(r"(Xen |4\.\d+\.x|xen-unstable|\.\.\.| - |, |qemu){1,8}")))
def test_any_line_of_a_list_and_any_name_are_read(text):
    found = targets(text, newest="4.20")
    assert len(set(found.branches)) == len(found.branches)
    assert found.branches or found.trees or found.problems
    guess_name(text)


SIZE = 400_000
HOSTILE = {
    "spaces": b" " * SIZE,
    "dashes": b"-" * SIZE,
    "newlines": b"\n" * SIZE,
    "xsa": b"xsa9" * (SIZE // 4) + b" ",
    "digest": b"a" * 64 + b" x" + b" " * SIZE + b"y",
    "cves": b"Xen Security Advisory " + b"CVE-2031-10001," * (SIZE // 15),
    "headers": b"Xen Security Advisory " * (SIZE // 22),
    "deployment": b"DEPLOYMENT\n=====\n" + b"deployment of patch " * (SIZE // 20),
    "underlines": b"A\n===\n" * (SIZE // 6),
    "stars": section("RESOLUTION", "xsa" + "*a" * (SIZE // 2) + "  xen-unstable").encode(),
    "wrapped": section("RESOLUTION", "xsa9.patch  Xen 4.9,\n" + "            4.8,\n" * (SIZE // 17)).encode(),
    "rows": section("RESOLUTION", "xsa9-*.patch  Xen 4.9 - 4.0\n" * (SIZE // 28)).encode(),
    "armor": b"-----BEGIN PGP SIGNED MESSAGE-----\n" * (SIZE // 35),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_take_linear_time(name):
    text = b"Xen Security Advisory XSA-900\n\nT\n\n" + HOSTILE[name]
    files = {"advisory-900.txt": text, "xsa900.patch": HOSTILE[name], "xsa900.meta": HOSTILE[name]}
    started = time.process_time()
    read_bundle(files, certs=[PUBLIC], newest="4.20")
    assert time.process_time() - started < 5


def test_many_stars_against_a_long_name_take_linear_time():
    listing = ("xsa9" + "*a" * 100 + "b  xen-unstable",)
    started = time.process_time()
    read_bundle({"advisory-900.txt": advisory(900, listing), "xsa9" + "a" * 5000 + ".patch": patch()})
    assert time.process_time() - started < 2
