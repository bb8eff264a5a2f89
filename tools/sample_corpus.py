"""Picks 150 rows of a corpus and says what kind of backport each is; the cases of tests/bench are made after them.

usage: sample_corpus.py CORPUS.tsv GITDIR > tests/data/corpus/sample.tsv

The kind is told from the maintainers' change beside the source's, line by line: the same lines in a
file that did not change (`same`), that git apply takes (`offset`), that a merge takes (`merge`) or
neither (`drift`); the same but for white space (`space`), for one-to-one names (`rename`), with lines
left out (`dropped`) or more of them (`extra`); or otherwise, by the share of lines that were changed
(`adapted`, under a quarter; `reworked`, under six tenths; `rewritten`).
"""

from __future__ import annotations

import os
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backports.settings")

import pygit2  # noqa: E402

from backports.bench.ladder_corpus import Row, nearest, read_rows  # noqa: E402
from backports.bench.ladder_peers import CHERRY_PICK, GIT_APPLY, PeerRunner  # noqa: E402
from backports.git.store import open_repository  # noqa: E402

ROWS, SEED = 150, 2011
FEW, MANY = 0.25, 0.6
WORD = re.compile(rb"\w+")
Lines = Counter[tuple[bytes, bytes]]


def changed_lines(commit: pygit2.Commit) -> tuple[Lines, set[str], int]:
    """The `-` and `+` lines of a commit, the paths, and the number of hunks."""
    diff = commit.parents[0].tree.diff_to_tree(commit.tree)
    lines: Lines = Counter()
    paths, hunks = set(), 0
    for patch in filter(None, diff):
        paths.add(patch.delta.new_file.path)
        for hunk in patch.hunks:
            hunks += 1
            lines.update((line.origin.encode(), line.raw_content) for line in hunk.lines if line.origin in "+-")
    return lines, paths, hunks


def kind_of(theirs: Lines, ours: Lines, row: Row, peers: PeerRunner, repo: pygit2.Repository) -> str:
    if theirs == ours:
        return placed(row, peers, repo)
    if squeezed(theirs) == squeezed(ours):
        return "space"
    if is_rename(theirs, ours):
        return "rename"
    if ours < theirs:
        return "dropped"
    if ours > theirs:
        return "extra"
    share = 1 - (theirs & ours).total() / max(theirs.total(), ours.total())
    return "adapted" if share < FEW else "reworked" if share < MANY else "rewritten"


def placed(row: Row, peers: PeerRunner, repo: pygit2.Repository) -> str:
    source = repo[row.task.sources[0]].peel(pygit2.Commit)
    target = repo[row.task.target].peel(pygit2.Commit)
    deltas = list(source.parents[0].tree.diff_to_tree(source.tree).deltas)
    if all(path in target.tree and target.tree[path].id == oid for path, oid in map(old_side, deltas)):
        return "same"
    answers = peers.run(row.task)
    return "offset" if answers[GIT_APPLY].files else "merge" if answers[CHERRY_PICK].files else "drift"


def old_side(delta: pygit2.DiffDelta) -> tuple[str, pygit2.Oid]:
    return delta.old_file.path, delta.old_file.id


def squeezed(lines: Lines) -> Lines:
    found: Lines = Counter()
    for (tag, text), count in lines.items():
        found[tag, b"".join(text.split())] += count
    return found


def is_rename(theirs: Lines, ours: Lines) -> bool:
    """Whether a one-to-one map of words turns the one into the other."""
    left, right = sorted((theirs - ours).elements()), sorted((ours - theirs).elements())
    names: dict[bytes, bytes] = {}
    for (tag, a), (other, b) in zip(left, right, strict=False):
        if tag != other or WORD.sub(b"", a) != WORD.sub(b"", b):
            return False
        for old, new in zip(WORD.findall(a), WORD.findall(b), strict=False):
            if names.setdefault(old, new) != new:
                return False
    return len(left) == len(right)


def main() -> None:
    corpus, path = Path(sys.argv[1]), Path(sys.argv[2])
    repo = open_repository(path)
    rows = [row for row in nearest(read_rows(corpus)) if len(row.task.sources) == 1]
    with tempfile.TemporaryDirectory() as scratch:
        write_sample(rows, repo, PeerRunner(path, [GIT_APPLY, CHERRY_PICK], Path(scratch)))


def write_sample(rows: list[Row], repo: pygit2.Repository, peers: PeerRunner) -> None:
    print("source", "target", "expected", "branch", "gap", "kind", "moved", "files", "hunks", sep="\t")
    chosen = random.Random(SEED).sample(rows, ROWS)  # noqa: S311 - a sample, not a secret
    for row in sorted(chosen, key=lambda row: row.expected):
        theirs, paths, hunks = changed_lines(repo[row.task.sources[0]].peel(pygit2.Commit))
        ours, landed, _ = changed_lines(repo[row.expected].peel(pygit2.Commit))
        kind, moved = kind_of(theirs, ours, row, peers, repo), int(bool(landed - paths))
        print(row.source, row.task.target, row.expected, row.branch, row.gap, kind, moved, len(paths), hunks, sep="\t")


if __name__ == "__main__":
    main()
