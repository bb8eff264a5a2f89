"""Guesses from names alone."""

from __future__ import annotations

import pytest

from xsa.formats.layout import is_safe, split_directory
from xsa.formats.names import NameGuess, guess_name

CASES = {
    "xsa10-4.1.patch": NameGuess(10, ("4.1",)),
    "xsa12-all.patch": NameGuess(12),
    "xsa13-xen-4.1.patch": NameGuess(13, ("4.1",)),
    "xsa14-xen-3.4-and-4.x.patch": NameGuess(14, ("3.4", "4.x")),
    "xsa23-4.0-4.1.patch": NameGuess(23, ("4.0", "4.1")),
    "xsa33-4.2-unstable.patch": NameGuess(33, ("4.2", "master")),
    "xsa35-4.2-with-xsa34.patch": NameGuess(35, ("4.2",)),
    "xsa50-4.1.2-prereq.patch": NameGuess(50, ("4.1",), is_prerequisite=True),
    "xsa155-xen44-0003-fix-the-kettle.patch": NameGuess(155, ("4.4",), "0003"),
    "xsa153-libxl.patch": NameGuess(153),
    "xsa184-qemut-master.patch": NameGuess(184, ("master",), tree="qemu-xen-traditional"),
    "xsa208-qemuu-4.7.patch": NameGuess(208, ("4.7",), tree="qemu-xen"),
    "xsa218-4.6/0001-kettle.patch": NameGuess(218, ("4.6",), "0001"),
    "xsa222-1-4.6.patch": NameGuess(222, ("4.6",), "1"),
    "xsa255-4.7-1.patch": NameGuess(255, ("4.7",), "1"),
    "xsa254/README.bti": NameGuess(254),
    "xsa300-linux-5.2.patch": NameGuess(300, ("5.2",), tree="linux"),
    "xsa322-4.14-c.patch": NameGuess(322, ("4.14",)),
    "xsa326-4.13-oxenstored-05.patch": NameGuess(326, ("4.13",), "05"),
    "xsa351-x86-4.8-1.patch": NameGuess(351, ("4.8",), "1"),
    "xsa378-4.11-0a.patch": NameGuess(378, ("4.11",), "0a", is_prerequisite=True),
    "xsa400-4.8-00.patch": NameGuess(400, ("4.8",), "00", is_prerequisite=True),
    "xsa403-4.14-trusted-dom0.patch": NameGuess(403, ("4.14",)),
    "xsa483-xapi.patch": NameGuess(483, tree="xapi"),
    "xsa492/xsa492-4.17-00.patch": NameGuess(492, ("4.17",), "00", is_prerequisite=True),
    "xsa237-4.80003-lost-its-slash.patch": NameGuess(237, ("4.8",), "0003"),
    "xsa337xsa337-4.13-1.patch": NameGuess(337, ("4.13",), "1"),
    "xsa321-xsa321-4.11-1.patch": NameGuess(321, ("4.11",), "1"),
    "0508-xsa471-4.17-01.patch": NameGuess(471, ("4.17",), "01"),
    "patch-xsa375-4.8.patch": NameGuess(375, ("4.8",)),
    "patch-XSA-187-2": NameGuess(187, index="2"),
    "patch-CVE-2031-1918_13": NameGuess(None),
    "xsa-165-boiling-over-9.patch": NameGuess(165, index="9"),
    "some/patches/xsa254-03c7d2cd-add-lid-2_.patch": NameGuess(254),
    "patch-xsa452-req-0003-add-lid.patch": NameGuess(452, index="0003", is_prerequisite=True),
}


@pytest.mark.parametrize(("name", "guess"), CASES.items())
def test_names_of_every_shape(name, guess):
    assert guess_name(name) == guess


def test_a_directory_is_grouped_by_number_and_nothing_is_lost():
    names = ["advisory-9.txt", "xsa9.patch", "xsa9/README", "xsa10-4.1.patch", "xsa10.meta", "xsa.json", "notes"]
    assert split_directory(names) == {
        9: ("advisory-9.txt", "xsa9.patch", "xsa9/README"),
        10: ("xsa10-4.1.patch", "xsa10.meta"),
        None: ("notes", "xsa.json"),
    }


@pytest.mark.parametrize("name", ["../xsa1.patch", "/etc/passwd", "a/../../b", "", "a\0b", "C:\\x", "..\\x", "a\nb"])
def test_names_that_leave_their_directory_are_unsafe(name):
    assert not is_safe(name)


def test_ordinary_names_are_safe():
    assert is_safe("xsa492/xsa492-4.17-00.patch")
    assert is_safe("a..b/c...patch")
