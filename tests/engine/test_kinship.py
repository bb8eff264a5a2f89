"""Two series compared hunk by hunk, and the keys by which a patch is known again."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backports.engine import kinship, lineage
from backports.engine.diff import Patch, parse_series
from backports.engine.kinship import Fate, sentence
from tests.engine.helpers import SHOP, unified

FIND = (
    b"    int i;\n\n    for (i = 0; i < used; i++)\n        if",
    b"    int i;\n\n    lock();\n    for (i = 0; i < used; i++)\n        if",
)
ADD = (b"        slot = used++;\n", b"        slot = new_slot(name, count);\n")
TAKE = (
    b"        return -ENOENT;\n",
    b"        return -ENOENT;\n    if (table[slot].count < count)\n        return -EINVAL;\n",
)
CLOSE = (b"    used = 0;\n", b"    used = 0;\n    free(table);\n")
EDITS = (FIND, ADD, TAKE, CLOSE)


def edited(*edits: tuple[bytes, bytes], text: bytes = SHOP) -> bytes:
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def series(*edits: tuple[bytes, bytes], text: bytes = SHOP, path: str = "lib/shop.c", context: int = 1) -> list[Patch]:
    return list(parse_series(unified(text, edited(*edits, text=text), path, context=context)))


def fates(found: kinship.Kinship) -> list[tuple[str, int]]:
    return [(pair.fate.value, (pair.theirs or pair.ours[0]).number) for pair in found.pairs]


THEIRS = series(*EDITS)
ADAPTED = (ADD[0], b"        slot = new_slot(name, count, GFP_KERNEL);\n")


def test_a_series_is_the_same_as_itself_and_as_one_on_another_text() -> None:
    assert sentence(kinship.compare(THEIRS, THEIRS)) == "Same as theirs."
    older = SHOP.replace(b"int i;", b"unsigned int i;").replace(b"static int used;", b"static int used;\n\n\nint more;")
    old_find = tuple(part.replace(b"int i;", b"unsigned int i;") for part in FIND)
    found = kinship.compare(THEIRS, series(old_find, *EDITS[1:], text=older, context=3))
    assert found.is_same
    assert found.pairs[0].new_context


def test_each_hunk_is_told_apart() -> None:
    ours = series(FIND, ADAPTED, CLOSE, (b"-1;\n", b"-2;\n"))
    found = kinship.compare(THEIRS, ours)
    assert fates(found) == [("same", 1), ("adapted", 2), ("missing", 3), ("same", 4), ("extra", 2)]
    assert sentence(found, "the official fix") == (
        "Same as the official fix but for hunk 2 (adapted) and hunk 3 (missing), with 1 hunk more."
    )
    assert found.pairs[1].ours[0].number == 3


def test_hunks_that_were_joined_or_parted_are_the_same() -> None:
    for wide in (9, 60):
        assert kinship.compare(THEIRS, series(*EDITS, context=wide)).is_same
        assert kinship.compare(series(*EDITS, context=wide), THEIRS).is_same


def test_patches_that_were_joined_or_parted_are_the_same() -> None:
    parted = [*series(FIND, TAKE), *series(ADD, CLOSE, text=edited(FIND, TAKE))]
    assert kinship.compare(THEIRS, parted).is_same
    assert kinship.compare(parted, THEIRS).is_same


def test_an_addition_beside_what_is_the_same_is_extra() -> None:
    inside = (TAKE[0], TAKE[1] + b"    log_it(name);\n")
    found = kinship.compare(series(TAKE), series(inside))
    assert fates(found) == [("adapted", 1)]
    beside = kinship.compare(
        series(TAKE), series(TAKE, (b"    return table[slot].count;\n", b"    return 0;\n"), context=9)
    )
    assert fates(beside) == [("same", 1), ("extra", 1)]


def test_a_file_of_another_name_is_found_by_its_name_or_text() -> None:
    for path in ("common/shop.c", "lib/store.c"):
        found = kinship.compare(THEIRS, series(*EDITS, path=path))
        assert found.is_same
        assert all(pair.new_file for pair in found.pairs)


def test_of_equal_hunks_the_missing_one_is_named() -> None:
    text = b"".join(
        b"int f%d(void)\n{\n    int x%d = 0;\n    go();\n    return x%d;\n}\n\n" % (at, at, at) for at in range(5)
    )
    full = text.replace(b"    go();\n", b"    go();\n    check();\n")
    without = full.replace(b"int x2 = 0;\n    go();\n    check();", b"int x2 = 0;\n    go();")
    theirs, ours = (list(parse_series(unified(text, new, context=1))) for new in (full, without))
    assert fates(kinship.compare(theirs, ours)) == [("same", 1), ("same", 2), ("missing", 3), ("same", 4), ("same", 5)]


def test_nothing_in_common() -> None:
    other = list(parse_series(unified(b"alpha\n", b"beta\n", "docs/words")))
    assert sentence(kinship.compare(THEIRS, other)) == "Nothing in common with theirs."
    assert kinship.compare(THEIRS, other).count(Fate.MISSING) == 4


def test_many_differences_are_counted_not_named() -> None:
    ours = [edit if edit is FIND else (edit[0], edit[1] + b"    and_more(name);\n") for edit in EDITS]
    text = edited(*EDITS) + b"int f(void)\n{\n    return 7;\n}\n"
    theirs = [*THEIRS, *series((b"return 7;", b"return 8;"), text=text)]
    assert sentence(kinship.compare(theirs, series(*ours))) == (
        "Same as theirs but for 4 of 5 hunks (3 adapted, 1 missing)."
    )


def test_in_several_files_the_file_is_named() -> None:
    second = series(CLOSE, path="lib/other.c")
    found = kinship.compare([*THEIRS, *second], THEIRS)
    assert sentence(found) == "Same as theirs but for hunk 1 of lib/other.c (missing)."


def test_renames_and_modes_count() -> None:
    mode = b"diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"
    rename = b"diff --git a/a.c b/b.c\nsimilarity index 100%\nrename from a.c\nrename to b.c\n"
    theirs = list(parse_series(mode + rename))
    assert sentence(kinship.compare(theirs, theirs)) == "Same as theirs."
    assert sentence(kinship.compare(theirs, list(parse_series(mode)))) == (
        "Same as theirs but for what is done to a.c as a whole (missing)."
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(range(4)), unique=True, min_size=1), st.integers(0, 12), st.integers(0, 12))
def test_what_was_left_out_is_what_is_missing(kept: list[int], wide: int, narrow: int) -> None:
    theirs, ours = series(*EDITS, context=min(wide, 2)), series(*(EDITS[at] for at in sorted(kept)), context=narrow)
    found = kinship.compare(theirs, ours)
    assert [pair.theirs.number - 1 for pair in found.pairs if pair.fate is Fate.SAME and pair.theirs] == sorted(kept)
    assert found.count(Fate.MISSING) == 4 - len(kept)
    assert found.count(Fate.EXTRA) == 0
    back = kinship.compare(ours, theirs)
    assert back.count(Fate.MISSING) == 0
    assert back.count(Fate.EXTRA) == 4 - len(kept)


def test_a_large_series_is_compared_through_its_equal_hunks() -> None:
    def patch(*, lacks: int, changes: int) -> list[Patch]:
        hunks = (
            b"@@ -%d +%d @@\n-int f%d;\n+int f%d = %d;\n" % (9 * at, 9 * at, at, at, at == changes)
            for at in range(1, 701)
            if at != lacks
        )
        return list(parse_series(b"--- a/x.c\n+++ b/x.c\n" + b"".join(hunks)))

    found = kinship.compare(patch(lacks=0, changes=0), patch(lacks=301, changes=401))
    assert [
        (pair.fate.value, pair.theirs.number) for pair in found.having(Fate.ADAPTED, Fate.MISSING) if pair.theirs
    ] == [
        ("missing", 301),
        ("adapted", 401),
    ]


PATCHES = {
    "one": unified(SHOP, edited(*EDITS)),
    "two files": unified(SHOP, edited(*EDITS)) + unified(SHOP, edited(FIND), "lib/b.c"),
    "new": b"diff --git a/n.c b/n.c\nnew file mode 100755\nindex 0000000..1111111\n"
    b"--- /dev/null\n+++ b/n.c\n@@ -0,0 +1 @@\n+x y\n",
    "gone": b"diff --git a/n.c b/n.c\ndeleted file mode 100644\nindex 1111111..0000000\n"
    b"--- a/n.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x y\n",
    "mode": b"diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n",
    "space": b'diff --git "a/a b\\303\\244.c" "b/a b\\303\\244.c"\n'
    b'--- "a/a b\\303\\244.c"\n+++ "b/a b\\303\\244.c"\n@@ -1 +1 @@\n-x\n+y\n',
    "no newline": unified(b"a\nb", b"a\nc"),
}


@pytest.mark.parametrize("name", PATCHES)
def test_the_patch_id_is_gits(name: str) -> None:
    done = subprocess.run(["git", "patch-id", "--stable"], input=PATCHES[name], capture_output=True, check=True)
    assert lineage.patch_id(parse_series(PATCHES[name])[0].files) == done.stdout.split()[0].decode()


def test_a_hunks_key_outlives_place_context_and_white_space() -> None:
    old = b"\n\n/* older */\n" + SHOP.replace(b"    ", b"\t")
    ours = series(
        *(tuple(part.replace(b"    ", b"\t") for part in edit) for edit in EDITS), text=old, path="x/y.c", context=0
    )
    assert lineage.of(ours).hunk_keys == lineage.of(THEIRS).hunk_keys
    assert lineage.of(THEIRS).share_in(lineage.of(ours)) == 1.0
    assert lineage.of(THEIRS).share_in(lineage.of(series(FIND, ADAPTED, TAKE, CLOSE))) == 0.75
    assert lineage.of(()).share_in(lineage.of(ours)) == 0.0


def test_a_hunk_without_a_word_has_no_key() -> None:
    bare = parse_series(unified(b"a\n}\n", b"a\n}\n\n}\n"))
    assert lineage.of(bare).hunk_keys == ()
    hunk = THEIRS[0].files[0].hunks[0]
    assert lineage.hunk_key(replace(hunk, old_start=9, new_start=9)) == lineage.hunk_key(hunk) != ""


def test_hostile_series_are_compared_in_bounded_work() -> None:
    """Ten thousand equal hunks, or files without their like: work that grows by the square would take minutes."""
    equal = b"".join(b"@@ -%d +%d @@\n-a b\n+a c\n" % (at, at) for at in range(1, 9_000))
    one, other = (list(parse_series(b"--- a/x.c\n+++ b/x.c\n" + data)) for data in (equal, equal[:-26]))
    assert kinship.compare(one, other).pairs
    made = b"--- a/%s%d\n+++ b/%s%d\n@@ -1 +1 @@\n-a\n+b\n"
    sides = (b"".join(made % (side, at, side, at) for at in range(3_000)) for side in (b"x", b"y"))
    assert kinship.compare(*(list(parse_series(side)) for side in sides)).pairs
