"""The RESOLUTION grammar, and the patterns of its left-hand side."""

from __future__ import annotations

import pytest

from xsa.formats.globs import assign, matching
from xsa.formats.resolution import targets

CASES = {
    "Xen 4.4.x, 4.5.x, xen-unstable": ("4.4", "4.5", "master"),
    "xen-unstable, Xen 4.9.x Xen 4.8.x Xen 4.7.x": ("master", "4.9", "4.8", "4.7"),
    "Xen 4.9.x ... 4.7.x": ("4.9", "4.8", "4.7"),
    "Xen 4.9.x...4.7.x": ("4.9", "4.8", "4.7"),
    "4.9..4.7": ("4.9", "4.8", "4.7"),
    "Xen 4.16.x - Xen 4.13.x": ("4.16", "4.15", "4.14", "4.13"),
    "Xen 4.16.x \u2013 4.15.x": ("4.16", "4.15"),
    "4.11-4.10": ("4.11", "4.10"),
    "Xen 4.17.x - Xen 4.15.x.": ("4.17", "4.16", "4.15"),
    "xen-unstable, Xen 4.16.x - 4.15.x": ("master", "4.16", "4.15"),
    "Xen 4.7 to 4.9": ("4.7", "4.8", "4.9"),
    "Xen 4.1.2": ("4.1",),
    "Xen 4.10.x and 4.10.x": ("4.10",),
    "master": ("master",),
    "stable-4.6": ("4.6",),
}


@pytest.mark.parametrize(("text", "branches"), CASES.items())
def test_branches(text, branches):
    found = targets(text)
    assert (found.branches, found.trees, found.open_ranges, found.problems) == (branches, (), (), ())


@pytest.mark.parametrize(
    ("text", "trees", "branches"),
    [
        ("Linux 4.5.x ... 3.10.x", ("linux",), ()),
        ("Linux master", ("linux",), ()),
        ("qemu-xen-traditional", ("qemu-xen-traditional",), ()),
        ("mainline qemu, qemu-xen", ("qemu", "qemu-xen"), ()),
        ("qemu-upstream-unstable, Xen 4.5.x", ("qemu-xen",), ("4.5",)),
        ("XAPI oxenstored", ("xapi",), ()),
        ("mini-os, xen-unstable", ("mini-os",), ("master",)),
    ],
)
def test_other_trees_keep_their_versions_to_themselves(text, trees, branches):
    found = targets(text)
    assert (found.trees, found.branches, found.problems) == (trees, branches, ())


@pytest.mark.parametrize("text", ["xen-unstable - 4.11", "xen-unstable - Xen 4.11.x", "Xen 4.11 and later"])
def test_a_range_from_unstable_needs_the_newest_release_of_its_time(text):
    found = targets(text)
    assert [gap.lower for gap in found.open_ranges] == ["4.11"]
    assert set(found.branches) == {"master", "4.11"}
    assert set(found.expand("4.14")) == {"master", "4.14", "4.13", "4.12", "4.11"}
    assert set(found.expand("4.10")) == {"master", "4.11"}
    assert set(targets(text, newest="4.12").branches) == {"master", "4.12", "4.11"}
    assert set(targets(text, ["4.9", "4.13", "master"]).branches) == {"master", "4.13", "4.12", "4.11"}
    assert targets(text, newest="4.12").open_ranges == ()


def test_ranges_expand_downwards_in_place():
    assert targets("xen-unstable - 4.11, 4.9", newest="4.13").branches == ("master", "4.13", "4.12", "4.11", "4.9")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no-target"),
        ("the kettle", "unknown-target"),
        ("Xen 4.9.x -", "dangling-range"),
        ("Xen 4.x", "needs-branch-list"),
        ("Xen 4.1 ... 3.4", "needs-branch-list"),
        ("Xen 4.5 and earlier", "open-ended"),
        ("4.5, " * 1000, "line-too-long"),
    ],
)
def test_what_is_not_understood_is_told(text, code):
    assert code in [problem.code for problem in targets(text).problems]


def test_a_branch_list_helps_where_the_text_is_vague():
    known = ["3.2", "3.3", "3.4", "4.0", "4.1", "master"]
    assert targets("Xen 4.x", known).branches == ("4.1", "4.0")
    assert targets("Xen 4.1 - 3.3", known).branches == ("4.1", "4.0", "3.4", "3.3")


NAMES = [
    "xsa9/xsa9-01.patch",
    "xsa9/xsa9-02.patch",
    "xsa9/xsa9-4.21-01.patch",
    "xsa9/xsa9-4.21-10.patch",
    "xsa9/xsa9-4.21-2.patch",
    "xsa9/xsa9-4.21-0a.patch",
]


def test_question_marks_count_characters():
    assert matching("xsa9/xsa9-??.patch", NAMES) == ("xsa9/xsa9-01.patch", "xsa9/xsa9-02.patch")


def test_a_series_is_ordered_by_value_with_prerequisites_first():
    assert [name[15:] for name in matching("xsa9/xsa9-4.21-*.patch", NAMES)] == [
        "0a.patch",
        "01.patch",
        "2.patch",
        "10.patch",
    ]


def test_a_star_does_not_cross_directories():
    assert matching("*.patch", NAMES) == ()
    assert [name[5:] for name in matching("xsa*/*-0?.patch", NAMES)] == [
        "xsa9-01.patch",
        "xsa9-02.patch",
        "xsa9-4.21-0a.patch",
        "xsa9-4.21-01.patch",
    ]


def test_braces_and_brackets():
    assert matching("a-{1,2b}.patch", ["a-1.patch", "a-2.patch", "a-2b.patch"]) == ("a-1.patch", "a-2b.patch")
    assert matching("a-[1-3].patch", ["a-1.patch", "a-4.patch"]) == ("a-1.patch",)
    assert matching("a-[3-1].patch", ["a-3.patch", "a-[3-1].patch"]) == ("a-[3-1].patch",)


def test_a_lost_directory_is_forgiven_and_another_directory_is_not():
    assert matching("xsa9/xsa9-?.patch", ["xsa9-1.patch"]) == ("xsa9-1.patch",)
    assert matching("xsa9-4.6/*.patch", ["xsa9-4.7/0001-a.patch", "0001-a.patch"]) == ()


def test_a_wide_star_leaves_versions_to_those_who_name_them():
    names = ["xsa9-1.patch", "xsa9-4.8-1.patch", "xsa9-4.7-1.patch"]
    found = assign(["xsa9-*.patch", "xsa9-4.8-*.patch"], names)
    assert found == {"xsa9-*.patch": ("xsa9-1.patch", "xsa9-4.7-1.patch"), "xsa9-4.8-*.patch": ("xsa9-4.8-1.patch",)}
