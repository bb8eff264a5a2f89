"""What a result tells of its way up the ladder, and of the places that it did not take."""

from __future__ import annotations

from backports.engine.result import Answer, HunkResult
from backports.engine.rungs import RUNGS, name_of
from tests.engine.helpers import FIXED, SHOP, DictTree, apply, unified

PATCH = unified(SHOP, FIXED, index=False)
RENAMED = SHOP.replace(b"\n    if (slot < 0)\n        slot = used", b"\n    if (slot == -1)\n        slot = next")
TWINS = b"".join(
    b"int shop_%d(int x)\n{\n    lock(%d);\n    step();\n    count(x);\n    unlock();\n    return x;\n}\n\n" % (n, n)
    for n in range(5)
)


def only(target: bytes, patch: bytes = PATCH, base: bytes | None = None) -> HunkResult:
    tree = DictTree({"lib/shop.c": target}, store=[base] if base else [])
    (found,) = apply(patch, tree).patches[0].files[0].hunks
    return found


def answers(found: HunkResult) -> list[tuple[str, str]]:
    return [(step.rung, step.answer.value) for step in found.trail]


def test_every_rung_has_a_name_of_its_own() -> None:
    names = [name_of(place) for place in RUNGS]
    assert len(set(names)) == len(RUNGS)
    assert {"exact", "three-way", "nearest"} <= set(names)


def test_a_hunk_at_its_own_line_asked_one_rung_and_has_no_other_places() -> None:
    found = only(SHOP)
    assert answers(found) == [("exact", "landed")]
    assert (found.trail[0].line, found.places) == (22, ())


def test_the_trail_ends_with_the_rung_that_took_the_hunk() -> None:
    found = only(b"/* one more line */\n" + SHOP)
    assert answers(found) == [("exact", "nothing"), ("already", "nothing"), ("offset", "landed")]


def test_a_rejected_hunk_asked_every_rung_and_the_refusals_say_why_and_where() -> None:
    found = only(RENAMED, unified(SHOP, FIXED), SHOP)
    assert [step.rung for step in found.trail] == [name_of(place) for place in RUNGS]
    refused = next(step for step in found.trail if step.answer is Answer.REFUSED)
    assert (refused.rung, refused.code) == ("three-way", "touched-by-target")
    assert "changed the same lines" in refused.sentence
    assert RENAMED.splitlines()[refused.line - 1] == b"    if (slot == -1)"
    assert all(not step.code and not step.line for step in found.trail if step.answer is Answer.NOTHING)


def test_other_places_are_told_most_alike_first_and_without_the_one_taken() -> None:
    fixed = TWINS.replace(b"lock(2);\n    step();\n", b"lock(2);\n    check(x);\n    step();\n")
    found = only(b"\n" + TWINS, unified(TWINS, fixed, index=False))
    assert found.placement is not None
    starts = [place.line for place in found.places]
    assert len(starts) == 3
    assert all(abs(start - found.placement.line) > 3 for start in starts)
    assert {place.heading for place in found.places} <= {b"int shop_%d(int x)" % n for n in (0, 1, 3, 4)} | {b""}
    assert all(0.4 <= place.likeness < 1 for place in found.places)
    assert [place.likeness for place in found.places] == sorted((p.likeness for p in found.places), reverse=True)


def test_whole_copies_of_the_preimage_are_the_second_best_places() -> None:
    body = b"    lock();\n    step();\n    count(x);\n    unlock();\n"
    old = b"int a(int x)\n{\n" + body + b"}\n"
    patch = unified(old, old.replace(b"    step();\n", b"    check();\n"), index=False, context=1)
    target = b"int pad;\n" * 7 + b"void z(int x)\n{\n" + body + b"}\n" + b"int pad;\n" * 9 + old
    found = only(target, patch)
    assert found.placement is not None
    assert (found.placement.line, [(p.line, p.likeness, p.heading) for p in found.places]) == (
        26,
        [(10, 1.0, b"void z(int x)")],
    )


def test_code_that_is_nowhere_has_no_other_places() -> None:
    found = only(b"int nothing_like_it;\n" * 50)
    assert found.rejection is not None
    assert found.places == ()


def test_places_of_many_hunks_stay_bounded() -> None:
    lines = [b"    value_%d = compute(%d);\n" % (n, n) for n in range(4000)]
    new = [line.replace(b"compute", b"check") if n % 20 == 9 else line for n, line in enumerate(lines)]
    old = b"".join(lines)
    result = apply(unified(old, b"".join(new), index=False), b"int more;\n" + old + old)
    hunks = result.patches[0].files[0].hunks
    assert [bool(hunk.places) for hunk in hunks] == [True] * 100 + [False] * 100
