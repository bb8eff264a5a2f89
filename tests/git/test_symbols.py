"""The index of identifiers, on trees of our own."""

from __future__ import annotations

import os
import re
import time

import pytest

from backports.git.errors import GitError
from backports.git.store import open_repository
from backports.git.symbols import INDEX_NAME, MAX_FOLDERS, SymbolIndex, in_reach

HEADER = b"struct lamp { int watts; };\nint lamp_on(struct lamp *l, int level);\n"
SOURCE = b'#include "lamp.h"\nstatic int dim(int n)\n{\n    return n; /* flicker */\n}\n'


def first(project) -> str:
    files = {
        "lib/include/lamp.h": HEADER,
        "lib/lamp.c": SOURCE,
        "other/bulb.h": b"int bulb;\n",
        "lib/notes.txt": b"glow",
    }
    return project.commit("Add lamps", files)


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_headers_declare_and_what_any_file_holds(project, tmp_path, on_disk: bool) -> None:
    index = SymbolIndex(tmp_path / "index" if on_disk else None)
    symbols = index.of(open_repository(project.path), first(project))
    asked = [b"lamp_on", b"lamp_on/2", b"lamp_on/3", b"dim", b"flicker", b"glow", b"bulb"]
    assert symbols.declared(asked, "lib/lamp.c") == {b"lamp_on", b"lamp_on/2"}
    assert symbols.present(asked, "lib/lamp.c") == {b"lamp_on", b"lamp_on/2", b"dim"}
    assert symbols.present(asked, "other/x.c") == {b"bulb"}
    assert symbols.present([], "lib/lamp.c") == frozenset()


@pytest.mark.parametrize("on_disk", [True, False])
def test_files_that_hold_a_name_near_ones_first(project, tmp_path, on_disk: bool) -> None:
    more = {"lib/b/dimmer.c": b"int dim(int n);\n", "other/x.c": b"int dim;\n", "lib/a.c": b"int dimmed; /* dims */\n"}
    first(project)
    tip = project.commit("Add dimmers", more)
    index = SymbolIndex(tmp_path / "index" if on_disk else None)
    symbols = index.of(open_repository(project.path), tip)
    assert list(symbols.holding(b"dim", "lib/b/new.c")) == ["lib/b/dimmer.c", "lib/lamp.c"]
    assert list(symbols.holding(b"dim", "lib/new.c")) == ["lib/lamp.c", "lib/b/dimmer.c"]
    assert list(symbols.holding(b"bright", "lib/lamp.c")) == []


def test_a_name_that_is_used_all_over_is_looked_for_in_no_file(project) -> None:
    files = {f"lib/part{n}/{n}.c": b"int far_%d = common;\n" % n for n in range(MAX_FOLDERS + 1)}
    symbols = SymbolIndex().of(open_repository(project.path), project.commit("Add parts", files))
    assert list(symbols.holding(b"common", "lib/part3/3.c")) == []
    assert list(symbols.holding(b"far_7", "lib/part3/3.c")) == ["lib/part7/7.c"]


def test_a_blob_is_read_once_whatever_tree_holds_it(project, tmp_path) -> None:
    old = first(project)
    new = project.commit("Add a switch", {"lib/include/switch.h": b"int flip(void);\n"})
    repo = open_repository(project.path)
    assert SymbolIndex(tmp_path).fill(repo, old) == 3
    assert SymbolIndex(tmp_path).fill(repo, old) == 0
    later = SymbolIndex(tmp_path)
    assert later.fill(repo, new) == 1
    assert later.of(repo, new).declared([b"flip"], "lib/lamp.c") == {b"flip"}
    assert later.of(repo, old).declared([b"flip"], "lib/lamp.c") == frozenset()


def test_the_index_holds_no_text(project, tmp_path) -> None:
    SymbolIndex(tmp_path).fill(open_repository(project.path), first(project))
    assert b"lamp" not in (tmp_path / INDEX_NAME).read_bytes()


TANGLED = b"""/* flicker (amber) */
#define GLOW(a, b) ((a)->watts.peak + (b))
struct lamp { int watts, lux; struct { int peak; } deep; };
static void dim(struct lamp *l, int n) { if (n) l->deep.peak = lone.shade(n); printk("%pv %d lamp_off\\n", l); }
"""
ASSEMBLER = b".macro save reg, where\n  mov \\reg, \\where\n.endm\n  save %rax, 8\n"


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_tree_that_was_never_read_in_answers_as_one_that_was(project, tmp_path, on_disk: bool) -> None:
    tip = project.commit("Add a tangle", {"lib/tangle.c": TANGLED, "lib/save.S": ASSEMBLER, "lib/lamp.h": HEADER})
    repo = open_repository(project.path)
    filled, glanced = (SymbolIndex(tmp_path / name if on_disk else None) for name in ("filled", "glanced"))
    assert filled.fill(repo, tip) == 3
    words = set(re.findall(rb"\w+", TANGLED + ASSEMBLER + HEADER))
    asked = [
        form % word for word in words for form in (b"%s", b".%s", b"%s/1", b"%s/2", b"@%s/2", b".deep.%s", b"%%%s")
    ]
    one, other = filled.of(repo, tip), glanced.of(repo, tip)
    assert other.present(asked, "lib/new.c") == one.present(asked, "lib/new.c")
    assert {b"GLOW/2", b".deep.peak", b".shade", b"%pv", b"@save/2", b"dim"} <= one.present(asked, "lib/new.c")
    assert not {b"if", b"amber", b"shade", b"lamp_off"} & one.present(asked, "lib/new.c")
    assert other.declared(asked, "lib/new.c") == one.declared(asked, "lib/new.c")
    assert [list(other.holding(word, "lib/x.c")) for word in words] == [
        list(one.holding(word, "lib/x.c")) for word in words
    ]


def test_asking_writes_nothing_into_the_index(project, tmp_path) -> None:
    index = SymbolIndex(tmp_path)
    repo, tip = open_repository(project.path), first(project)
    assert index.of(repo, tip).present([b"dim"], "lib/lamp.c") == {b"dim"}
    assert SymbolIndex(tmp_path).fill(repo, tip) == 3


def test_a_file_that_is_no_index_is_told(project, tmp_path) -> None:
    (tmp_path / INDEX_NAME).write_bytes(b"no database, only text, over and over\n" * 100)
    with pytest.raises(GitError) as told:
        SymbolIndex(tmp_path).fill(open_repository(project.path), first(project))
    assert told.value.code == "broken-index"


def test_a_member_that_a_structure_declares_and_nothing_uses_is_there(project) -> None:
    index = SymbolIndex()
    body = (
        b"struct lamp {\n    int watts, *lux;\n    union { char shade[4]; } u;\n    int (*lit)(int n);\n};\nint glow;\n"
    )
    symbols = index.of(open_repository(project.path), project.commit("Add lamps", {"lib/lamp.h": body}))
    asked = [b".watts", b".lux", b".shade", b".u", b".lit", b".glow", b".lamp"]
    assert symbols.present(asked, "lib/x.c") == {b".watts", b".lux", b".shade", b".u", b".lit"}


def test_a_name_is_found_in_near_and_in_far_folders(project) -> None:
    files = {f"lib/part{n}/{n}.c": b"int far_%d(void);\n" % n for n in range(60)}
    symbols = SymbolIndex().of(open_repository(project.path), project.commit("Add parts", files))
    assert symbols.present([b"far_%d" % n for n in range(61)], "lib/part3/3.c") == {b"far_%d" % n for n in range(60)}


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [
        ("xen/include/xen", "xen/arch/x86/mm.c", True),
        ("xen/include/asm-x86", "xen/arch/x86/mm.c", True),
        ("xen/include/asm-x86/hvm", "xen/arch/arm/mm.c", False),
        ("xen/arch/arm", "xen/arch/x86/mm.c", False),
        ("xen/arch/arm/arm64", "xen/common/page.c", True),
        ("xen/include/asm-generic", "xen/arch/x86/mm.c", True),
        ("tools/libxl", "xen/common/page.c", False),
        ("xen/include/public/hvm", "tools/libxl/libxl.c", True),
    ],
)
def test_reach(folder: str, path: str, expected: bool) -> None:
    assert in_reach(folder, path) is expected


@pytest.mark.xen
def test_a_real_tree_is_asked_in_milliseconds(tmp_path) -> None:
    repo = open_repository(os.environ["XEN_GIT"])
    symbols = SymbolIndex(tmp_path).of(repo, "refs/heads/stable-4.17")
    symbols.present([b"no_such_name_anywhere"], "xen/common/memory.c")
    start = time.process_time()
    for number in range(20):
        assert not symbols.present([b"no_such_name_%d" % number], "xen/common/memory.c")
    assert (time.process_time() - start) / 20 < 0.01
    assert symbols.declared([b"get_page", b"xfree/1"], "xen/common/memory.c") == {b"get_page", b"xfree/1"}
