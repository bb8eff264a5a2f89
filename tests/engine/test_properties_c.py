"""What must hold for every C-like file and every edit of whole statements, repeated blocks and all."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from backports.engine import diff, ladder
from backports.engine.diff import Patch
from backports.engine.render import render
from backports.engine.result import Confidence, Outcome
from backports.engine.verify import reverse_patch
from backports.git.tree import diff_lines
from tests.engine.helpers import DictTree, after, unified
from tests.engine.sources import CALM, fixes, functions

PATH = "lib/shop.c"


def on(target: bytes, *patches: Patch, store: tuple[bytes, ...] = ()) -> ladder.SeriesResult:
    return ladder.apply_series(patches, DictTree({PATH: target}, store=store), differ=diff_lines)


@CALM
@given(fixes(), st.booleans())
def test_apply_of_a_diff_gives_the_other_file(pair: tuple[bytes, bytes], index: bool) -> None:
    old, new = pair
    assume(old != new)
    result = on(old, diff.parse_patch(unified(old, new, index=index)))
    assert (after(result), result.outcome) == (new, Outcome.APPLIED)


@CALM
@given(fixes())
def test_the_inverse_restores(pair: tuple[bytes, bytes]) -> None:
    old, new = pair
    assume(old != new)
    assert after(on(new, reverse_patch(diff.parse_patch(unified(old, new))))) == old


@CALM
@given(fixes())
def test_twice_is_already_applied(pair: tuple[bytes, bytes]) -> None:
    old, new = pair
    assume(old != new)
    result = on(new, diff.parse_patch(unified(old, new)), store=(old,))
    assert result.outcome is Outcome.ALREADY_APPLIED


@CALM
@given(fixes(), functions(77))
def test_a_function_above_shifts_every_hunk_alike(pair: tuple[bytes, bytes], above: bytes) -> None:
    old, new = pair
    assume(old != new)
    head = old.index(b"\n\n") + 2
    target = old[:head] + above + old[head:]
    result = on(target, diff.parse_patch(unified(old, new)), store=(old,))
    hunks = result.patches[0].files[0].hunks
    shifted = [hunk for hunk in hunks if hunk.placement and hunk.hunk.old_start > old[:head].count(b"\n")]
    if new.startswith(old[:head]) and result.outcome is Outcome.APPLIED and result.confidence is Confidence.HIGH:
        assert after(result) == new[:head] + above + new[head:]
        assert {hunk.placement.offset for hunk in shifted if hunk.placement} <= {above.count(b"\n")}


@CALM
@given(fixes(), fixes())
def test_a_series_in_order_is_its_squash(first: tuple[bytes, bytes], second: tuple[bytes, bytes]) -> None:
    old, middle = first
    new = middle + second[1]
    assume(len({old, middle, new}) == 3)
    steps = [diff.parse_patch(unified(old, middle)), diff.parse_patch(unified(middle, new))]
    assert after(on(old, *steps)) == after(on(old, diff.parse_patch(unified(old, new)))) == new


@CALM
@given(fixes(), st.sampled_from([0, 1, 2, 3, 5]))
def test_a_rendered_patch_reads_back_the_same(pair: tuple[bytes, bytes], context: int) -> None:
    old, new = pair
    assume(old != new)
    patch = diff.parse_patch(unified(old, new, context=context))
    assert replace(patch, files=diff.parse_patch(render(patch.files)).files) == patch
