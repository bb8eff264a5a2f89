"""What tools say, and what of it is new."""

from __future__ import annotations

import pytest

from backports.engine import diagnostics


@pytest.mark.parametrize(
    ("line", "path", "number", "kind", "message"),
    [
        ("toll.c:3:5: warning: unused variable 'x'", "toll.c", 3, "warning", "unused variable 'x'"),
        ("toll.c:4:1: error: expected ';'", "toll.c", 4, "error", "expected ';'"),
        (
            "./arch/quay.S:12: Error: no such instruction: `moor'",
            "arch/quay.S",
            12,
            "error",
            "no such instruction: `moor'",
        ),
        ("toll.c:1:10: fatal error: toll.h: No such file", "toll.c", 1, "error", "toll.h: No such file"),
        ("/tree/toll.c:9: undefined reference to `moor'", "toll.c", 9, "error", "undefined reference to `moor'"),
        ("toll.c:(.text+0x1f): undefined reference to `moor'", "toll.c", 0, "error", "undefined reference to `moor'"),
        ("Makefile:7: *** missing separator.  Stop.", "Makefile", 7, "error", "*** missing separator.  Stop."),
        ("cc1: error: unknown option '-fquay'", "cc1", 0, "error", "unknown option '-fquay'"),
        ("\x1b[1mtoll.c:2:1:\x1b[m \x1b[31merror: \x1b[mloud", "toll.c", 2, "error", "loud"),
    ],
)
def test_each_form_is_read(line: str, path: str, number: int, kind: str, message: str) -> None:
    [found] = diagnostics.read(line.encode() + b"\n")
    assert found == diagnostics.Diagnostic(path.encode(), number, kind, message.encode())


@pytest.mark.parametrize(
    "line",
    [
        "toll.c: In function 'moor':",
        "toll.h:3:1: note: declared here",
        "  CC      toll.o",
        "make[1]: *** [Makefile:12: toll.o] Error 1",
        "In file included from toll.c:1:",
        "3:4: error: of no file",
        "",
    ],
)
def test_everything_else_is_left_out(line: str) -> None:
    assert diagnostics.read(line.encode()) == ()


def test_a_line_that_moved_is_nothing_new() -> None:
    before = diagnostics.read(b"toll.c:3:5: warning: unused variable 'x'\n")
    after = diagnostics.read(b"toll.c:40:9: warning: unused variable 'x'\n")
    assert diagnostics.new(before, after) == ()


def test_the_same_words_of_another_file_or_kind_are_new() -> None:
    before = diagnostics.read(b"toll.c:3:5: warning: unused\n")
    after = diagnostics.read(b"quay.c:3:5: warning: unused\ntoll.c:3:5: error: unused\n")
    assert diagnostics.new(before, after) == after


def test_one_more_of_the_same_is_new_and_an_address_is_no_difference() -> None:
    before = diagnostics.read(b"ld: toll.c:(.text+0x10): undefined reference to `moor'\n")
    after = diagnostics.read(
        b"ld: toll.c:(.text+0x24): undefined reference to `moor'\n"
        b"ld: toll.c:(.text+0x40): undefined reference to `moor'\n"
    )
    assert diagnostics.new(before, after) == after[1:]


def test_what_is_gone_is_nothing_new() -> None:
    assert diagnostics.new(diagnostics.read(b"toll.c:3:5: warning: unused\n"), ()) == ()


def test_a_line_of_any_length_and_any_bytes_is_read_at_once() -> None:
    assert diagnostics.read(b"a:" * 200_000 + b"\n" + bytes(range(256)) * 100) == ()
