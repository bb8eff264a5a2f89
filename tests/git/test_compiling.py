"""Two builds of a small C project in a real sandbox, with the system's compiler."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

import pygit2
import pytest

from backports.engine.diagnostics import Diagnostic
from backports.git.compiling import Compiled, Recipe, State, clear_leftovers, compile_change
from backports.git.errors import GitError
from backports.git.sandbox import Limits

WHO = pygit2.Signature("Security Engineer One", "one@example.org", 1_300_000_000, 60)
HEADER = b"struct quay { int berths; };\nint moor(struct quay *quay, int berth);\n"
MOOR = b"""#include "quay.h"

int moor(struct quay *quay, int berth)
{
    int unused;

    return quay->berths - berth;
}
"""
MAIN = b'#include "quay.h"\n\nint main(void)\n{\n    struct quay quay = { 4 };\n\n    return moor(&quay, 4);\n}\n'
MAKEFILE = b"""all: quay
quay: main.o moor.o
\t$(CC) -o $@ $^
%.o: %.c quay.h
\t$(CC) -Wall -c -o $@ $<
"""
TREE = {"quay.h": HEADER, "src/moor.c": MOOR, "src/main.c": MAIN, "Makefile": MAKEFILE}
FLAT = {path.rpartition("/")[2]: data for path, data in TREE.items()}
BUILD = Recipe("make -s CC=gcc", Limits(seconds=120))
Files = Mapping[str, bytes]


@pytest.fixture
def store(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "quay.git"), bare=True)


def commit(repo: pygit2.Repository, files: Files, links: Mapping[str, str] | None = None) -> str:
    index = pygit2.Index()
    for path, data in files.items():
        index.add(pygit2.IndexEntry(path, repo.create_blob(data), 0o100644))
    for path, to in (links or {}).items():
        index.add(pygit2.IndexEntry(path, repo.create_blob(to.encode()), 0o120000))
    return str(repo.create_commit(None, WHO, WHO, "quay\n", index.write_tree(repo), []))


def compiled(repo: pygit2.Repository, tmp_path: Path, before: Files, after: Files, recipe: Recipe = BUILD) -> Compiled:
    oids = [commit(repo, files) for files in (before, after)]
    found = compile_change(Path(repo.path), *oids, recipe, tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []
    return found


def test_a_change_that_compiles_is_clean_beside_old_warnings(store: pygit2.Repository, tmp_path: Path) -> None:
    fixed = MOOR.replace(b"    return", b"    if ( berth > quay->berths )\n        return -1;\n    return")
    found = compiled(store, tmp_path, FLAT, {**FLAT, "moor.c": fixed})
    assert (found.state, found.found, found.code) == (State.CLEAN, (), "")


def test_a_name_that_nobody_declares_is_an_error_of_its_line(store: pygit2.Repository, tmp_path: Path) -> None:
    wrong = MOOR.replace(b"quay->berths - berth", b"quay->berths_free - berth")
    found = compiled(store, tmp_path, FLAT, {**FLAT, "moor.c": wrong})
    assert (found.state, found.ended_well) == (State.NEW, False)
    [one] = [one for one in found.found if one.kind == "error"]
    assert (one.path, one.line) == (b"moor.c", 7)
    assert b"berths_free" in one.message


def test_a_new_warning_counts_and_one_that_moved_does_not(store: pygit2.Repository, tmp_path: Path) -> None:
    wrong = MOOR.replace(b"    int unused;\n", b"    int first;\n\n    int unused;\n")
    found = compiled(store, tmp_path, FLAT, {**FLAT, "moor.c": wrong})
    assert found.ended_well
    assert [(one.line, one.kind) for one in found.found] == [(5, "warning")]
    assert b"first" in found.found[0].message


def test_a_function_that_is_nowhere_is_found_by_the_linker(store: pygit2.Repository, tmp_path: Path) -> None:
    wrong = MOOR.replace(b"int moor", b"int cast_off(int);\nint moor", 1).replace(b"- berth", b"- cast_off(berth)")
    found = compiled(store, tmp_path, FLAT, {**FLAT, "moor.c": wrong})
    assert any(b"undefined reference" in one.message and b"cast_off" in one.message for one in found.found)


def test_a_build_that_fails_without_the_patch_says_nothing_about_it(store: pygit2.Repository, tmp_path: Path) -> None:
    broken = {**FLAT, "main.c": MAIN.replace(b"moor(", b"moor_all(;")}
    found = compiled(store, tmp_path, broken, {**broken, "moor.c": b"nonsense\n"})
    assert (found.state, found.code, found.found) == (State.FAILED_BEFORE, "fails-already", ())
    assert "exit status 2" in found.reason
    assert b"main.c" in found.last


def test_a_build_that_takes_too_long_is_no_answer(store: pygit2.Repository, tmp_path: Path) -> None:
    slow = Recipe("sleep 60", Limits(seconds=0.5))
    found = compiled(store, tmp_path, FLAT, {**FLAT, "new.c": b"int x;\n"}, slow)
    assert (found.state, found.code) == (State.NOT_RUN, "too-slow")
    late = Recipe("if test -e new.c; then sleep 60; fi", Limits(seconds=0.5))
    found = compiled(store, tmp_path, FLAT, {**FLAT, "new.c": b"int x;\n"}, late)
    assert (found.state, found.code) == (State.NOT_RUN, "too-slow")


def test_more_output_than_can_be_compared_is_no_answer(store: pygit2.Repository, tmp_path: Path) -> None:
    found = compiled(store, tmp_path, FLAT, FLAT, Recipe("yes | head -c 5000", Limits(output=1000)))
    assert (found.state, found.code) == (State.NOT_RUN, "too-much-output")


def test_a_command_is_told_the_sources_that_each_tree_has(store: pygit2.Repository, tmp_path: Path) -> None:
    changed = {**FLAT, "moor.c": MOOR + b"\n", "quay.h": HEADER + b"\n", "new.c": b"int new_x;\n", "a b.c": b"int y;\n"}
    del changed["main.c"]
    recipe = Recipe(
        'for f in $TOUCHED; do echo "$f:1: warning: $(test -e $f && echo there)"; done; ls | grep "a b"; true'
    )
    found = compiled(store, tmp_path, FLAT, changed, recipe)
    assert found.found == (Diagnostic(b"new.c", 1, "warning", b"there"),)
    assert found.state is State.NEW


def test_files_that_the_patch_adds_deletes_and_moves_are_so_in_the_tree(
    store: pygit2.Repository, tmp_path: Path
) -> None:
    after = {**{path: data for path, data in TREE.items() if path != "quay.h"}, "include/deep/quay.h": HEADER}
    recipe = Recipe('find . -type f | sort | sed "s/$/:1: warning: here/"; touch src/moor.o')
    found = compiled(store, tmp_path, TREE, after, recipe)
    assert [one.path for one in found.found] == [b"include/deep/quay.h", b"src/moor.o"]


def test_a_link_that_the_first_build_leaves_leads_nothing_out(store: pygit2.Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    recipe = Recipe(f"test -h src || {{ rm -rf src; ln -s {outside} src; }}")
    oids = [commit(store, TREE), commit(store, {**TREE, "src/moor.c": b"int leaked;\n", "src/new.c": b"int leaked;\n"})]
    try:
        compile_change(Path(store.path), *oids, recipe, tmp_path / "scratch")
    except GitError as error:
        assert error.code == "not-unpacked"
    assert list(outside.iterdir()) == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_closed_folders_and_links_of_a_build_are_removed_and_nothing_behind_them(
    store: pygit2.Repository, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")
    recipe = Recipe(f"mkdir -p a/b && ln -s {tmp_path} a/b/out && ln -s {kept} a/kept && chmod 000 a/b a || true")
    compiled(store, tmp_path, FLAT, {**FLAT, "moor.c": MOOR + b"\n"}, recipe)
    assert kept.read_text() == "kept"


def test_a_link_in_the_tree_itself_is_laid_out_as_it_is(store: pygit2.Repository, tmp_path: Path) -> None:
    oids = [commit(store, FLAT, {"config": "/etc/passwd"}), commit(store, {**FLAT, "moor.c": MOOR + b"\n"})]
    found = compile_change(Path(store.path), *oids, Recipe("test -e config && exit 9; true"), tmp_path / "scratch")
    assert found.state is State.CLEAN


def test_what_a_killed_worker_left_is_cleared_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    for name in ("tree-left", "tree-used"):
        (tmp_path / name / "tree").mkdir(parents=True)
        (tmp_path / name / "tree" / "secret.c").write_text("int secret;\n")
    handle = os.open(tmp_path / "tree-used", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert clear_leftovers(tmp_path) == 1
    finally:
        os.close(handle)
    assert [path.name for path in tmp_path.iterdir()] == ["tree-used"]


def test_a_commit_that_is_not_there_is_told(store: pygit2.Repository, tmp_path: Path) -> None:
    with pytest.raises(GitError) as told:
        compile_change(Path(store.path), commit(store, FLAT), "1" * 40, BUILD, tmp_path / "scratch")
    assert told.value.code == "no-such-commit"
