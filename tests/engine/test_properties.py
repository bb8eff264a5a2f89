"""What must hold for every text and every edit."""

# ruff: noqa: E501

from __future__ import annotations

import contextlib
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from backports.engine import diff, ladder
from backports.engine.errors import MalformedPatch
from backports.engine.locate import diff_lines
from backports.engine.render import render
from backports.engine.result import Confidence, Outcome
from backports.engine.scan import split_lines
from backports.engine.verify import reverse_patch
from tests.engine.helpers import DictTree, after, apply, unified

CALM = settings(max_examples=120, deadline=None, derandomize=True)
LINE = st.sampled_from(
    [b"", b"}", b"    break;", b"int f(void)", b"{", b"    go();", b"\ta = b;", b"\xff\x0c\x85"]
) | st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b""))
END = st.sampled_from([b"\n", b""])


@st.composite
def texts(draw: st.DrawFn, low: int = 0, high: int = 40) -> bytes:
    lines = draw(st.lists(LINE, min_size=low, max_size=high))
    return b"\n".join(lines) + draw(END) if lines else b""


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A text of distinct lines and an edit of it."""
    count = draw(st.integers(8, 40))
    lines = [b"    line_number_%d(%d);\n" % (n, n) for n in range(count)]
    new = list(lines)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(new) - 1)))
        new[at : at + draw(st.integers(0, 3))] = [
            b"    added_%d_%d();\n" % (at, n) for n in range(draw(st.integers(0, 3)))
        ]
    return b"".join(lines), b"".join(new)


@CALM
@given(texts(), texts())
def test_apply_of_a_diff_gives_the_other_text(old: bytes, new: bytes) -> None:
    patch = unified(old, new)
    if patch:
        result = apply(patch, old)
        assert (after(result), result.outcome) == (new, Outcome.APPLIED)


@CALM
@given(edited())
def test_inverse_restores(pair: tuple[bytes, bytes]) -> None:
    old, new = pair
    data = unified(old, new)
    if data:
        back = ladder.apply_series([reverse_patch(diff.parse_patch(data))], DictTree({"lib/shop.c": new}))
        assert after(back) == old


@CALM
@given(edited(), st.integers(1, 50))
def test_lines_above_give_the_same_result_with_that_offset(pair: tuple[bytes, bytes], count: int) -> None:
    old, new = pair
    data = unified(old, new, index=False)
    above = b"".join(b"/* above %d */\n" % n for n in range(count))
    if not data or not split_lines(old)[0].startswith(split_lines(new)[0]):
        return
    result = apply(data, above + old)
    hunks = result.patches[0].files[0].hunks
    if hunks[0].hunk.old_start <= 1 and hunks[0].hunk.lines[0].tag != " ":
        return
    assert after(result) == above + new
    assert {hunk.placement.offset for hunk in hunks} == {count}


@CALM
@given(edited(), st.booleans())
def test_twice_is_already_applied(pair: tuple[bytes, bytes], with_base: bool) -> None:
    old, new = pair
    data = unified(old, new, index=with_base)
    added = set(split_lines(new)) - set(split_lines(old))
    if not data or not added:
        return
    result = apply(data, DictTree({"lib/shop.c": new}, store=[old]))
    assert (
        result.outcome is not Outcome.APPLIED or after(result) in (None, new) or result.confidence is Confidence.REVIEW
    )
    if with_base:
        assert result.outcome is Outcome.ALREADY_APPLIED


@CALM
@given(edited())
def test_rendered_patches_read_back_the_same(pair: tuple[bytes, bytes]) -> None:
    data = unified(*pair)
    if data:
        files = diff.parse_patch(data).files
        assert diff.parse_patch(render(files)).files == files


PIECES = st.sampled_from(
    [
        b"diff --git a/x b/x\n", b"--- a/x\n", b"+++ b/x\n", b"@@ -1 +1 @@\n", b"@@ -1,2 +1,2 @@ f\n", b"-a\n", b"+b\n", b" c\n",
        b"\n", b"\\ No newline\n", b"rename from x\n", b"rename to ../y\n", b"index 1234567..89abcde 100644\n", b"GIT binary patch\n",
        b"From 0123 Mon Sep 17 00:00:00 2001\n", b"Subject: =?utf-8?q?=ff?=\n", b"From: x\n", b"Index: x\n", b"diff -r 1 x\n",
        b"new file mode 120000\n", b"old mode 1\n", b'--- "a/\\377"\n', b"Binary files a/x and b/x differ\n", b"-- \n", b"# HG changeset patch\n",
        b"# Date 99999999999 99999\n", b"# Date 1 1\n", b"# Date 9999999999 -3\n",
    ]
)  # fmt: skip


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(PIECES, max_size=14).map(b"".join),
        st.lists(st.one_of(PIECES, st.binary(max_size=9))).map(b"".join),
    )
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedPatch):
        patches = diff.parse_series(data)
        result = ladder.apply_series(patches, DictTree({"x": b"a\nc\n"}))
        assert result.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED, Outcome.PARTLY_APPLIED, Outcome.CONFLICT)


@CALM
@given(texts(), texts())
def test_fallback_differ_keeps_the_contract(old: bytes, new: bytes) -> None:
    a, b = split_lines(old), split_lines(new)
    edits = diff_lines(old, new)
    rebuilt, at = [], 0
    for edit in edits:
        assert edit.old_start >= at
        rebuilt += a[at : edit.old_start] + b[edit.new_start : edit.new_stop]
        at = edit.old_stop
    assert rebuilt + a[at:] == b
    assert all(one.old_stop < two.old_start for one, two in pairwise(edits))
