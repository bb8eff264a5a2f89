"""The commit that a bare patch file was made on."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from backports.engine.diff import Patch, parse_series
from backports.engine.result import Rung
from backports.git.bases import Base, How, find_base, with_base
from backports.git.errors import GitError
from backports.git.patches import format_patch
from backports.git.store import open_repository
from backports.git.tree import GitTree
from backports.services.trying import try_patches

LINES = [b"int f%d(int n)\n{\n    return g(n + %d);\n}\n\n" % (n, n) for n in range(12)]
FILE = b"".join(LINES)


def edited(data: bytes, number: int, text: bytes = b"    if ( n < 0 )\n        return 0;\n") -> bytes:
    """`data` with something more in one of its functions."""
    line = b"    return g(n + %d);\n" % number
    assert data.count(line) == 1
    return data.replace(line, text + line)


def read(project, oid: str) -> tuple[Patch, ...]:
    return parse_series(format_patch(open_repository(project.path), oid))


def without_ids(patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    """As quilt and plain diff write them."""
    bare = (tuple(replace(file, old_oid=None, new_oid=None) for file in patch.files) for patch in patches)
    return tuple(replace(patch, files=files) for patch, files in zip(patches, bare, strict=True))


def aside(project, base: str, changes: dict[str, bytes]) -> tuple[Patch, ...]:
    """A patch on `base` whose commit no branch has."""
    project.branch("aside", base)
    oid = project.commit("mend", changes, branch="aside")
    found = read(project, oid)
    project.repo.references.delete("refs/heads/aside")
    return found


def found(project, patches: tuple[Patch, ...], **candidates: str) -> Base | None:
    return find_base(open_repository(project.path), patches, candidates)


def test_ids_name_the_newest_commit_with_those_very_files(project) -> None:
    project.commit("one", {"a.c": FILE, "b.c": FILE})
    project.commit("two", {"b.c": edited(FILE, 3)})
    base = project.commit("three", {"docs": b"x\n"})
    patches = aside(project, base, {"a.c": edited(FILE, 5), "b.c": edited(edited(FILE, 3), 7)})
    tip = project.commit("four", {"a.c": edited(FILE, 9)})
    base_found = found(project, patches, master=tip)
    assert base_found is not None
    assert (base_found.oid, base_found.how) == (base, How.INDEX)
    assert base[:12] in base_found.sentence


def test_ids_of_two_files_that_never_stood_together_tell_nothing_and_fit_decides(project) -> None:
    first = project.commit("one", {"a.c": FILE, "b.c": FILE})
    (one,) = aside(project, first, {"a.c": edited(FILE, 5)})
    second = project.commit("two", {"a.c": edited(FILE, 1), "b.c": edited(FILE, 1)})
    (two,) = aside(project, second, {"b.c": edited(edited(FILE, 1), 5)})
    mixed = (replace(one, files=one.files + two.files),)
    assert found(project, mixed, master=second) is None


def test_a_blob_that_nobody_has_does_not_hide_what_the_others_tell(project) -> None:
    base = project.commit("one", {"a.c": FILE, "b.c": FILE})
    (patch,) = aside(project, base, {"a.c": edited(FILE, 5), "b.c": edited(FILE, 5)})
    local = replace(patch.files[1], old_oid="ab" * 20)
    tip = project.commit("two", {"a.c": edited(FILE, 9)})
    base_found = found(project, (replace(patch, files=(patch.files[0], local)),), master=tip)
    assert base_found is not None
    assert (base_found.oid, base_found.how) == (base, How.INDEX)


def test_an_abbreviated_id_counts(project) -> None:
    base = project.commit("one", {"a.c": FILE})
    (patch,) = aside(project, base, {"a.c": edited(FILE, 5)})
    tip = project.commit("two", {"a.c": edited(FILE, 9)})
    short = replace(patch.files[0], old_oid=(patch.files[0].old_oid or "")[:9])
    base_found = found(project, (replace(patch, files=(short,)),), master=tip)
    assert base_found is not None
    assert base_found.oid == base


def test_a_commit_that_makes_the_same_change_gives_its_parent(project) -> None:
    base = project.commit("one", {"a.c": FILE})
    fix = project.commit("mend", {"a.c": edited(FILE, 5)})
    tip = project.commit("two", {"a.c": edited(edited(FILE, 5), 9)})
    base_found = found(project, without_ids(read(project, fix)), master=tip)
    assert base_found is not None
    assert (base_found.oid, base_found.how) == (base, How.COMMIT)


def test_of_two_commits_with_the_same_change_the_one_counts_whose_lines_are_in_place(project) -> None:
    old = project.commit("one", {"a.c": FILE})
    project.branch("stable-4.1", old)
    base = project.commit("two", {"a.c": b"/* a */\n" * 4 + FILE})
    fix = project.commit("mend", {"a.c": edited(b"/* a */\n" * 4 + FILE, 5)})
    picked = project.commit("mend", {"a.c": edited(FILE, 5)}, branch="stable-4.1")
    base_found = found(project, without_ids(read(project, fix)), **{"4.1": picked, "master": fix})
    assert base_found is not None
    assert base_found.oid == base


def test_without_ids_and_without_such_a_commit_the_best_fit_is_taken(project) -> None:
    project.commit("one", {"a.c": FILE})
    base = project.commit("two", {"a.c": b"/* a */\n" * 4 + FILE})
    patches = aside(project, base, {"a.c": edited(b"/* a */\n" * 4 + FILE, 5)})
    tip = project.commit("three", {"a.c": b"/* a */\n" * 9 + FILE})
    base_found = found(project, without_ids(patches), master=tip)
    assert base_found is not None
    assert (base_found.oid, base_found.how) == (base, How.FIT)
    assert "1 of 1 hunks" in base_found.sentence


def test_the_likeliest_candidate_wins_among_equals(project) -> None:
    first = project.commit("one", {"a.c": FILE})
    patches = aside(project, first, {"a.c": edited(FILE, 5)})
    tip = project.commit("two", {"docs": b"x\n"})
    base_found = found(project, without_ids(patches), master=tip, old=first)
    assert base_found is not None
    assert base_found.oid == tip


def test_what_fits_nowhere_has_no_base(project) -> None:
    first = project.commit("one", {"a.c": FILE})
    strange = aside(project, first, {"a.c": edited(FILE, 5)})
    project.branch("other", first)
    project.repo.references.delete("refs/heads/master")
    tip = project.commit("begin anew", {"a.c": b"int main(void);\n"})
    assert found(project, without_ids(strange), master=tip) is None


def test_a_patch_of_new_files_alone_has_no_base(project) -> None:
    first = project.commit("one", {"a.c": FILE})
    assert found(project, aside(project, first, {"new.c": FILE}), master=first) is None


def test_a_series_is_judged_by_what_it_touches_first(project) -> None:
    base = project.commit("one", {"a.c": FILE})
    project.branch("aside", base)
    one = project.commit("first", {"a.c": edited(FILE, 5)}, branch="aside")
    two = project.commit("second", {"a.c": edited(edited(FILE, 5), 7)}, branch="aside")
    series = read(project, one) + read(project, two)
    project.repo.references.delete("refs/heads/aside")
    tip = project.commit("two", {"a.c": edited(FILE, 9)})
    base_found = found(project, series, master=tip)
    assert base_found is not None
    assert base_found.oid == base


def test_a_candidate_that_is_not_there_is_an_error(project) -> None:
    first = project.commit("one", {"a.c": FILE})
    with pytest.raises(GitError, match="no commit"):
        found(project, aside(project, first, {"a.c": edited(FILE, 5)}), master="ab" * 20)


def test_a_base_that_was_found_makes_a_three_way_merge_of_what_needed_fuzz(project) -> None:
    base = project.commit("one", {"a.c": FILE})
    patches = without_ids(aside(project, base, {"a.c": edited(FILE, 5)}))
    drifted = project.commit("two", {"a.c": re.sub(rb"int f5\(int n\)\n\{", b"long f5(int m)\n{", FILE)})
    repo = open_repository(project.path)
    bare = try_patches("bare", patches, GitTree(repo, drifted)).result
    based = try_patches("based", with_base(repo, patches, base), GitTree(repo, drifted)).result
    assert bare is not None
    assert based is not None
    assert (bare.rung, based.rung) == (Rung.FUZZ, Rung.THREE_WAY)


def test_a_file_whose_hunks_do_not_stand_in_the_base_gets_no_id(project) -> None:
    base = project.commit("one", {"a.c": FILE})
    patches = without_ids(aside(project, base, {"a.c": edited(FILE, 5)}))
    other = project.commit("two", {"a.c": b"/* a */\n" + FILE})
    (patch,) = with_base(open_repository(project.path), patches, other)
    assert patch.files[0].old_oid is None
