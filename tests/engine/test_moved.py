"""Functions that the target has in another file than the author: their hunks follow them, and nothing else does.

The shape is that of Xen's pv/ split: one file of the author's is several of the target's, or the other way round
(XSA-273 17b522ca3aee: pv/domain.c was part of domain.c).
"""

from __future__ import annotations

import pytest

from backports.engine.diff import parse_series
from backports.engine.functions import functions_of
from backports.engine.guards import Symbols
from backports.engine.ladder import apply_series
from backports.engine.moved import MAX_HUNKS, cut
from backports.engine.result import Confidence, Outcome, Rung, SeriesResult
from backports.engine.scan import split_lines
from tests.engine.guards.cases import TreeNames, codes, port
from tests.engine.helpers import DictTree, after, unified

HEAD = b'#include "lamp.h"\n\n'
LIGHT = b"""\
int lamp_light(struct lamp *l, int level)
{
    int old = l->level;

    if ( level > MAX_LEVEL )
        return -EINVAL;

    l->level = level;
    lamp_update(l, old);

    return old;
}

"""
LIGHT_FIXED = LIGHT.replace(b"level > MAX_LEVEL", b"level < 0 || level > MAX_LEVEL")
DIM = b"""\
static void lamp_dim(struct lamp *l, unsigned int steps)
{
    while ( steps-- )
    {
        l->level = l->level / 2;
        lamp_update(l, l->level);
    }

    l->dimmed = true;
}

"""
DIM_FIXED = DIM.replace(b"while ( steps-- )", b"while ( steps-- && l->level )")
SWITCH = b"""\
void lamp_switch(struct lamp *l)
{
    l->on = !l->on;
    lamp_light(l, l->on ? l->wanted : 0);
}

"""
REPORT = b"""\
void lamp_report(const struct lamp *l)
{
    printk("lamp %u is at %d\\n", l->number, l->level);
}
"""
AUTHOR = {"arch/lamp.c": HEAD + LIGHT + DIM + SWITCH + REPORT}


def fixed(*swaps: tuple[bytes, bytes]) -> dict[str, bytes]:
    data = AUTHOR["arch/lamp.c"]
    for old, new in swaps:
        data = data.replace(old, new)
    return {"arch/lamp.c": data}


BOTH = fixed((LIGHT, LIGHT_FIXED), (DIM, DIM_FIXED))
SPLIT = {"arch/lamp.c": HEAD + SWITCH + REPORT, "arch/light.c": HEAD + LIGHT, "arch/pv/dim.c": HEAD + DIM}


def notes(result: SeriesResult) -> list[str]:
    return [hunk.note for patch in result.patches for file in patch.files for hunk in file.hunks]


def left_alone(result: SeriesResult) -> bool:
    return not any(patch.changes for patch in result.patches)


def test_a_hunk_follows_its_function_into_another_file() -> None:
    result = port(AUTHOR, fixed((LIGHT, LIGHT_FIXED)), SPLIT)
    assert after(result, "arch/light.c") == HEAD + LIGHT_FIXED
    assert (result.outcome, result.confidence) == (Outcome.APPLIED, Confidence.REVIEW)
    place = result.patches[0].files[0].hunks[0].placement
    assert (place.path, place.line) == ("arch/light.c", 4)
    assert notes(result) == ["the function lamp_light lives in arch/light.c here"]
    assert "arch/lamp.c: hunk 1: the function lamp_light lives in arch/light.c here." in result.reasons


def test_hunks_of_one_file_go_to_several_files_and_the_rest_stays() -> None:
    swaps = (LIGHT, LIGHT_FIXED), (DIM, DIM_FIXED), (b"lamp %u is at", b"lamp %u stands at")
    result = port(AUTHOR, fixed(*swaps), SPLIT)
    assert result.outcome is Outcome.APPLIED
    assert after(result, "arch/light.c") == HEAD + LIGHT_FIXED
    assert after(result, "arch/pv/dim.c") == HEAD + DIM_FIXED
    assert after(result, "arch/lamp.c") == HEAD + SWITCH + REPORT.replace(b"is at", b"stands at")


def test_a_file_that_was_merged_into_others_is_followed_function_by_function() -> None:
    target = {"arch/one.c": HEAD + LIGHT + REPORT, "arch/two.c": HEAD + SWITCH + DIM}
    result = port(AUTHOR, BOTH, target)
    assert result.outcome is Outcome.APPLIED
    assert after(result, "arch/one.c") == HEAD + LIGHT_FIXED + REPORT
    assert after(result, "arch/two.c") == HEAD + SWITCH + DIM_FIXED


def test_two_functions_that_live_in_one_other_file_are_both_changed() -> None:
    target = {"arch/lamp.c": HEAD + SWITCH + REPORT, "arch/both.c": HEAD + DIM + LIGHT}
    assert after(port(AUTHOR, BOTH, target), "arch/both.c") == HEAD + DIM_FIXED + LIGHT_FIXED


def test_a_function_that_also_changed_takes_the_rungs_above() -> None:
    own = LIGHT.replace(b"    int old = l->level;\n", b"    int old = l->level;\n\n    ASSERT(l->on);\n")
    target = SPLIT | {"arch/light.c": HEAD + own}
    result = port(AUTHOR, fixed((LIGHT, LIGHT_FIXED)), target)
    assert after(result, "arch/light.c") == (HEAD + own).replace(b"level > MAX", b"level < 0 || level > MAX")
    assert result.patches[0].files[0].hunks[0].placement.rung is Rung.ADJACENT


def test_a_fix_that_is_there_is_told_where_it_is() -> None:
    target = SPLIT | {"arch/light.c": HEAD + LIGHT_FIXED}
    result = port(AUTHOR, fixed((LIGHT, LIGHT_FIXED)), target)
    assert (result.outcome, left_alone(result)) == (Outcome.ALREADY_APPLIED, True)
    assert result.patches[0].files[0].hunks[0].placement.path == "arch/light.c"


def test_its_own_result_is_told_applied() -> None:
    target = SPLIT | {"arch/light.c": HEAD + LIGHT_FIXED, "arch/pv/dim.c": HEAD + DIM_FIXED}
    assert port(AUTHOR, BOTH, target).outcome is Outcome.ALREADY_APPLIED


def test_a_later_patch_of_the_series_finds_the_function_again() -> None:
    first = AUTHOR["arch/lamp.c"]
    second = fixed((LIGHT, LIGHT_FIXED))["arch/lamp.c"]
    third = second.replace(b"    l->level = level;\n", b"    l->level = level;\n    l->stamp = NOW();\n")
    mails = [unified(first, second, "arch/lamp.c"), unified(second, third, "arch/lamp.c")]
    patches = tuple(patch for mail in mails for patch in parse_series(mail))
    names = Symbols(TreeNames(SPLIT), TreeNames(AUTHOR))
    result = apply_series(patches, DictTree(SPLIT, store=[first]), symbols=names)
    assert result.outcome is Outcome.APPLIED
    expected = LIGHT_FIXED.replace(b"    l->level = level;\n", b"    l->level = level;\n    l->stamp = NOW();\n")
    assert after(result, "arch/light.c") == HEAD + expected


OTHER_LIGHT = b"""\
int lamp_light(struct bulb *b, int watts)
{
    while ( b->next && b->watts < watts )
        b = b->next;
    spin_lock(&b->lock);
    b->users++;
    spin_unlock(&b->lock);
    return bulb_start(b, watts, BULB_SLOW | BULB_WARM);
}
"""
RENAMED = AUTHOR["arch/lamp.c"].replace(b"lamp_light(struct", b"lamp_set(struct").replace(b"MAX_LEVEL", b"lamp_max(l)")


@pytest.mark.parametrize(
    "target",
    [
        pytest.param({"arch/lamp.c": HEAD + REPORT, "arch/bulb.c": OTHER_LIGHT}, id="other code of the same name"),
        pytest.param(SPLIT | {"arch/copy.c": HEAD + LIGHT}, id="the same static function in two files"),
        pytest.param(
            SPLIT | {"arch/light.c": HEAD + b"#ifdef A\n" + LIGHT + b"#else\n" + LIGHT + b"#endif\n"},
            id="twice in one file",
        ),
        pytest.param({"arch/lamp.c": HEAD + REPORT, "arch/use.c": SWITCH}, id="called elsewhere, defined nowhere"),
        pytest.param(SPLIT | {"arch/lamp.c": HEAD + OTHER_LIGHT}, id="its own file has another function of that name"),
    ],
)
def test_near_misses_stay_rejected(target: dict[str, bytes]) -> None:
    result = port(AUTHOR, fixed((LIGHT, LIGHT_FIXED)), target)
    assert (result.outcome, left_alone(result)) == (Outcome.CONFLICT, True)
    assert result.patches[0].files[0].hunks[0].placement is None


def test_a_function_that_is_here_by_another_name_is_not_followed() -> None:
    """One of its hunks lands in its own file, so the code is there; a namesake elsewhere is another function."""
    long = LIGHT.replace(b"    return old;\n", b"    lamp_log(l);\n" * 8 + b"\n    return old + 1;\n")
    source = {"arch/lamp.c": HEAD + long}
    change = {"arch/lamp.c": HEAD + long.replace(b"> MAX_LEVEL", b">= MAX_LEVEL").replace(b"old + 1", b"old + 2")}
    here = long.replace(b"lamp_light(", b"lamp_set(").replace(
        b"    if ( level > MAX_LEVEL )\n        return -EINVAL;\n", b""
    )
    result = port(source, change, {"arch/lamp.c": HEAD + here, "arch/light.c": HEAD + long})
    assert after(result, "arch/light.c") is None
    assert after(result, "arch/lamp.c") == HEAD + here.replace(b"old + 1", b"old + 2")


def test_without_names_or_without_the_authors_file_nothing_is_followed() -> None:
    assert port(AUTHOR, BOTH, SPLIT, names=False).outcome is Outcome.CONFLICT
    patch = unified(AUTHOR["arch/lamp.c"], BOTH["arch/lamp.c"], "arch/lamp.c")
    names = Symbols(TreeNames(SPLIT), TreeNames(AUTHOR))
    assert apply_series(parse_series(patch), DictTree(SPLIT), symbols=names).outcome is Outcome.CONFLICT


def test_a_hunk_that_fits_nowhere_is_told_where_its_function_lives() -> None:
    own = LIGHT.replace(b"    if ( level > MAX_LEVEL )\n        return -EINVAL;\n", b"    lamp_clip(l, &level, 0);\n")
    result = port(AUTHOR, fixed((LIGHT, LIGHT_FIXED)), SPLIT | {"arch/light.c": HEAD + own})
    hunk = result.patches[0].files[0].hunks[0]
    assert hunk.placement is None
    assert hunk.rejection.sentence.endswith(
        "The function lamp_light lives in arch/light.c here, where it does not fit either."
    )
    assert hunk.trail[-1].rung == "moved"


def test_guards_look_at_the_other_file_and_withhold_there() -> None:
    newer = {"arch/lamp.c": AUTHOR["arch/lamp.c"], "arch/lamp.h": b"int lamp_may(struct lamp *l);\n"}
    use = LIGHT.replace(
        b"    l->level = level;\n", b"    if ( !lamp_may(l) )\n        return -EPERM;\n    l->level = level;\n"
    )
    result = port(newer, fixed((LIGHT, use)), SPLIT)
    assert codes(result) == ["missing-symbol"]
    rejection = result.patches[0].files[0].hunks[0].rejection
    assert "of arch/light.c, but" in rejection.sentence
    assert left_alone(result)


def test_a_hunk_is_cut_to_its_function() -> None:
    author = split_lines(AUTHOR["arch/lamp.c"])
    function = functions_of(author)[1]
    patch = unified(AUTHOR["arch/lamp.c"], fixed((DIM, DIM_FIXED))["arch/lamp.c"], "arch/lamp.c", context=9)
    hunk = cut(parse_series(patch)[0].files[0].hunks[0], function)
    assert list(hunk.preimage) == author[function.start : function.stop]
    assert (hunk.old_start, hunk.old_count, hunk.new_count, hunk.section) == (1, 10, 10, b"")


def test_a_file_that_another_ones_hunks_joined_is_not_compared_with_a_merge_of_its_own_diff() -> None:
    light = HEAD + LIGHT.replace(b"lamp_light", b"lamp_dark") + DIM
    source = {"arch/lamp.c": HEAD + LIGHT + REPORT, "arch/both.c": light}
    change = {"arch/lamp.c": HEAD + LIGHT_FIXED + REPORT, "arch/both.c": light.replace(DIM, DIM_FIXED)}
    target = {"arch/lamp.c": HEAD + REPORT, "arch/both.c": light + LIGHT}
    result = port(source, change, target)
    assert after(result, "arch/both.c") == light.replace(DIM, DIM_FIXED) + LIGHT_FIXED
    assert codes(result) == []


def test_a_diff_of_very_many_hunks_is_not_followed() -> None:
    many = [LIGHT.replace(b"lamp_light", b"lamp_%d" % number) for number in range(MAX_HUNKS + 1)]
    source, target = {"arch/lamp.c": HEAD + b"".join(many)}, {"arch/lamp.c": HEAD, "arch/all.c": HEAD + b"".join(many)}
    change = {"arch/lamp.c": source["arch/lamp.c"].replace(b"> MAX_LEVEL", b">= MAX_LEVEL")}
    assert left_alone(port(source, change, target))
