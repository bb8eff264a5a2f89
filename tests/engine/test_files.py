"""What a diff does to a file as a whole: made, deleted, renamed, copied, its mode, its place in the tree."""

from __future__ import annotations

import pytest

from backports.engine.result import Confidence, Outcome, Rung
from backports.engine.series import blob_oid
from backports.engine.tree import EXECUTABLE, SYMLINK
from tests.engine.helpers import FIXED, SHOP, DictTree, after, apply, unified

PLAIN = unified(SHOP, FIXED, index=False)
PATCH = unified(SHOP, FIXED)
NEW = (
    b"diff --git a/lib/new.c b/lib/new.c\nnew file mode 100755\nindex 0000000..1234567\n"
    b"--- /dev/null\n+++ b/lib/new.c\n@@ -0,0 +1,2 @@\n+int a;\n+int b;\n"
)
GONE = (
    b"diff --git a/lib/old.c b/lib/old.c\ndeleted file mode 100644\nindex 1234567..0000000\n"
    b"--- a/lib/old.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-int a;\n-int b;\n"
)
RENAME = b"diff --git a/lib/shop.c b/lib/store.c\nsimilarity index 90%\nrename from lib/shop.c\nrename to lib/store.c\n"
RENAME_AND_EDIT = RENAME + PATCH.split(b"100644\n", 1)[1].replace(b"+++ b/lib/shop.c", b"+++ b/lib/store.c")
MODE = b"diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n"
BINARY = (
    b"diff --git a/logo.png b/logo.png\nindex 1234567..89abcde 100644\nBinary files a/logo.png and b/logo.png differ\n"
)


def code(result) -> str:
    return result.patches[0].files[0].code


def changed(result) -> dict[str, bytes | None]:
    return {path: change.data for patch in result.patches for path, change in patch.changes.items()}


def test_new_file_with_its_mode() -> None:
    result = apply(NEW, DictTree({}))
    change = result.patches[0].changes["lib/new.c"]
    assert (change.data, change.mode, result.outcome) == (b"int a;\nint b;\n", EXECUTABLE, Outcome.APPLIED)


def test_new_file_that_is_there_with_the_same_content() -> None:
    assert apply(NEW, DictTree({"lib/new.c": b"int a;\nint b;\n"})).outcome is Outcome.ALREADY_APPLIED


def test_new_file_that_is_there_with_other_content() -> None:
    result = apply(NEW, DictTree({"lib/new.c": b"int z;\n"}))
    assert (result.outcome, code(result), changed(result)) == (Outcome.CONFLICT, "exists-already", {})


def test_deleted_file() -> None:
    result = apply(GONE, DictTree({"lib/old.c": b"int a;\nint b;\n"}))
    assert (result.outcome, changed(result)) == (Outcome.APPLIED, {"lib/old.c": None})


def test_deleted_file_that_the_target_changed() -> None:
    result = apply(GONE, DictTree({"lib/old.c": b"int a;\nint b;\nint mine;\n"}))
    assert (result.outcome, code(result), changed(result)) == (Outcome.CONFLICT, "changed-before-delete", {})


def test_deleted_file_that_is_gone() -> None:
    assert apply(GONE, DictTree({})).outcome is Outcome.ALREADY_APPLIED


def test_rename_with_edit() -> None:
    result = apply(RENAME_AND_EDIT, DictTree({"lib/shop.c": SHOP}))
    assert changed(result) == {"lib/shop.c": None, "lib/store.c": FIXED}
    assert result.confidence is Confidence.HIGH


def test_rename_only_and_rename_that_was_done() -> None:
    assert changed(apply(RENAME, DictTree({"lib/shop.c": SHOP}))) == {"lib/shop.c": None, "lib/store.c": SHOP}
    assert apply(RENAME, DictTree({"lib/store.c": SHOP})).outcome is Outcome.ALREADY_APPLIED


def test_edit_of_a_file_that_has_its_new_name_already() -> None:
    result = apply(RENAME_AND_EDIT, DictTree({"lib/store.c": SHOP}))
    assert changed(result) == {"lib/store.c": FIXED}
    assert "new name" in result.reasons[0]


def test_rename_onto_a_file_that_is_there() -> None:
    result = apply(RENAME, DictTree({"lib/shop.c": SHOP, "lib/store.c": b"other\n"}))
    assert (result.outcome, code(result)) == (Outcome.CONFLICT, "exists-already")


def test_copy() -> None:
    copy = RENAME.replace(b"rename ", b"copy ")
    assert changed(apply(copy, DictTree({"lib/shop.c": SHOP}))) == {"lib/store.c": SHOP}
    assert apply(copy, DictTree({"lib/shop.c": SHOP, "lib/store.c": SHOP})).outcome is Outcome.ALREADY_APPLIED


def test_mode_change() -> None:
    result = apply(MODE, DictTree({"run.sh": b"true\n"}))
    assert result.patches[0].changes["run.sh"].mode == EXECUTABLE
    assert apply(MODE, DictTree({"run.sh": b"true\n"}, modes={"run.sh": EXECUTABLE})).outcome is Outcome.ALREADY_APPLIED


def test_edit_keeps_the_targets_own_mode() -> None:
    result = apply(PATCH, DictTree({"lib/shop.c": SHOP}, modes={"lib/shop.c": EXECUTABLE}))
    assert result.patches[0].changes["lib/shop.c"].mode == EXECUTABLE


def test_binary_file_is_a_conflict_with_a_code() -> None:
    result = apply(BINARY, DictTree({"logo.png": b"\x00\x01"}))
    assert (result.outcome, code(result)) == (Outcome.CONFLICT, "binary-file")


def test_nothing_is_written_through_a_link() -> None:
    result = apply(PLAIN, DictTree({"lib/shop.c": SHOP}, modes={"lib/shop.c": SYMLINK}))
    assert (result.outcome, code(result), changed(result)) == (Outcome.CONFLICT, "not-a-file", {})


def test_file_that_is_nowhere() -> None:
    result = apply(PLAIN, DictTree({"other.c": b"x\n"}))
    assert (result.outcome, code(result)) == (Outcome.CONFLICT, "file-not-found")
    assert result.patches[0].files[0].hunks[0].rejection.code == "file-not-found"


@pytest.mark.parametrize(("content", "doubts"), [(SHOP, 0), (b"/* top */\n" + SHOP, 1)])
def test_moved_file_is_noted_and_told_unless_it_is_the_very_file(content: bytes, doubts: int) -> None:
    tree = DictTree({"src/shop.c": content}, store=[SHOP], moves={"lib/shop.c": ["src/shop.c"]})
    result = apply(PATCH, tree)
    assert list(changed(result)) == ["src/shop.c"]
    assert len(result.patches[0].files[0].doubts) == doubts
    assert "lib/shop.c is src/shop.c in this tree" in result.reasons[0]


def test_the_very_blob_that_the_patch_leaves_is_already_applied() -> None:
    result = apply(PATCH, DictTree({"lib/shop.c": FIXED}))
    assert blob_oid(FIXED) in PATCH.decode()
    assert (result.outcome, result.rung) == (Outcome.ALREADY_APPLIED, Rung.ALREADY_APPLIED)


def test_empty_file_is_filled() -> None:
    patch = b"diff --git a/e b/e\nindex e69de29..1234567 100644\n--- a/e\n+++ b/e\n@@ -0,0 +1 @@\n+x\n"
    assert after(apply(patch, DictTree({"e": b""})), "e") == b"x\n"
