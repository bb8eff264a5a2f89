"""Trees as the ladder reads them."""

from __future__ import annotations

import difflib
import itertools
import random

import pytest

from backports.engine import locate
from backports.engine.tree import EXECUTABLE, REGULAR, SUBMODULE, SYMLINK, Blob, Edit
from backports.git.errors import GitError
from backports.git.store import open_repository
from backports.git.tree import GitTree, diff_lines

CODE = b"".join(b"int function_%d(void) { return %d; }\n" % (n, n) for n in range(60))
OTHER = b"".join(b"static long other_%d = %d;\n" % (n, n) for n in range(60))


def tree_of(project, oid: str, **options) -> GitTree:
    return GitTree(open_repository(project.path), oid, **options)


def test_a_file_is_read_with_its_oid_mode_and_bytes(project) -> None:
    oid = project.commit("x", {"a/run.sh": b"#!/bin/sh\n", "b": b"\xff\x00"}, modes={"a/run.sh": EXECUTABLE})
    tree = tree_of(project, oid)
    run = tree.read("a/run.sh")
    assert run is not None
    assert (run.mode, run.data, len(run.oid)) == (EXECUTABLE, b"#!/bin/sh\n", 40)
    assert tree.read("b") == Blob(tree.read("b").oid, REGULAR, b"\xff\x00")


@pytest.mark.parametrize("path", ["a", "nowhere", "a/nowhere", "a/b.c/inside", "", "/a/b.c", "a//b.c", "../a", "a\0b"])
def test_what_is_no_file_reads_as_none(project, path: str) -> None:
    assert tree_of(project, project.commit("x", {"a/b.c": CODE})).read(path) is None


def test_a_symlink_and_a_submodule_are_read_as_git_stores_them(project) -> None:
    first = project.commit("x", {"link": b"target"}, modes={"link": SYMLINK})
    raw = b"160000 sub\0" + bytes.fromhex(first)
    tree = str(project.repo.write(2, raw))
    assert tree_of(project, first).read("link").mode == SYMLINK
    assert tree_of(project, tree).read("sub") == Blob(first, SUBMODULE, b"Subproject commit %s\n" % first.encode())


def test_a_path_that_is_not_utf8_is_read_by_its_escaped_name(project) -> None:
    blob = project.repo.create_blob(CODE)
    tree = tree_of(project, str(project.repo.write(2, b"100644 caf\xe9.c\0" + blob.raw)))
    assert tree.read(b"caf\xe9.c".decode("utf-8", "surrogateescape")).data == CODE
    assert tree.moved_to("old/gone.c", Blob(str(blob), REGULAR, CODE)) == ("caf\udce9.c",)


def test_a_blob_is_found_by_its_short_name_and_never_by_a_commits(project) -> None:
    oid = project.commit("x", {"a": CODE})
    tree = tree_of(project, oid)
    blob = tree.read("a")
    assert tree.blob(blob.oid[:7]).data == tree.blob(blob.oid).data == CODE
    for odd in (oid, oid[:12], "0" * 40, "0" * 7, blob.oid[:6], "zzzzzzz", "", "f" * 40, blob.oid + "0"):
        assert tree.blob(odd) is None


def test_an_ambiguous_short_name_is_none(project) -> None:
    known: dict[str, bytes] = {}
    for n in range(60_000):
        data = b"%d" % n
        short = locate_oid(data)[:7]
        if short in known:
            break
        known[short] = data
    else:
        pytest.fail("no two blobs begin alike")
    oid = project.commit("x", {"a": known[short], "b": data})
    tree = tree_of(project, oid)
    assert tree.blob(short) is None
    assert tree.blob(tree.read("a").oid).data == known[short]


def locate_oid(data: bytes) -> str:
    import hashlib

    return hashlib.sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()  # noqa: S324 - git's own name for it


def test_an_unknown_commit_is_refused(project) -> None:
    project.commit("x")
    for name in ("f" * 40, "refs/heads/nowhere", "HEAD~1", "master", "-p"):
        with pytest.raises(GitError) as caught:
            tree_of(project, name)
        assert caught.value.code == "no-such-commit"


def test_a_tree_a_ref_and_a_tag_are_as_good_as_a_commit(project) -> None:
    oid = project.commit("x", {"a": CODE})
    project.repo.create_tag("v1", oid, 1, project.repo[oid].author, "tag")
    for name in (oid, str(project.repo[oid].tree.id), "refs/heads/master", "refs/tags/v1"):
        assert tree_of(project, name).read("a").data == CODE


def test_the_same_bytes_elsewhere_come_first(project) -> None:
    oid = project.commit("x", {"new/mm.c": CODE + OTHER, "lib/memory.c": CODE})
    base = Blob(str(project.repo.create_blob(CODE)), REGULAR, CODE)
    assert tree_of(project, oid).moved_to("old/mm.c", base)[0] == "lib/memory.c"


def test_of_two_files_of_one_name_the_likelier_is_chosen(project) -> None:
    arm = CODE.replace(b"int", b"arm")
    x86 = CODE.replace(b"{ return 3;", b"{ return 4;")
    oid = project.commit("x", {"include/asm-arm/page.h": arm, "include/asm-x86/page.h": x86})
    base = Blob("", REGULAR, CODE)
    assert tree_of(project, oid).moved_to("arch/x86/include/asm/page.h", base) == ("include/asm-x86/page.h",)


def test_of_two_equally_like_files_the_path_decides(project) -> None:
    twin = CODE.replace(b"function_7(", b"function_7b(")
    oid = project.commit("x", {"include/asm-arm/page.h": twin, "include/asm-x86/page.h": twin})
    found = tree_of(project, oid).moved_to("arch/x86/include/asm/page.h", Blob("", REGULAR, CODE))
    assert found == ("include/asm-x86/page.h", "include/asm-arm/page.h")


def test_without_a_base_the_words_of_the_path_decide(project) -> None:
    oid = project.commit("x", {"include/asm-arm/page.h": CODE, "include/asm-x86/page.h": OTHER})
    assert tree_of(project, oid).moved_to("arch/x86/include/asm/page.h", None) == ("include/asm-x86/page.h",)


def test_another_file_of_the_same_name_is_no_move(project) -> None:
    oid = project.commit("x", {"tools/Makefile": OTHER})
    assert tree_of(project, oid).moved_to("docs/Makefile", Blob("", REGULAR, CODE)) == ()


def test_another_extension_is_looked_at_when_no_file_has_the_name(project) -> None:
    oid = project.commit("x", {"docs/manual.markdown": CODE, "docs/other.markdown": OTHER})
    assert tree_of(project, oid).moved_to("docs/manual.pandoc", Blob("", REGULAR, CODE + b"one more line\n")) == (
        "docs/manual.markdown",
    )


def test_a_renamed_file_is_followed_when_the_base_tree_is_known(project) -> None:
    before = project.commit("x", {"tools/xc_core.c": CODE, "tools/other.c": OTHER})
    changed = CODE.replace(b"function_5(", b"function_five(")
    after = project.commit("y", {"tools/xc_core.c": None, "lib/dumping.c": changed})
    assert tree_of(project, after, base_treeish=before).moved_to("tools/xc_core.c", None) == ("lib/dumping.c",)
    assert tree_of(project, after).moved_to("tools/xc_core.c", None) == ()


def test_a_file_that_is_not_split_off_yet_is_found_in_the_larger_one(project) -> None:
    oid = project.commit("x", {"arch/traps.c": OTHER + CODE, "arch/mm.c": OTHER})
    assert tree_of(project, oid).moved_to("arch/pv/emulate.c", Blob("", REGULAR, CODE)) == ("arch/traps.c",)


def test_a_file_never_moves_to_itself(project) -> None:
    oid = project.commit("x", {"a/b.c": CODE})
    tree = tree_of(project, oid)
    assert tree.moved_to("a/b.c", tree.read("a/b.c")) == ()


@pytest.mark.parametrize(
    ("old", "new", "edits"),
    [
        (b"", b"", []),
        (b"a\n", b"a\n", []),
        (b"", b"a\nb\n", [Edit(0, 0, 0, 2)]),
        (b"a\nb\n", b"", [Edit(0, 2, 0, 0)]),
        (b"a\nb\n", b"a\nx\nb\n", [Edit(1, 1, 1, 2)]),
        (b"a\nx\nb\n", b"a\nb\n", [Edit(1, 2, 1, 1)]),
        (b"a\nb\nc\nd\n", b"A\nb\nc\nD\n", [Edit(0, 1, 0, 1), Edit(3, 4, 3, 4)]),
        (b"a\nb", b"a\nb\n", [Edit(1, 2, 1, 2)]),
        (b"a\nb\n", b"a\nb", [Edit(1, 2, 1, 2)]),
        (b"a\r\n", b"a\n", [Edit(0, 1, 0, 1)]),
        (b"\x00a\nb\n", b"\x00a\nc\n", [Edit(1, 2, 1, 2)]),
        (b"a\rb\n", b"a\rc\n", [Edit(0, 1, 0, 1)]),
        (b"\xff\n", b"\xfe\n", [Edit(0, 1, 0, 1)]),
    ],
)
def test_edits_are_half_open_and_count_from_nought(old: bytes, new: bytes, edits: list[Edit]) -> None:
    assert diff_lines(old, new) == edits


@pytest.mark.parametrize("differ", [diff_lines, locate.diff_lines])
def test_edits_of_both_differs_rebuild_the_new_text_and_never_touch(differ) -> None:
    rng = random.Random(7)
    for _ in range(300):
        old, new = _random_text(rng), _random_text(rng)
        edits = list(differ(old, new))
        assert _applied(old, new, edits) == new
        for one, two in itertools.pairwise(edits):
            assert one.old_stop < two.old_start
            assert one.new_stop < two.new_start
            assert two.old_start - one.old_stop == two.new_start - one.new_stop


def test_the_differ_finds_no_more_changes_than_the_standard_librarys() -> None:
    rng = random.Random(11)
    ours = theirs = 0
    for _ in range(200):
        old, new = _random_text(rng), _random_text(rng)
        ours += sum(edit.old_stop - edit.old_start + edit.new_stop - edit.new_start for edit in diff_lines(old, new))
        codes = difflib.SequenceMatcher(None, _lines(old), _lines(new), autojunk=False).get_opcodes()
        theirs += sum(b - a + d - c for tag, a, b, c, d in codes if tag != "equal")
    assert ours <= theirs


def _random_text(rng: random.Random) -> bytes:
    lines = [rng.choice([b"a", b"b", b"c", b"{", b"}", b""]) for _ in range(rng.randrange(12))]
    return b"\n".join(lines) + rng.choice([b"", b"\n"])


def _lines(text: bytes) -> list[bytes]:
    return text.splitlines(keepends=True) if b"\r" not in text else text.split(b"\n")


def _applied(old: bytes, new: bytes, edits: list[Edit]) -> bytes:
    before, after, done = _lines(old), _lines(new), 0
    out: list[bytes] = []
    for edit in edits:
        out += before[done : edit.old_start] + after[edit.new_start : edit.new_stop]
        done = edit.old_stop
    return b"".join(out + before[done:])


NEIGHBOURS = {f"arch/lamp/include/{name}.h": b"int %s;\n" % name.encode() for name in ("one", "two", "three", "four")}


def test_a_new_file_belongs_where_the_neighbours_of_its_folder_are(project) -> None:
    older = project.commit(
        "x", {path.replace("arch/lamp/include", "include/lamp"): data for path, data in NEIGHBOURS.items()}
    )
    newer = project.commit(
        "y", {**NEIGHBOURS, **dict.fromkeys(f"include/lamp/{name}.h" for name in ("one", "two", "three", "four"))}
    )
    tree = tree_of(project, older, base_treeish=newer)
    assert tree.home_of("arch/lamp/include/five.h") == "include/lamp/five.h"
    assert tree.home_of("include/lamp/five.h") == "include/lamp/five.h"
    assert tree_of(project, newer, base_treeish=older).home_of("include/lamp/five.h") == "arch/lamp/include/five.h"


def test_a_folder_that_is_nowhere_is_new(project) -> None:
    base = project.commit("x", {**NEIGHBOURS, "arch/new/one.h": b"1\n", "arch/new/two.h": b"2\n"})
    oid = project.commit("y", {"arch/new/one.h": None, "arch/new/two.h": None})
    assert tree_of(project, oid, base_treeish=base).home_of("arch/new/five.h") == "arch/new/five.h"
    assert tree_of(project, oid).home_of("arch/lost/five.h") == "arch/lost/five.h"


@pytest.mark.parametrize(
    ("held", "path", "home"),
    [
        ("xen/include/asm-x86/a.h", "xen/arch/x86/include/asm/b.h", "xen/include/asm-x86/b.h"),
        ("xen/arch/x86/include/asm/a.h", "xen/include/asm-x86/b.h", "xen/arch/x86/include/asm/b.h"),
        ("xen/arch/x86/include/asm/a.h", "xen/arch/x86/include/asm/b.h", "xen/arch/x86/include/asm/b.h"),
        ("tools/libxl/hvm/a.c", "tools/libs/light/hvm/b.c", "tools/libxl/hvm/b.c"),
        ("xen/include/asm-x86/a.h", "xen/arch/x86/include/asm-more/b.h", "xen/arch/x86/include/asm-more/b.h"),
    ],
)
def test_folders_that_moved_for_good_are_known(project, held: str, path: str, home: str) -> None:
    assert tree_of(project, project.commit("x", {held: CODE})).home_of(path) == home


def test_without_its_base_a_moved_file_is_found_by_the_table(project) -> None:
    tree = tree_of(project, project.commit("x", {"xen/include/asm-x86/a.h": CODE, "tools/a.h": OTHER}))
    assert tree.moved_to("xen/arch/x86/include/asm/a.h", None) == ("xen/include/asm-x86/a.h",)
