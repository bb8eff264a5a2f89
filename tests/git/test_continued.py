"""A source without history: which of upstream's commits it continues, and which commits it so holds."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from backports.git.continued import held_by, source_of
from tests.backports.toy import Toy

FILES = 20
TEXT = "one\n"


def name(at: int) -> str:
    return f"src/f{at}.c"


@pytest.fixture
def upstream(tmp_path: Path) -> tuple[Toy, list[str]]:
    """Twenty files, and five commits that change one of them each."""
    toy = Toy(tmp_path / "upstream.git")
    pygit2.init_repository(str(toy.path), bare=True)
    commits = [toy.commit("refs/heads/stable-4.2", {name(at): f"{TEXT}{at}\n" for at in range(FILES)})]
    commits += [toy.commit("refs/heads/stable-4.2", {name(at): f"{TEXT}fixed {at}\n"}) for at in range(5)]
    return toy, commits


def package(tmp_path: Path, toy: Toy, at: str, *, other: dict[str, str], without: int = 0) -> Toy:
    """The files of a commit as one commit of another repository, some with another text, and some left out."""
    own = Toy(tmp_path / "own.git")
    pygit2.init_repository(str(own.path), bare=True)
    tree = toy.repo.get(at).tree
    files = {name(one): tree[name(one)].data.decode() for one in range(without, FILES)}
    own.commit("refs/heads/stable-4.2", files | other)
    return own


def found(toy: Toy, own: Toy) -> str | None:
    tree = own.repo.get(own.tip("4.2")).tree
    return source_of(toy.repo, toy.tip("4.2"), tree, own.repo)


@pytest.mark.parametrize("at", [0, 3, 5])
def test_the_commit_is_told_by_the_files(upstream: tuple[Toy, list[str]], tmp_path: Path, at: int) -> None:
    toy, commits = upstream
    own = package(tmp_path, toy, commits[at], other={"debian/rules": "all:\n"})
    assert found(toy, own) == commits[at]
    tree = own.repo.get(own.tip("4.2")).tree
    assert held_by(toy.repo, commits[at], tree, commits[1:]) == frozenset(commits[1 : at + 1])


def test_a_commit_whose_file_is_another_one_here_is_not_held(upstream: tuple[Toy, list[str]], tmp_path: Path) -> None:
    toy, commits = upstream
    own = package(tmp_path, toy, commits[3], other={name(1): "ours\n"})
    assert found(toy, own) == commits[3]
    tree = own.repo.get(own.tip("4.2")).tree
    assert held_by(toy.repo, commits[3], tree, commits[1:]) == {commits[1], commits[3]}


def test_what_is_too_far_from_upstream_continues_nothing(upstream: tuple[Toy, list[str]], tmp_path: Path) -> None:
    toy, commits = upstream
    own = package(tmp_path, toy, commits[3], other={name(at): "ours\n" for at in range(10, 14)})
    assert found(toy, own) is None


def test_a_part_of_upstream_alone_continues_nothing(upstream: tuple[Toy, list[str]], tmp_path: Path) -> None:
    toy, commits = upstream
    assert found(toy, package(tmp_path, toy, commits[3], other={}, without=12)) is None
