"""Two results for one fix: whether they come to the same."""

from __future__ import annotations

import pytest

from backports.engine.compare import differing_paths
from backports.engine.result import Change, Outcome, PatchResult, SeriesResult
from tests.engine.helpers import FIXED, SHOP, apply, unified

ONE = b"int a; /* first */\nint b;\n"


def made(**files: bytes | None) -> SeriesResult:
    changes = {path.replace("_", "."): Change(data) for path, data in files.items()}
    patch = apply(unified(SHOP, FIXED), SHOP).patches[0].patch
    return SeriesResult(Outcome.APPLIED, (PatchResult(patch, Outcome.APPLIED, (), changes),))


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (ONE, False),
        (b"int a;\n\tint b; // last\n", False),
        (b"int a;\nint c;\n", True),
        (b'int a;\nint b = "/* x */";\n', True),
        (None, True),
    ],
)
def test_comments_and_white_space_are_no_difference(other: bytes | None, differs: bool) -> None:
    assert bool(differing_paths(made(x_c=ONE), made(x_c=other))) is differs


def test_a_path_that_only_one_of_them_changes() -> None:
    assert differing_paths(made(x_c=ONE, y_h=ONE), made(x_c=ONE, z_h=None)) == ("y.h", "z.h")


def test_what_is_no_c_keeps_its_comments() -> None:
    assert differing_paths(made(x_txt=ONE), made(x_txt=b"int a;\nint b;\n")) == ("x.txt",)
