"""Result repositories: commits without a checkout, on borrowed objects."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from backports.engine.diff import Patch, parse_series
from backports.engine.ladder import apply_series
from backports.engine.result import Change, Outcome, PatchResult, SeriesResult
from backports.git import results
from backports.git.errors import GitError
from backports.git.mirror import create_mirror
from backports.git.patches import format_patch
from backports.git.results import commit_series, open_results
from backports.git.runner import run_git
from backports.git.tree import GitTree

REF = "refs/attempts/1"


@pytest.fixture
def mirrored(project, tmp_path: Path):
    """A project with a mirror at `project.mirror` and a first commit at `project.base`."""
    project.base = project.commit(
        "first",
        {"a.c": b"1\n2\n3\n", "run.sh": b"x\n", "deep/er/one.c": b"1\n", "deep/er/two.c": b"2\n", "deep.c": b"d\n"},
        modes={"run.sh": 0o100755},
    )
    project.mirror = tmp_path / "git" / "mirror.git"
    create_mirror(str(project.path), project.mirror)
    return project


@pytest.fixture
def repo(mirrored, tmp_path: Path):
    return open_results(tmp_path / "rooms" / "7.git", mirrored.mirror)


def patch(subject: str = "x86: check", **more) -> Patch:
    values = {
        "author": "Ünal One <one@example.org>",
        "date": "Tue, 12 Jun 2012 11:33:40 +0200",
        "body": "Because.\n\nSigned-off-by: One <one@example.org>\n",
        "trailers": (("Signed-off-by", "One <one@example.org>"),),
    }
    return Patch(files=(), subject=subject, **(values | more))


def series(*patches: tuple[Patch, dict[str, Change]], outcome: Outcome = Outcome.APPLIED) -> SeriesResult:
    return SeriesResult(outcome, tuple(PatchResult(one, outcome, (), changes) for one, changes in patches))


def files(repo, tip: str) -> dict[str, bytes]:
    names = run_git(["ls-tree", "-r", "-z", "--name-only", tip], git_dir=repo.path).decode("utf-8", "surrogateescape")
    tree = GitTree(repo, tip)
    return {name: tree.read(name).data for name in names.split("\0") if name}


def test_a_result_borrows_what_the_mirror_has(repo, mirrored) -> None:
    tip = commit_series(repo, mirrored.base, series((patch(), {"a.c": Change(b"1\n2\nthree\n")})), REF)
    assert repo[tip].parent_ids == [repo[mirrored.base].id]
    assert run_git(["rev-parse", REF], git_dir=repo.path).decode().strip() == tip
    assert run_git(["count-objects"], git_dir=repo.path).startswith(b"3 objects")
    assert run_git(["diff", "--numstat", f"{tip}^", tip], git_dir=repo.path) == b"1\t1\ta.c\n"
    run_git(["fsck", "--strict", "--no-dangling"], git_dir=repo.path)


def test_the_mirror_never_gets_the_result(repo, mirrored) -> None:
    tip = commit_series(repo, mirrored.base, series((patch(), {"a.c": Change(b"secret\n")})), REF)
    with pytest.raises(GitError) as caught:
        run_git(["cat-file", "-t", tip], git_dir=mirrored.mirror)
    assert caught.value.code in {"git-failed", "no-such-commit"}


def test_author_date_and_message_are_the_fixes(repo, mirrored) -> None:
    tip = commit_series(repo, mirrored.base, series((patch(), {"a.c": Change(b"x\n")})), REF, note="(backported)")
    commit = repo[tip]
    assert (commit.author.name, commit.author.email) == ("Ünal One", "one@example.org")
    assert (commit.author.time, commit.author.offset) == (1339493620, 120)
    assert (commit.committer.name, commit.committer.time) == ("Xen backports", 1339493620)
    assert commit.message == "x86: check\n\nBecause.\n\nSigned-off-by: One <one@example.org>\n(backported)\n"


def test_the_same_input_gives_the_same_commit(repo, mirrored, tmp_path: Path) -> None:
    other = open_results(tmp_path / "rooms" / "8.git", mirrored.mirror)
    same = series((patch(), {"a.c": Change(b"x\n")}), (patch("two"), {"a.c": Change(b"y\n")}))
    assert commit_series(repo, mirrored.base, same, REF) == commit_series(other, mirrored.base, same, "refs/heads/z")


def test_each_patch_that_changed_something_is_a_commit(repo, mirrored) -> None:
    steps = series(
        (patch("one"), {"a.c": Change(b"1\n")}), (patch("none"), {}), (patch("two"), {"b.c": Change(b"2\n")})
    )
    tip = commit_series(repo, mirrored.base, steps, REF)
    subjects = run_git(["log", "--format=%s", f"{mirrored.base}..{tip}"], git_dir=repo.path)
    assert subjects == b"two\none\n"
    assert files(repo, tip)["b.c"] == b"2\n"


def test_a_result_that_changed_nothing_is_the_base(repo, mirrored) -> None:
    assert commit_series(repo, mirrored.base, series((patch(), {})), REF) == mirrored.base


def test_folders_modes_deletes_and_renames(repo, mirrored) -> None:
    changes = {
        "deep/er/one.c": Change(None),
        "deep/er/two.c": Change(None),
        "new/dir/run": Change(b"r\n", 0o100755),
        "link": Change(b"a.c", 0o120000),
        "a.c": Change(None),
        "b.c": Change(b"1\n2\n3\n"),
    }
    tip = commit_series(repo, mirrored.base, series((patch(), changes)), REF)
    listed = run_git(["ls-tree", "-r", tip], git_dir=repo.path).decode().splitlines()
    assert [(line.split()[0], line.split("\t")[1]) for line in listed] == [
        ("100644", "b.c"),
        ("100644", "deep.c"),
        ("120000", "link"),
        ("100755", "new/dir/run"),
        ("100755", "run.sh"),
    ]
    shown = run_git(["diff", "-M", "--name-status", f"{tip}^", tip], git_dir=repo.path)
    assert b"R100\ta.c\tb.c\n" in shown
    run_git(["fsck", "--strict", "--no-dangling"], git_dir=repo.path)


def test_a_folder_sorts_as_if_it_ended_in_a_slash(repo, mirrored) -> None:
    changes = {name: Change(b"x\n") for name in ("deep-er", "deep0", "deep/zz", "deep.a")}
    tip = commit_series(repo, mirrored.base, series((patch(), changes)), REF)
    run_git(["fsck", "--strict", "--no-dangling"], git_dir=repo.path)
    assert set(changes) <= set(files(repo, tip))


def test_a_tree_that_becomes_empty_is_git_s_empty_tree(repo, mirrored) -> None:
    gone = {name: Change(None) for name in files(repo, mirrored.base)}
    tip = commit_series(repo, mirrored.base, series((patch(), gone)), REF)
    assert str(repo[tip].tree.id) == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_a_file_takes_the_place_of_a_folder_that_the_patch_empties(repo, mirrored) -> None:
    changes = {"deep/er/one.c": Change(None), "deep/er/two.c": Change(None), "deep/er": Change(b"now a file\n")}
    with pytest.raises(GitError) as caught:
        commit_series(repo, mirrored.base, series((patch(), {"deep/er": Change(b"a file\n")})), REF)
    assert caught.value.code == "path-in-the-way"
    tip = commit_series(repo, mirrored.base, series((patch(), changes)), REF)
    assert files(repo, tip)["deep/er"] == b"now a file\n"


def test_a_folder_takes_the_place_of_a_file_that_the_patch_deletes(repo, mirrored) -> None:
    with pytest.raises(GitError) as caught:
        commit_series(repo, mirrored.base, series((patch(), {"a.c/in": Change(b"x\n")})), REF)
    assert caught.value.code == "path-in-the-way"
    tip = commit_series(repo, mirrored.base, series((patch(), {"a.c": Change(None), "a.c/in": Change(b"x\n")})), REF)
    assert files(repo, tip)["a.c/in"] == b"x\n"


def test_names_and_modes_that_the_patch_does_not_touch_stay_as_they_are(repo, mirrored) -> None:
    blob = repo.create_blob(b"x\n")
    raw = b"100664 caf\xe9\0" + blob.raw
    who = b"One <one@example.org> 1 +0000"
    tree = str(repo.write(2, raw)).encode()
    base = str(repo.write(1, b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (tree, who, who)))
    tip = commit_series(repo, base, series((patch(), {"caf\udcea": Change(b"y\n")})), REF)
    assert repo[tip].tree.read_raw() == raw + b"100644 caf\xea\0" + repo.create_blob(b"y\n").raw


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", ".git/config", "a/.GIT/hooks/x", "a//b", "", "a\0b"])
def test_a_path_that_leaves_the_tree_is_never_written(repo, mirrored, path: str) -> None:
    with pytest.raises(GitError) as caught:
        commit_series(repo, mirrored.base, series((patch(), {path: Change(b"x\n")})), REF)
    assert caught.value.code == "unsafe-path"


@pytest.mark.parametrize(
    "ref", ["master", "refs/", "refs/a..b", "refs/heads/a b", "-x", "refs/heads/x.lock", "HEAD", ""]
)
def test_a_ref_that_git_does_not_allow_is_refused(repo, mirrored, ref: str) -> None:
    with pytest.raises(GitError) as caught:
        commit_series(repo, mirrored.base, series((patch(), {"a.c": Change(b"x\n")})), ref)
    assert caught.value.code == "bad-ref"


def test_a_base_that_is_not_there_is_refused(repo) -> None:
    with pytest.raises(GitError) as caught:
        commit_series(repo, "f" * 40, series((patch(), {})), REF)
    assert caught.value.code == "no-such-commit"


@pytest.mark.parametrize(
    ("author", "date", "expected"),
    [
        ("", "", ("Unknown author", "unknown@localhost", 1_300_003_600)),
        ("one@example.org", "never", ("Unknown author", "unknown@localhost", 1_300_003_600)),
        ("<one@example.org>", "1 Jan 1960 00:00:00 +0000", ("one@example.org", "one@example.org", 1_300_003_600)),
        ('"One, E." <one@example.org>', "Thu, 01 Jan 1970 00:00:10 -0000", ("One, E.", "one@example.org", 10)),
        ("E\nvil\0 <a\nb@example.org>", "", ("Evil", "ab@example.org", 1_300_003_600)),
    ],
)
def test_odd_authors_and_dates_still_make_a_sound_commit(repo, mirrored, author, date, expected) -> None:
    tip = commit_series(repo, mirrored.base, series((patch(author=author, date=date), {"a.c": Change(b"x\n")})), REF)
    who = repo[tip].author
    assert (who.name, who.email, who.time) == expected
    run_git(["fsck", "--strict", "--no-dangling"], git_dir=repo.path)


def test_a_message_of_raw_bytes_is_kept_and_says_its_encoding(repo, mirrored) -> None:
    odd = patch(body="caf\udce9\n", trailers=())
    tip = commit_series(repo, mirrored.base, series((odd, {"a.c": Change(b"x\n")})), REF)
    raw = run_git(["cat-file", "commit", tip], git_dir=repo.path)
    assert b"\nencoding ISO-8859-1\n\n" in raw
    assert raw.endswith(b"\n\ncaf\xe9\n")


def test_the_ladders_own_result_becomes_the_commit_that_git_would_make(repo, mirrored) -> None:
    oid = mirrored.commit("x86: check\n\nBecause.\n", {"a.c": b"1\ntwo\n3\n", "deep/er/two.c": None})
    raw = format_patch(mirrored.repo, oid)
    result = apply_series(parse_series(raw), GitTree(repo, mirrored.base))
    tip = commit_series(repo, mirrored.base, result, REF)
    assert result.outcome is Outcome.APPLIED
    assert repo[tip].tree.id == mirrored.repo[oid].tree.id


def test_the_repository_and_its_mirror_can_move_together(repo, mirrored, tmp_path: Path) -> None:
    tip = commit_series(repo, mirrored.base, series((patch(), {"a.c": Change(b"x\n")})), REF)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("git", "rooms"):
        (tmp_path / name).rename(moved / name)
    run_git(["fsck", "--no-dangling"], git_dir=moved / "rooms" / "7.git")
    again = open_results(moved / "rooms" / "7.git", moved / "git" / "mirror.git")
    assert str(again.references[REF].target) == tip


def test_a_way_to_the_mirror_that_broke_is_mended_on_opening(repo, mirrored, tmp_path: Path) -> None:
    alternates = tmp_path / "rooms" / "7.git" / "objects" / "info" / "alternates"
    alternates.write_text("/nowhere\n")
    again = open_results(tmp_path / "rooms" / "7.git", mirrored.mirror)
    assert mirrored.base in again
    assert alternates.read_text() == "../../../git/mirror.git/objects\n"


def test_a_mirror_that_is_gone_is_named_so(repo, mirrored, tmp_path: Path) -> None:
    shutil.rmtree(mirrored.mirror)
    with pytest.raises(GitError) as caught:
        open_results(tmp_path / "rooms" / "7.git", mirrored.mirror)
    assert caught.value.code == "mirror-missing"


def test_a_folder_that_is_no_repository_is_not_written_into(mirrored, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(GitError) as caught:
        open_results(tmp_path / "photos", mirrored.mirror)
    assert caught.value.code == "not-a-repository"
    assert list((tmp_path / "photos").iterdir()) == []


def test_a_killed_workers_lock_does_not_hold_a_ref_for_ever(repo, mirrored) -> None:
    lock = Path(repo.path) / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    one = series((patch(), {"a.c": Change(b"x\n")}))
    with pytest.raises(GitError) as caught:
        commit_series(repo, mirrored.base, one, REF)
    assert caught.value.code == "ref-busy"
    long_ago = time.time() - results.STALE_LOCK_SECONDS - 1
    os.utime(lock, (long_ago, long_ago))
    tip = commit_series(repo, mirrored.base, one, REF)
    assert str(repo.references[REF].target) == tip


def test_two_workers_make_one_repository(mirrored, tmp_path: Path) -> None:
    made: list[str] = []

    def work(number: int) -> None:
        own = open_results(tmp_path / "rooms" / "9.git", mirrored.mirror)
        change = {"a.c": Change(b"%d\n" % number)}
        made.append(commit_series(own, mirrored.base, series((patch(), change)), f"refs/attempts/{number}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refs = run_git(["for-each-ref", "--format=%(objectname)"], git_dir=tmp_path / "rooms" / "9.git").decode().split()
    assert sorted(refs) == sorted(made)
    assert len(made) == 8
    assert [path.name for path in (tmp_path / "rooms").iterdir()] == ["9.git"]
