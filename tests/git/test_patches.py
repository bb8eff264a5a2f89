"""Commits as mail-style patches, beside what git itself writes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from backports.engine.diff import FileKind, parse_patch
from backports.git.errors import GitError
from backports.git.patches import author_of, format_patch, format_series
from backports.git.runner import run_git
from backports.git.store import line_between, open_repository

CODE = b"".join(b"int function_%d(void)\n{\n    return %d;\n}\n\n" % (n, n) for n in range(30))
CHANGED = CODE.replace(b"return 7;", b"return 8;")
LONG = "xen/arch: a subject that is so long that it must be folded over more than one line of the mail"


def by_git(project, oid: str) -> bytes:
    options = ["-1", "--stdout", "--full-index", "--binary", "-M", "--no-stat", "-p", "--signature=2.39"]
    return run_git(["format-patch", *options, oid], git_dir=project.path)


def without_the_dashes(patch: bytes) -> bytes:
    return patch.replace(b"\n---\n\ndiff ", b"\n\ndiff ", 1)


def without_the_estimate(patch: bytes) -> bytes:
    """git and libgit2 count likeness in other units."""
    return re.sub(rb"(?m)^similarity index \d+%", b"similarity index", patch)


def ours(project, oid: str) -> bytes:
    return format_patch(open_repository(project.path), oid)


@pytest.mark.parametrize(
    ("message", "author"),
    [
        (
            "x86: check a length\n\nIt was not.\n\nSigned-off-by: One <one@example.org>\n",
            ("Engineer One", "one@example.org"),
        ),
        ("only a subject\n", ("Engineer One", "one@example.org")),
        ("a subject\nover two lines\n\nbody\n\n\nmore\n", ("Engineer One", "one@example.org")),
        (f"{LONG}\n\nbody\n", ("Engineer One", "one@example.org")),
        ("sübject\n\nbödy\n", ("Ünal Öne", "one@example.org")),
        (f"{LONG} — ünd länger\n\nx\n", ("Ünal-Middle Öne", "one-with-a-long-address@security.example.org")),
        ("x\n\nFrom here on.\n", ("One, Engineer (two) [three]", "one@example.org")),
        ('x "quoted" =?y\n\nz\n', ('The "One"', "one@example.org")),
    ],
)
def test_a_patch_is_what_git_writes(project, message: str, author: tuple[str, str]) -> None:
    project.commit("first", {"a.c": CODE})
    oid = project.commit(message, {"a.c": CHANGED}, author=author)
    assert without_the_dashes(ours(project, oid)) == by_git(project, oid)


@pytest.mark.parametrize(
    ("changes", "modes"),
    [
        ({"a.c": CHANGED}, {}),
        ({"b.c": CODE, "a.c": None}, {}),
        ({"b.c": CHANGED, "a.c": None}, {}),
        ({"a.c": CODE}, {"a.c": 0o100755}),
        ({"a.c": CHANGED}, {"a.c": 0o100755}),
        ({"a.c": None}, {}),
        ({"new/deep/er.c": b"1\n"}, {}),
        ({"empty": b""}, {}),
        ({"a.c": CHANGED.rstrip(b"\n")}, {}),
        ({"a.c": CODE.replace(b"\n", b"\r\n")}, {}),
        ({"link": b"a.c"}, {"link": 0o120000}),
        ({"caf\u00e9 und tab\t.c": b"1\n"}, {}),
        ({"latin": b"caf\xe9\n"}, {}),
    ],
)
def test_every_kind_of_change_is_what_git_writes(project, changes, modes) -> None:
    project.commit("first", {"a.c": CODE})
    oid = project.commit("change", changes, modes=modes)
    assert without_the_estimate(without_the_dashes(ours(project, oid))) == without_the_estimate(by_git(project, oid))


def test_a_message_that_is_not_utf8_keeps_its_bytes(project) -> None:
    project.commit("first", {"a.c": CODE})
    oid = project.commit(b"subject\n\ncaf\xe9\n", {"a.c": CHANGED})
    assert b"\ncaf\xe9\n" in ours(project, oid)


def test_index_lines_are_full_and_the_engine_reads_them(project) -> None:
    first = project.commit("first", {"a.c": CODE})
    oid = project.commit("move", {"a.c": None, "b.c": CHANGED})
    patch = parse_patch(ours(project, oid))
    (file,) = patch.files
    assert (file.kind, file.old_path, file.new_path) == (FileKind.RENAME, "a.c", "b.c")
    assert file.old_oid == str(project.repo[first].tree["a.c"].id)
    assert file.new_oid == str(project.repo[oid].tree["b.c"].id)
    assert (patch.subject, patch.author) == ("move", "Security Engineer One <one@example.org>")


def test_a_patch_applies_where_it_came_from(project, tmp_path) -> None:
    first = project.commit("first", {"a.c": CODE, "bin": bytes(range(200))})
    oid = project.commit("change", {"a.c": CHANGED, "bin": bytes(range(255)), "new/x": b"1"})
    run_git(["worktree", "add", "--detach", str(tmp_path / "w"), first], git_dir=project.path)
    work = str(tmp_path / "w")
    run_git(["-C", work, "-c", "user.name=T", "-c", "user.email=t@example.org", "am", "-q"], input=ours(project, oid))
    assert run_git(["-C", work, "rev-parse", "HEAD^{tree}"]) == f"{project.repo[oid].tree.id}\n".encode()


def test_a_series_is_numbered_in_order_and_leaves_the_base_out(project) -> None:
    base = project.commit("first", {"a.c": CODE})
    oids = [project.commit(f"step {n}", {"a.c": CODE + b"%d\n" % n}) for n in range(11)]
    series = format_series(open_repository(project.path), base, oids[-1])
    assert [patch.split(b"\n")[0].split()[1].decode() for patch in series] == oids
    assert b"\nSubject: [PATCH 01/11] step 0\n" in series[0]
    assert b"\nSubject: [PATCH 11/11] step 10\n" in series[10]
    assert format_series(open_repository(project.path), base, base) == []


def test_what_has_no_single_change_is_refused(project) -> None:
    first = project.commit("first")
    second = project.commit("second")
    who, tree = project.repo[second].author, project.repo[second].tree.id
    merge = str(project.repo.create_commit("refs/heads/m", who, who, "merge", tree, [second, first]))
    repo = open_repository(project.path)
    for oid, code in ((merge, "merge-commit"), (first, "root-commit"), ("f" * 40, "no-such-commit")):
        with pytest.raises(GitError) as caught:
            format_patch(repo, oid)
        assert caught.value.code == code
    with pytest.raises(GitError) as caught:
        format_series(repo, second, first)
    assert caught.value.code == "not-a-descendant"


def test_an_author_keeps_the_own_time_zone(project) -> None:
    oid = project.commit("first", author=("Ünal One", "one@example.org"))
    name, mail, date = author_of(open_repository(project.path), oid)
    assert (name, mail, date.utcoffset()) == ("Ünal One", "one@example.org", timedelta(hours=1))
    assert date.timestamp() == 1_300_003_600


def test_a_line_from_parent_to_parent_and_nothing_else(project) -> None:
    first, second, third = (project.commit(subject) for subject in ("first", "second", "third"))
    repo = open_repository(project.path)
    who, tree = repo[second].author, repo[second].tree.id
    merge = str(repo.create_commit("refs/heads/m", who, who, "merge", tree, [second, first]))
    assert [str(commit.id) for commit in line_between(repo, first, third)] == [second, third]
    assert line_between(repo, third, third) == []
    for base, tip, code in (
        (first, merge, "merge-commit"),
        (third, second, "not-a-descendant"),
        ("f" * 40, second, "no-such-commit"),
    ):
        with pytest.raises(GitError) as caught:
            line_between(repo, base, tip)
        assert caught.value.code == code
