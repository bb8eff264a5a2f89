"""One advisory's files together: who decides, and what is told."""

from __future__ import annotations

from datetime import date

import pytest

from tests.xsa.formats.samples import advisory, header, meta, patch
from xsa.formats.bundle import Bundle, FileKind, read_bundle
from xsa.formats.signature import clear_sign, make_demo_key

OID = "0123456789abcdef0123456789abcdef01234567"


def told(bundle: Bundle) -> set[tuple[str, str]]:
    return {(problem.code, problem.file) for problem in bundle.problems}


def fixes(bundle: Bundle) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(recipe.branch, recipe.tree): recipe.files for recipe in bundle.recipes}


def test_a_file_named_4_16_covers_four_branches():
    files = {"xsa900.patch": patch(), "xsa900-4.16.patch": patch(text="x"), "xsa900-4.12.patch": patch(text="y")}
    listing = (
        "xsa900.patch           xen-unstable",
        "xsa900-4.16.patch      Xen 4.16.x - Xen 4.13.x",
        "xsa900-4.12.patch      Xen 4.12.x",
    )
    bundle = read_bundle({"advisory-900.txt": advisory(900, listing, files), **files})
    assert fixes(bundle) == {
        ("master", "xen"): ("xsa900.patch",),
        **{(f"4.{minor}", "xen"): ("xsa900-4.16.patch",) for minor in (16, 15, 14, 13)},
        ("4.12", "xen"): ("xsa900-4.12.patch",),
    }
    assert (bundle.number, bundle.version, bundle.signature.state) == (900, 2, "none")
    assert bundle.problems == ()
    assert {recipe.origin for recipe in bundle.recipes} == {"resolution"}


def test_a_series_in_a_directory_keeps_its_order_and_its_prerequisite_first():
    names = [f"xsa900/xsa900-4.17-{index}.patch" for index in ("00", "01", "02", "10")]
    files = {name: patch(text=name) for name in reversed(names)}
    listing = ("xsa900/xsa900-??.patch       xen-unstable", "xsa900/xsa900-4.17-*.patch   Xen 4.17.x")
    files["xsa900/xsa900-01.patch"] = patch()
    bundle = read_bundle({"advisory-900.txt": advisory(900, listing, files), **files})
    assert fixes(bundle) == {("master", "xen"): ("xsa900/xsa900-01.patch",), ("4.17", "xen"): tuple(names)}
    assert bundle.problems == ()


def test_other_trees_stand_apart():
    files = {
        "xsa900-linux-1.patch": patch(),
        "xsa900-linux-2.patch": patch(text="x"),
        "xsa900-xapi.patch": patch(text="y"),
    }
    listing = ("xsa900-linux-?.patch     Linux", "xsa900-xapi.patch        XAPI oxenstored")
    bundle = read_bundle({"advisory-900.txt": advisory(900, listing, files), **files})
    assert fixes(bundle) == {
        ("", "linux"): ("xsa900-linux-1.patch", "xsa900-linux-2.patch"),
        ("", "xapi"): ("xsa900-xapi.patch",),
    }


def test_a_changed_patch_is_told_and_its_recipe_marked():
    files = {"xsa900.patch": patch()}
    text = advisory(900, ("xsa900.patch    xen-unstable, Xen 4.16.x",), files)
    bundle = read_bundle({"advisory-900.txt": text, "xsa900.patch": patch(text="evil")})
    assert told(bundle) == {("hash-mismatch", "xsa900.patch")}
    assert [[problem.code for problem in recipe.problems] for recipe in bundle.recipes] == [["hash-mismatch"]] * 2
    assert [problem.code for problem in bundle.files[1].problems] == ["hash-mismatch"]


def test_a_missing_member_of_a_series_is_told_and_its_recipe_marked():
    files = {"xsa900-1.patch": patch(), "xsa900-2.patch": patch(text="x")}
    text = advisory(900, ("xsa900-?.patch    xen-unstable",), files)
    bundle = read_bundle({"advisory-900.txt": text, "xsa900-1.patch": patch()})
    assert told(bundle) == {("missing-file", "xsa900-2.patch")}
    (recipe,) = bundle.recipes
    assert (recipe.files, [problem.code for problem in recipe.problems]) == (("xsa900-1.patch",), ["missing-file"])


def test_a_pattern_that_nothing_fits_is_told():
    text = advisory(900, ("xsa900-4.9-?.patch    Xen 4.9.x",), {})
    bundle = read_bundle({"advisory-900.txt": text})
    assert ("missing-file", "xsa900-4.9-?.patch") in told(bundle)
    assert fixes(bundle) == {("4.9", "xen"): ()}


def test_a_file_that_nobody_lists_is_kept_and_told():
    files = {"xsa900.patch": patch()}
    extra = {"xsa900-extra.patch": patch(text="x"), "README.900": b"Boil first."}
    bundle = read_bundle({"advisory-900.txt": advisory(files=files), **files, **extra})
    assert told(bundle) == {
        ("unlisted-file", "xsa900-extra.patch"),
        ("unassigned-patch", "xsa900-extra.patch"),
        ("unlisted-file", "README.900"),
    }
    assert {file.name: file.data for file in bundle.files} == {
        "advisory-900.txt": advisory(files=files),
        **files,
        **extra,
    }
    kinds = {file.name: file.kind for file in bundle.files}
    assert kinds["README.900"] is FileKind.OTHER
    assert kinds["advisory-900.txt"] is FileKind.TEXT


def test_attachments_that_lost_their_directory_are_recognised():
    files = {"xsa900/xsa900-1.patch": patch()}
    text = advisory(900, ("xsa900/xsa900-?.patch    Xen 4.9.x",), files)
    bundle = read_bundle({"advisory-900.txt": text, "xsa900-1.patch": patch()})
    assert fixes(bundle) == {("4.9", "xen"): ("xsa900-1.patch",)}
    assert bundle.problems == ()


def test_meta_adds_prerequisites_and_the_commit():
    files = {
        "xsa900.patch": patch(),
        "xsa900.meta": meta(900, {"4.16": {"StableRef": OID, "Prereqs": [899, 900], "Patches": ["xsa900.patch"]}}),
    }
    text = advisory(900, ("xsa900.patch    Xen 4.16.x",), files)
    (recipe,) = read_bundle({"advisory-900.txt": text, **files}).recipes
    assert (recipe.prereqs, recipe.stable_ref, recipe.origin) == ((899,), OID, "resolution")


def test_where_meta_disagrees_the_advisory_counts():
    files = {
        "xsa900.patch": patch(),
        "xsa900-4.16.patch": patch(text="x"),
        "xsa900.meta": meta(900, {"4.16": {"Patches": ["xsa900.patch"]}}),
    }
    text = advisory(900, ("xsa900-4.16.patch    Xen 4.16.x", "xsa900.patch    xen-unstable"), files)
    bundle = read_bundle({"advisory-900.txt": text, **files})
    assert fixes(bundle)["4.16", "xen"] == ("xsa900-4.16.patch",)
    assert told(bundle) == {("meta-disagrees", "")}


def test_a_branch_that_only_meta_knows_comes_from_meta_even_with_nothing_to_apply():
    files = {
        "xsa900-4.17.patch": patch(),
        "xsa900.meta": meta(900, {"4.15": {"Patches": ["xsa900-4.17.patch"]}, "master": {"Patches": []}}),
    }
    text = advisory(900, ("xsa900-4.17.patch    Xen 4.17.x",), files)
    bundle = read_bundle({"advisory-900.txt": text, **files})
    assert {(recipe.branch, recipe.origin, len(recipe.files)) for recipe in bundle.recipes} == {
        ("4.17", "resolution", 1),
        ("4.15", "meta", 1),
        ("master", "meta", 0),
    }


def test_without_a_text_meta_decides():
    files = {
        "xsa900.patch": patch(),
        "xsa900.meta": meta(900, {"master": {"Patches": ["xsa900.patch", "xsa900-2.patch"]}}),
    }
    bundle = read_bundle(files)
    assert (bundle.number, bundle.text) == (900, None)
    assert fixes(bundle) == {("master", "xen"): ("xsa900.patch",)}
    assert ("missing-file", "xsa900-2.patch") in told(bundle)


def test_without_text_and_meta_names_are_the_last_resort():
    names = ["xsa900-4.1-2.patch", "xsa900-4.1-1.patch", "xsa900.patch", "xsa900-qemut.patch"]
    bundle = read_bundle({name: patch(text=name) for name in names})
    assert bundle.number == 900
    assert fixes(bundle) == {
        ("master", "xen"): ("xsa900.patch",),
        ("4.1", "xen"): ("xsa900-4.1-1.patch", "xsa900-4.1-2.patch"),
        ("", "qemu-xen-traditional"): ("xsa900-qemut.patch",),
    }
    assert {recipe.origin for recipe in bundle.recipes} == {"name"}
    assert told(bundle) == {("guessed", "")}


RANGE = ("xsa900.patch    xen-unstable - 4.11",)
RELEASES = {"4.11": date(2018, 7, 1), "4.12": date(2019, 4, 1), "4.99": date(2999, 1, 1)}


def test_the_newest_release_comes_from_meta_first():
    files = {"xsa900.patch": patch(), "xsa900.meta": meta(900, {}, supported=["master", "4.13", "4.12", "4.11"])}
    bundle = read_bundle({"advisory-900.txt": advisory(900, RANGE, files), **files}, newest="4.20", releases=RELEASES)
    assert [recipe.branch for recipe in bundle.recipes] == ["master", "4.13", "4.12", "4.11"]


def test_the_newest_release_comes_from_the_day_of_the_signature():
    secret, public = make_demo_key("Security Engineer One", "one@example.org")
    files = {"xsa900.patch": patch()}
    text = clear_sign(advisory(900, RANGE, files), secret)
    bundle = read_bundle({"advisory-900.txt": text, **files}, certs=[public], newest="4.20", releases=RELEASES)
    assert [recipe.branch for recipe in bundle.recipes] == ["master", "4.12", "4.11"]
    assert bundle.signature.state == "good"


def test_the_newest_release_may_be_given_or_unknown():
    files = {"xsa900.patch": patch()}
    given = read_bundle({"advisory-900.txt": advisory(900, RANGE, files), **files}, newest="4.13")
    assert [recipe.branch for recipe in given.recipes] == ["master", "4.13", "4.12", "4.11"]
    unknown = read_bundle({"advisory-900.txt": advisory(900, RANGE, files), **files})
    assert [recipe.branch for recipe in unknown.recipes] == ["master", "4.11"]
    assert told(unknown) == {("open-range", "xsa900.patch")}


def test_two_texts_of_one_version_are_told():
    one, two = advisory(900), advisory(900, title="Another kettle")
    bundle = read_bundle({"a/advisory-900.txt": one, "b/advisory-900.txt": two, "c/advisory-900.txt": one})
    assert ("two-advisories", "b/advisory-900.txt") in told(bundle)
    assert ("two-advisories", "c/advisory-900.txt") not in told(bundle)


def test_the_newest_version_counts_unless_its_signature_is_bad():
    secret, public = make_demo_key("Security Engineer One", "one@example.org")
    old, new = (clear_sign(advisory(900, version=version), secret) for version in (2, 3))
    both = {"advisory-900-v2.txt": old, "advisory-900-v3.txt": new}
    assert read_bundle(both, certs=[public]).version == 3
    forged = both | {"advisory-900-v3.txt": new.replace(b"kettle", b"cattle")}
    bundle = read_bundle(forged, certs=[public])
    assert bundle.version == 2
    assert ("bad-signature", "advisory-900-v3.txt") in told(bundle)


def test_a_text_of_another_number_is_not_taken_for_this_one():
    bundle = read_bundle({"advisory-900.txt": advisory(901), "xsa900.patch": patch()})
    assert (bundle.number, bundle.text) == (900, None)
    assert ("number-mismatch", "advisory-900.txt") in told(bundle)
    assert read_bundle({"advisory-900.txt": advisory(901)}, number=901).number == 901


def test_a_meta_of_another_number_is_not_used():
    files = {"xsa900.patch": patch(), "xsa900.meta": meta(901, {"4.9": {"Patches": ["xsa900.patch"]}})}
    bundle = read_bundle({"advisory-900.txt": advisory(files=files), **files})
    assert fixes(bundle) == {("master", "xen"): ("xsa900.patch",)}
    assert told(bundle) == {("number-mismatch", "xsa900.meta")}


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("advisory-900.txt", b"\x00\xff nothing", "unreadable-text"),
        ("xsa900.meta", b"{", "malformed-meta"),
        ("../../etc/passwd.patch", patch(), "unsafe-name"),
        ("/xsa900.patch", patch(), "unsafe-name"),
        ("xsa900\0.patch", patch(), "unsafe-name"),
        ("./xsa900.patch", patch(), "duplicate-name"),
        ("broken/advisory-900.txt", header(900).encode(), "no-resolution"),
    ],
)
def test_bad_content_is_told_and_kept(name, data, code):
    bundle = read_bundle({"xsa900.patch": patch(), name: data})
    assert (code, name) in told(bundle)
    assert {file.name: file.data for file in bundle.files}[name] == data
    assert name not in [file for recipe in bundle.recipes for file in recipe.files if code == "unsafe-name"]


def test_a_patch_without_a_suffix_is_known_by_its_content():
    assert read_bundle({"patch-XSA-900-2": patch()}).files[0].kind is FileKind.PATCH


def test_nothing_at_all_is_an_empty_bundle():
    bundle = read_bundle({})
    assert (bundle.number, bundle.files, bundle.recipes, bundle.problems) == (None, (), (), ())
