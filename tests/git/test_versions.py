"""Two versions of a result compared: the change between their files, and the change between their patches."""

from __future__ import annotations

from pathlib import Path

import pytest

from backports.engine.diff import parse_series
from backports.engine.ladder import apply_series
from backports.git import interdiff
from backports.git.errors import GitError
from backports.git.range_diff import between_versions
from backports.git.results import commit_series, open_results
from backports.git.tree import GitTree
from tests.engine.helpers import SHOP, unified

PATH = "lib/shop.c"
CHECK = SHOP.replace(
    b"        return -ENOENT;\n", b"        return -ENOENT;\n    if (count < 0)\n        return -EINVAL;\n"
)
WIDER = CHECK.replace(b"count < 0", b"count <= 0")
FREED = CHECK.replace(b"used = 0;", b"used = 0; free(table);")


class Versions:
    """A base, and results on it."""

    def __init__(self, project, tmp_path: Path) -> None:
        self.project, self.results = project, tmp_path / "results.git"
        self.base = project.commit("base", {PATH: SHOP})
        self.repo = open_results(self.results, project.path)

    def made(self, *texts: bytes) -> str:
        mails = b"".join(
            b"From 0 Mon Sep 17 00:00:00 2001\nFrom: One <one@example.org>\nSubject: [PATCH] change %d\n\n---\n" % at
            + unified(old, new)
            for at, (old, new) in enumerate(zip((SHOP, *texts), texts, strict=False))
        )
        result = apply_series(parse_series(mails), GitTree(self.repo, self.base))
        return commit_series(self.repo, self.base, result, "refs/versions/1")


@pytest.fixture
def versions(project, tmp_path: Path) -> Versions:
    return Versions(project, tmp_path)


def test_the_interdiff_is_what_changed_between_the_files(versions: Versions) -> None:
    one, other = versions.made(CHECK), versions.made(CHECK, WIDER)
    assert (
        parse_series(interdiff.between(versions.repo, one, other))[0].files
        == parse_series(unified(CHECK, WIDER))[0].files
    )
    assert interdiff.between(versions.repo, one, one) == b""


def test_the_range_diff_tells_kept_changed_and_added_patches(versions: Versions) -> None:
    one, other = versions.made(CHECK), versions.made(WIDER, WIDER.replace(b"used = 0;", b"used = 0; free(table);"))
    found = between_versions(versions.project.path, versions.results, (versions.base, one), (versions.base, other))
    assert [one.mark for one in found] == ["!", ">"]
    assert any(b"count <= 0" in line for line in found[0].lines)
    same = between_versions(versions.project.path, versions.results, (versions.base, one), (versions.base, one))
    assert [(one.mark, one.lines) for one in same] == [("=", ())]


def test_versions_that_are_gone_are_told(versions: Versions) -> None:
    gone = "1" * 40
    with pytest.raises(GitError) as caught:
        interdiff.between(versions.repo, versions.base, gone)
    assert caught.value.code == "no-such-commit"
    with pytest.raises(GitError) as caught:
        between_versions(versions.project.path, versions.results, (versions.base, gone), (versions.base, gone))
    assert caught.value.code == "no-such-commit"
