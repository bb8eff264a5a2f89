"""Conflicts that a person answered once: found in a result, known again on another branch, never where they differ.

The shapes are those of XSA-298 and XSA-254 (one line written otherwise on all older branches, so that one answer
serves them all) and of XSA-400, where chunks look alike and the branches want different answers.
"""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backports.engine import diff, ladder
from backports.engine.conflicts import Conflicts, Learned, conflicts, learn, partial_file, settled
from backports.engine.locate import diff_lines
from backports.engine.resolutions import MAX_LINES, Answer, Chunk, Memory, Resolution, offer
from backports.engine.result import Outcome
from tests.engine.helpers import SHOP, DictTree, unified

PATH = "lib/shop.c"
TAKE = b"    table[slot].count -= count;\n"
CHECKED = b"    if (check_sub(&table[slot].count, count))\n        return -ERANGE;\n"
FIXED = SHOP.replace(TAKE, CHECKED)
OLD_TAKE = b"    table[slot].left -= count;\n"
OLDER = SHOP.replace(TAKE, OLD_TAKE).replace(
    b"#define MAX_STOCK 64\n", b"#define MAX_STOCK 16\n\n#define MIN_STOCK 1\n"
)
OLDEST = SHOP.replace(TAKE, OLD_TAKE).replace(b"void shop_report", b"static int spare;\n\nvoid shop_report")
OLD_CHECKED = b"    if (table[slot].left < count)\n        return -ERANGE;\n\n    table[slot].left -= count;\n"


class Tried:
    """A fix on one file, and what it leaves open."""

    def __init__(self, target: bytes, *, fixed: bytes = FIXED, base: bytes = SHOP, store: bool = True) -> None:
        self.tree = DictTree({PATH: target}, store=[base] if store else [])
        self.result = ladder.apply_series(diff.parse_series(unified(base, fixed, index=store)), self.tree)
        self.left: Conflicts = conflicts(self.result, self.tree, diff_lines)
        self.partial = partial_file(self.result, self.tree, PATH) or b""

    def learn(self, finished: bytes) -> Learned:
        return learn(self.left.asked, {PATH: self.partial}, {PATH: finished}, diff_lines)

    def answered(self, memory: Memory) -> list[Answer | None]:
        return [offer(one.chunk, memory) for one in self.left.asked]

    def finished(self, memory: Memory) -> bytes:
        pairs = [(one, answer.lines) for one in self.left.asked if (answer := offer(one.chunk, memory))]
        return settled(self.partial, pairs)


def memory_of(learned: Learned) -> Memory:
    return Memory.of(resolution for _, resolution in learned.resolutions)


def codes(learned: Learned) -> list[str]:
    return [one.code for one in learned.untold]


@pytest.fixture
def memory() -> Memory:
    """What a person made of the fix on the older branch."""
    return memory_of(Tried(OLDER).learn(OLDER.replace(OLD_TAKE, OLD_CHECKED)))


def test_a_rejected_hunk_is_the_chunk_that_a_merge_would_leave() -> None:
    tried = Tried(OLDER)
    assert tried.result.outcome is Outcome.CONFLICT
    (one,) = tried.left.found
    assert one.chunk == Chunk((TAKE,), (OLD_TAKE,), tuple(CHECKED.splitlines(keepends=True)))
    assert OLDER.splitlines(keepends=True)[one.start : one.stop] == [OLD_TAKE]
    assert tried.left.whole


def test_the_answer_serves_another_branch_whatever_stands_around_the_chunk(memory: Memory) -> None:
    tried = Tried(OLDEST)
    assert [answer.exact for answer in tried.answered(memory) if answer] == [True]
    assert tried.finished(memory) == OLDEST.replace(OLD_TAKE, OLD_CHECKED)


@pytest.mark.parametrize("ours", [b"    table[slot].left = 0;\n", b"    table[slot].left -= count + 1;\n", b""])
def test_another_line_of_the_branchs_own_is_another_question(memory: Memory, ours: bytes) -> None:
    tried = Tried(OLDEST.replace(OLD_TAKE, ours))
    assert len(tried.left.asked) == 1
    assert tried.answered(memory) == [None]


def test_another_fix_of_the_same_line_is_another_question(memory: Memory) -> None:
    tried = Tried(OLDEST, fixed=SHOP.replace(TAKE, CHECKED.replace(b"ERANGE", b"EINVAL")))
    assert tried.answered(memory) == [None]


def test_the_same_two_texts_over_another_base_are_another_question(memory: Memory) -> None:
    base = SHOP.replace(TAKE, b"    table[slot].count = table[slot].count - count;\n")
    tried = Tried(OLDEST, base=base)
    assert len(tried.left.asked) == 1
    assert tried.answered(memory) == [None]


def test_ours_and_theirs_are_not_to_be_exchanged() -> None:
    one, other = (b"a = 1;\n",), (b"b = 2;\n",)
    memory = Memory.of([Resolution(Chunk((), one, other), other)])
    assert offer(Chunk((), other, one), memory) is None


def test_lines_on_another_side_of_a_chunk_make_another_key() -> None:
    sides = [(), (b"x\n",), (b"x\n", b"y\n"), (b"y\n",), (b"x y\n",)]
    chunks = [Chunk(*three) for three in product(sides, repeat=3)]
    assert len({chunk.key for chunk in chunks}) == len(chunks)
    assert len({chunk.loose_key for chunk in chunks}) == len(chunks)


def test_white_space_at_the_ends_of_lines_is_left_out_of_the_exact_key(memory: Memory) -> None:
    tried = Tried(OLDEST.replace(OLD_TAKE, OLD_TAKE.replace(b"\n", b" \t\n")))
    (answer,) = tried.answered(memory)
    assert answer is not None
    assert answer.exact


def test_a_file_with_carriage_returns_gets_an_answer_with_them(memory: Memory) -> None:
    chunk = Tried(OLDEST).left.asked[0].chunk
    crlf = Chunk(
        *(tuple(line.replace(b"\n", b"\r\n") for line in side) for side in (chunk.base, chunk.ours, chunk.theirs))
    )
    answer = offer(crlf, memory)
    assert answer is not None
    assert b"".join(answer.lines) == OLD_CHECKED.replace(b"\n", b"\r\n")


def test_other_indentation_is_the_same_question_less_exactly_and_the_answer_takes_it_on(memory: Memory) -> None:
    tabbed = OLDEST.replace(OLD_TAKE, b"\ttable[slot].left -= count;\n")
    tried = Tried(tabbed)
    (answer,) = tried.answered(memory)
    assert answer is not None
    assert not answer.exact
    assert b"".join(answer.lines) == (
        b"\tif (table[slot].left < count)\n\t    return -ERANGE;\n\n\ttable[slot].left -= count;\n"
    )


def test_an_exact_answer_goes_before_a_loose_one_and_others_are_counted() -> None:
    chunk, wide = Chunk((b"a;\n",), (b"b c;\n",), (b"d;\n",)), Chunk((b"a;\n",), (b"b  c;\n",), (b"d;\n",))
    loose, exact = Resolution(wide, (b"1;\n",), "loose"), Resolution(chunk, (b"2;\n",), "exact")
    rival, same = Resolution(chunk, (b"3;\n",), "rival"), Resolution(chunk, (b"2; \n",), "same")
    answer = offer(chunk, Memory.of([loose, exact, rival, same]))
    assert answer is not None
    assert (answer.resolution.name, answer.exact, answer.rivals) == ("exact", True, 1)


def test_hunks_that_landed_are_no_conflicts_and_stay_as_they_landed(memory: Memory) -> None:
    report = b"    for (i = 0; i < used; i++)\n        fprintf"
    more = (report, b"    for (i = 0; i < used && !ferror(out); i++)\n        fprintf")
    tried = Tried(OLDEST, fixed=FIXED.replace(*more))
    assert tried.result.outcome is Outcome.PARTLY_APPLIED
    assert len(tried.left.found) == 1
    assert tried.finished(memory) == OLDEST.replace(OLD_TAKE, OLD_CHECKED).replace(*more)


def test_the_untouched_part_of_a_torn_hunk_needs_no_answer() -> None:
    after = (b"    return table[slot].count;\n}\n\nvoid shop_report", b"    return 0;\n}\n\nvoid shop_report")
    tried = Tried(OLDER, fixed=FIXED.replace(*after))
    assert [one.clean for one in tried.left.found] == [False, True]
    assert len(tried.left.asked) == 1
    learned = tried.learn(OLDER.replace(OLD_TAKE, OLD_CHECKED).replace(*after))
    assert [found.answer for _, found in learned.resolutions] == [tuple(OLD_CHECKED.splitlines(keepends=True))]


def test_a_series_asks_once_for_what_its_patches_do_to_one_place() -> None:
    second = FIXED.replace(b"        return -ERANGE;\n", b"        return -E2BIG;\n")
    tree = DictTree({PATH: OLDER}, store=[SHOP, FIXED])
    result = ladder.apply_series(
        diff.parse_series(unified(SHOP, FIXED)) + diff.parse_series(unified(FIXED, second)), tree
    )
    left = conflicts(result, tree, diff_lines)
    assert [one.chunk.theirs for one in left.found] == [
        tuple(CHECKED.replace(b"ERANGE", b"E2BIG").splitlines(keepends=True))
    ]


def test_without_the_base_the_hunk_itself_stands_for_it() -> None:
    tried = Tried(OLDER, store=False)
    (one,) = tried.left.found
    assert one.chunk == Tried(OLDER).left.found[0].chunk
    assert OLDER.splitlines(keepends=True)[one.start : one.stop] == [OLD_TAKE]


def test_a_hunk_without_a_likely_place_leaves_the_result_unfinished() -> None:
    gone = b"/* Nothing of the shop is left here. */\nint other(void)\n{\n    return 1;\n}\n"
    tried = Tried(gone, store=False)
    assert tried.result.outcome is Outcome.CONFLICT
    assert tried.left == Conflicts()


def test_a_missing_file_leaves_the_result_unfinished_though_other_files_ask() -> None:
    tree = DictTree({PATH: OLDER}, store=[SHOP])
    patch = unified(SHOP, FIXED) + unified(SHOP, FIXED, "lib/none.c")
    left = conflicts(ladder.apply_series(diff.parse_series(patch), tree), tree, diff_lines)
    assert [one.path for one in left.found] == [PATH]
    assert not left.whole


def test_a_chunk_too_long_for_a_person_is_no_question() -> None:
    long = b"".join(b"    own_line(%d);\n" % number for number in range(MAX_LINES + 1))
    assert not Tried(OLDER.replace(OLD_TAKE, long)).left.found


def test_a_result_that_applied_asks_nothing() -> None:
    assert Tried(SHOP).left == Conflicts()


def test_leaving_a_chunk_as_it_is_is_an_answer_where_nothing_else_was_touched() -> None:
    learned = Tried(OLDER).learn(OLDER)
    assert [found.answer for _, found in learned.resolutions] == [(OLD_TAKE,)]


def test_removing_a_chunk_is_an_answer() -> None:
    learned = Tried(OLDER).learn(OLDER.replace(OLD_TAKE, b""))
    assert [found.answer for _, found in learned.resolutions] == [()]


@pytest.mark.parametrize(
    ("finished", "code"),
    [
        (OLDER.replace(b"    used = 0;\n", b"    used = -1;\n"), "left-alone"),
        (OLDER.replace(b"\n" + OLD_TAKE + b"\n", OLD_CHECKED), "changed-beside"),
        (OLDER.replace(OLD_TAKE, b"<<<<<<< ours\n" + OLD_TAKE + b"=======\n" + CHECKED + b">>>>>>> x\n"), "unfinished"),
        (OLDER.replace(OLD_TAKE, b"    again();\n" * (MAX_LINES + 1)), "too-long"),
    ],
)
def test_an_answer_that_cannot_be_told_apart_is_not_learned(finished: bytes, code: str) -> None:
    learned = Tried(OLDER).learn(finished)
    assert learned.resolutions == ()
    assert codes(learned) == [code]


def test_a_file_that_was_not_finished_tells_nothing() -> None:
    tried = Tried(OLDER)
    assert codes(learn(tried.left.asked, {PATH: tried.partial}, {}, diff_lines)) == ["file-not-finished"]


def two_chunks() -> tuple[Tried, bytes, bytes]:
    """The same conflict twice in one file."""
    twin = (
        b'void shop_lose(int slot, int count)\n{\n    puts("lose");\n    trace(slot);\n%s    used--;\n    audit();\n}\n'
    )
    base, fixed, ours = (text + twin % line for text, line in ((SHOP, TAKE), (FIXED, CHECKED), (OLDER, OLD_TAKE)))
    return Tried(ours, base=base, fixed=fixed), ours, twin


def test_one_chunk_in_two_places_is_learned_when_both_are_answered_alike() -> None:
    tried, ours, _ = two_chunks()
    assert len({one.chunk.key for one in tried.left.asked}) == 1
    learned = tried.learn(ours.replace(OLD_TAKE, OLD_CHECKED))
    assert [found.answer for _, found in learned.resolutions] == [tuple(OLD_CHECKED.splitlines(keepends=True))] * 2


def test_one_chunk_in_two_places_is_not_learned_when_they_are_answered_in_two_ways() -> None:
    tried, ours, twin = two_chunks()
    finished = ours.replace(OLD_TAKE, OLD_CHECKED).replace(twin % OLD_CHECKED, twin % b"    lose(slot, count);\n")
    learned = tried.learn(finished)
    assert learned.resolutions == ()
    assert codes(learned) == ["answered-both-ways"] * 2


lines = st.lists(st.sampled_from([b"a;\n", b"  b;\n", b"\tc;\n", b"\n", b"}\n", b"d", b"e;\r\n"]), max_size=6).map(
    tuple
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(lines, lines, lines, lines)
def test_an_answer_given_to_a_chunk_comes_back_for_that_chunk_to_the_byte(
    base: tuple[bytes, ...], ours: tuple[bytes, ...], theirs: tuple[bytes, ...], answer: tuple[bytes, ...]
) -> None:
    chunk = Chunk(base, ours, theirs)
    known = offer(chunk, Memory.of([Resolution(chunk, answer)]))
    assert known is not None
    assert b"".join(known.lines) == b"".join(answer)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.data())
def test_what_was_learned_from_a_finished_file_makes_that_file_again(words: list[int], data: st.DataObject) -> None:
    base = b"".join(b"line %d %d;\n" % (number, word) for number, word in enumerate(words))
    at = data.draw(st.integers(0, len(words) - 1))
    row = b"line %d %d;\n" % (at, words[at])
    ours, fixed = base.replace(row, b"ours %d;\n" % at), base.replace(row, b"theirs;\n")
    tried = Tried(ours, base=base, fixed=fixed)
    finished = ours.replace(b"ours %d;\n" % at, data.draw(st.sampled_from([b"", b"one;\n", b"one;\n\ntwo;\n"])))
    learned = tried.learn(finished)
    assert [one.chunk.ours for one in tried.left.asked] == [(b"ours %d;\n" % at,)]
    assert not learned.untold
    assert settled(tried.partial, [(one, found.answer) for one, found in learned.resolutions]) == finished


texts = st.lists(st.sampled_from([b"a;\n", b"b;\n", b"call(a);\n", b"call(b);\n", b"}\n", b"\n"]), max_size=25)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(texts, texts, texts, st.booleans())
def test_every_conflict_stands_where_it_says_and_apart_from_the_others(
    base: list[bytes], ours: list[bytes], fixed: list[bytes], store: bool
) -> None:
    if base == fixed:
        return
    tried = Tried(b"".join(ours), base=b"".join(base), fixed=b"".join(fixed), store=store)
    lines = tried.partial.splitlines(keepends=True)
    at = -1
    for one in tried.left.found:
        assert tuple(lines[one.start : one.stop]) == one.chunk.ours
        assert (one.start, one.stop) > (at, at)
        at = one.stop
    kept = settled(tried.partial, [(one, one.chunk.ours) for one in tried.left.found])
    assert kept == tried.partial
