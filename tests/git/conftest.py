"""Small repositories, made commit by commit, with names and dates of our own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pygit2
import pytest

NO_CLONE = "tests marked xen are deselected: XEN_GIT names no clone"
START = 1_300_000_000
AUTHOR = ("Security Engineer One", "one@example.org")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not os.environ.get("XEN_GIT"):
        terminalreporter.write_line(NO_CLONE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("XEN_GIT"):
        return
    real = [item for item in items if item.get_closest_marker("xen")]
    if real:
        items[:] = [item for item in items if item not in real]
        config.hook.pytest_deselected(items=real)


class Project:
    """A bare repository that grows by commits; each one is an hour after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repo = pygit2.init_repository(str(path), bare=True, initial_head="master")
        self.files: dict[str, dict[str, bytes]] = {}
        self.hours = 0

    def commit(
        self,
        message: str | bytes,
        changes: Mapping[str, bytes | None] | None = None,
        *,
        branch: str = "master",
        author: tuple[str, str] = AUTHOR,
        modes: Mapping[str, int] | None = None,
    ) -> str:
        """Commits the changes (None deletes) on a branch; answers the oid."""
        ref = f"refs/heads/{branch}"
        parents = [self.repo.references[ref].target] if ref in self.repo.references else []
        self.hours += 1
        wanted = changes if changes is not None else {"count": b"%d\n" % self.hours}
        index = pygit2.Index()
        if parents:
            index.read_tree(self.repo[parents[0]].tree)
        for path, data in wanted.items():
            if data is None:
                index.remove(path)
            else:
                mode = (modes or {}).get(path, 0o100644)
                index.add(pygit2.IndexEntry(path, self.repo.create_blob(data), mode))
        who = pygit2.Signature(*author, START + 3600 * self.hours, 60)
        tree = index.write_tree(self.repo)
        if isinstance(message, str):
            return str(self.repo.create_commit(ref, who, who, message, tree, parents))
        return self._raw_commit(ref, message, tree, parents, who)

    def _raw_commit(
        self, ref: str, message: bytes, tree: pygit2.Oid, parents: list[pygit2.Oid], who: pygit2.Signature
    ) -> str:
        name = f"{who.name} <{who.email}> {who.time} +0100".encode()
        lines = [b"tree %s" % str(tree).encode(), *(b"parent %s" % str(oid).encode() for oid in parents)]
        raw = b"\n".join([*lines, b"author " + name, b"committer " + name]) + b"\n\n" + message
        oid = self.repo.write(pygit2.enums.ObjectType.COMMIT, raw)
        self.repo.references.create(ref, oid, force=True)
        return str(oid)

    def branch(self, name: str, at: str) -> None:
        self.repo.references.create(f"refs/heads/{name}", at)

    def tag(self, name: str, at: str) -> None:
        self.repo.references.create(f"refs/tags/{name}", at)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path / "project.git")


@pytest.fixture
def new_project(tmp_path: Path) -> Callable[[str], Project]:
    """Makes an empty project of a given name."""
    return lambda name: Project(tmp_path / name)
