"""The 150 cases as a repository and a corpus, made once a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2
import pytest

from backports.bench.ladder_corpus import Row, Task
from tests.bench import cases

WHO = pygit2.Signature("Security Engineer One", "one@example.org", 1_300_000_000, 60)


@dataclass(frozen=True)
class Bench:
    """A bare repository that holds the answers too, and the rows that ask for them."""

    path: Path
    rows: Sequence[Row]
    cases: Sequence[cases.Case]

    def write_corpus(self, path: Path) -> Path:
        head = "source\ttarget\texpected\tbranch\tfrom\tgap\txsa\n"
        lines = [
            f"{row.source}\t{row.task.target}\t{row.expected}\t{row.branch}\t-\t{row.gap}\t-\n" for row in self.rows
        ]
        path.write_text(head + "".join(lines))
        return path


def commit(repo: pygit2.Repository, files: Mapping[str, bytes], parents: Sequence[str], message: str) -> str:
    """A commit whose tree is exactly these files; no ref points at it."""
    index = pygit2.Index()
    for path, data in files.items():
        index.add(pygit2.IndexEntry(path, repo.create_blob(data), 0o100644))
    tree = index.write_tree(repo)
    return str(repo.create_commit(None, WHO, WHO, message, tree, list(parents)))


def commit_case(repo: pygit2.Repository, case: cases.Case) -> Row:
    """The case's four commits; the branch starts anew, so that it has nothing of the source behind it."""
    base = commit(repo, case.base, [], "Keep the harbour\n")
    source = commit(repo, case.source, [base], "Mend the harbour\n")
    target = commit(repo, case.target, [], "Keep the old harbour\n")
    expected = commit(repo, case.expected, [target], "Mend the old harbour\n")
    return Row(Task((source,), target), expected, "4.12", case.shape.gap)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    path = tmp_path_factory.mktemp("bench") / "harbour.git"
    repo = pygit2.init_repository(str(path), bare=True)
    made = list(cases.all_cases())
    return Bench(path, [commit_case(repo, case) for case in made], made)
