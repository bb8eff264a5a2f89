"""Typed frame numbers that the target has as plain ones: only where both files show it."""

from __future__ import annotations

import pytest

from backports.engine.result import Confidence, Rung
from backports.engine.wraps import told, unwrap
from tests.engine.helpers import DictTree, after, apply, unified

MARK = b"""\
void mark_dirty(struct room *r, pfn_t pfn)
{
    unsigned long bit = pfn_x(pfn);

    if ( !r->log )
        return;

    /* What is shared is never dirty. */
    BUG_ON(is_shared(pfn_x(pfn)));

    set_bit(bit, r->log);
}

"""
ADDED = b"    if ( is_translated(r) )\n        clear_bit(pfn_x(pfn), r->old);\n"
MARK_FIXED = MARK.replace(b"    set_bit(", ADDED + b"    set_bit(")
CLEAN = b"""\
int clean(struct page *page)
{
    unsigned long frame = mfn_x(page_to_mfn(page));
    int rc = 0;

    rc = update(frame, 1);

    return rc;
}

int wipe(struct page *page)
{
    unsigned long mfn = mfn_x(page_to_mfn(page));

    return update(mfn, 0);
}

"""
CLEAN_FIXED = CLEAN.replace(
    b"    rc = update(frame, 1);\n", b"    rc = update(frame, mfn_x(page_to_mfn(page)) != INVALID);\n"
)
OLDER_MARK = MARK.replace(b"pfn_t pfn", b"unsigned long pfn").replace(b"pfn_x(pfn)", b"pfn")
OLDER_CLEAN = CLEAN.replace(b"mfn_x(page_to_mfn(page))", b"page_to_mfn(page)")


def on(target: bytes, base: bytes, fixed: bytes):
    return apply(unified(base, fixed), DictTree({"lib/shop.c": target}, store=[base]))


def test_a_variable_is_plain_where_its_function_says_so() -> None:
    """XSA-251: the number that `paging_mark_dirty()` of 4.8 looks at."""
    result = on(OLDER_MARK, MARK, MARK_FIXED)
    assert after(result) == MARK_FIXED.replace(b"pfn_t pfn", b"unsigned long pfn").replace(b"pfn_x(pfn)", b"pfn")
    assert (result.rung, result.confidence) == (Rung.DIALECT, Confidence.REVIEW)
    assert "pfn_x(pfn) as pfn" in result.patches[0].files[0].doubts[0]


def test_the_function_may_have_another_name_here() -> None:
    older = OLDER_MARK.replace(b"mark_dirty(", b"mark_page(")
    assert b"        clear_bit(pfn, r->old);\n" in (after(on(older, MARK, MARK_FIXED)) or b"")


def test_a_calls_result_is_plain_where_the_whole_file_says_so() -> None:
    """XSA-288: `page_to_mfn()` gives a plain number in mm.c of 4.9."""
    result = on(OLDER_CLEAN, CLEAN, CLEAN_FIXED)
    assert after(result) == CLEAN_FIXED.replace(b"mfn_x(page_to_mfn(page))", b"page_to_mfn(page)")
    assert "mfn_x(page_to_mfn(...)) as page_to_mfn(...)" in result.patches[0].files[0].doubts[0]


MAKES = b"""\
int map(struct room *r)
{
    unsigned long mfn = r->mfn;

    enter(r, _mfn(mfn));
    r->n++;

    return 0;
}

"""
MAKES_FIXED = MAKES.replace(b"    r->n++;\n", b"    note(r, _mfn(mfn));\n    r->n++;\n")
OLDER_MAKES = MAKES.replace(b"_mfn(mfn)", b"mfn")


def test_a_typed_number_is_not_made_where_the_file_makes_none() -> None:
    assert after(on(OLDER_MAKES, MAKES, MAKES_FIXED)) == MAKES_FIXED.replace(b"_mfn(mfn)", b"mfn")


@pytest.mark.parametrize(
    ("target", "base", "fixed", "kept"),
    [
        pytest.param(
            OLDER_MAKES + b"int e(int x)\n{\n    return f(_mfn(x));\n}\n",
            MAKES,
            MAKES_FIXED,
            b"note(r, _mfn(mfn));",
            id="another callee still takes the type",
        ),
        pytest.param(
            OLDER_CLEAN.replace(b"mfn = page_to_mfn(page)", b"mfn = mfn_x(page_to_mfn(page))"),
            CLEAN,
            CLEAN_FIXED,
            b"update(frame, mfn_x(page_to_mfn(page)) != INVALID)",
            id="the file has the call's result both ways",
        ),
        pytest.param(
            OLDER_CLEAN.replace(b"frame = page_to_mfn(page)", b"frame = page->frame").replace(
                b"mfn = page_to_mfn(page)", b"mfn = frame_of(page)"
            ),
            CLEAN,
            CLEAN_FIXED,
            b"update(frame, mfn_x(page_to_mfn(page)) != INVALID)",
            id="the target says something else in its place",
        ),
        pytest.param(
            MARK + OLDER_MARK.replace(b"mark_dirty", b"mark_clean"),
            MARK + MARK.replace(b"mark_dirty", b"mark_clean"),
            MARK_FIXED + MARK.replace(b"mark_dirty", b"mark_clean"),
            b"clear_bit(pfn_x(pfn), r->old);",
            id="a variable of that name is plain in another function only",
        ),
        pytest.param(
            OLDER_MARK.replace(b"bit = pfn", b"bit = pfn_x(pfn)").replace(b"set_bit(bit", b"set_bit(+bit"),
            MARK,
            MARK_FIXED,
            b"clear_bit(pfn_x(pfn), r->old);",
            id="the function has the variable both ways",
        ),
    ],
)
def test_near_misses_keep_the_wrapper(target: bytes, base: bytes, fixed: bytes, kept: bytes) -> None:
    result = on(target, base, fixed)
    assert kept in (after(result) or fixed)
    assert result.rung is not Rung.DIALECT


@pytest.mark.parametrize(
    ("line", "key", "plain"),
    [
        (b"f(mfn_x(m), 1);", b"mfn_x(m)", b"f(m, 1);"),
        (b"f(mfn_x(g(a, h(b))) + mfn_x(g(c)));", b"mfn_x(g(", b"f(g(a, h(b)) + g(c));"),
        (b"f(my_mfn_x(m));", b"mfn_x(m)", b"f(my_mfn_x(m));"),
        (b"f(mfn_x(g(a,\n", b"mfn_x(g(", b"f(mfn_x(g(a,\n"),
        (b"f(mfn_x(m->n));", b"mfn_x(m->n)", b"f(m->n);"),
    ],
)
def test_unwrapping_a_line(line: bytes, key: bytes, plain: bytes) -> None:
    assert unwrap(line, (key,)) == plain


def test_how_a_wrapper_is_told() -> None:
    assert told(b"mfn_x(m)") == (b"mfn_x(m)", b"m")
    assert told(b"mfn_x(g(") == (b"mfn_x(g(...))", b"g(...)")
