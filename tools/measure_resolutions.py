"""How often a maintainer's answer to a conflict on one branch answers the conflict on the next older one.

    python tools/measure_resolutions.py CORPUS.tsv[.gz] GITDIR [--parity even|odd]

Each fix of master is tried on its branches, newest first. Where it leaves conflicts, they are asked of what was
learned from the maintainers' own commits on the newer branches; then what this branch's commit says is learned too.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pygit2

from backports.engine.conflicts import Conflict, conflicts, learn, partial_file, settled
from backports.engine.diff import parse_series
from backports.engine.errors import EngineError
from backports.engine.ladder import apply_series
from backports.engine.resolutions import Answer, Memory, offer
from backports.engine.result import Outcome
from backports.git.patches import format_patch
from backports.git.store import commit_at, open_repository
from backports.git.tree import GitTree, diff_lines

Row = Mapping[str, str]


def rows_by_source(path: Path, parity: str) -> Iterable[list[Row]]:
    """The rows of master's fixes, one list a fix, newest branch first; fixes with one row are left out."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        first = row["xsa"].replace("-", "0").split(",")[0]
        if row["from"] == "master" and parity in ("both", ("even", "odd")[int(first) % 2]):
            groups[row["source"]].append(row)
    for group in groups.values():
        if len(group) > 1:
            yield sorted(group, key=lambda row: -int(row["branch"].partition(".")[2]))


class Measure:
    """Counts over all rows; what was learned is kept from one row to the next."""

    def __init__(self, repo: pygit2.Repository) -> None:
        self.repo, self.memory, self.counts = repo, Memory(), Counter[str]()

    def run(self, row: Row) -> None:
        """One row: try, ask, compare with what the maintainers did, learn."""
        sources = row["source"].split(",")
        patches = [patch for oid in sources for patch in parse_series(format_patch(self.repo, oid))]
        base = str(commit_at(self.repo, sources[0]).parents[0].id)
        tree, expected = GitTree(self.repo, row["target"], base_treeish=base), GitTree(self.repo, row["expected"])
        result = apply_series(patches, tree, differ=diff_lines)
        self.counts["rows"] += 1
        if result.outcome not in (Outcome.PARTLY_APPLIED, Outcome.CONFLICT):
            return
        self.counts["rows with rejects"] += 1
        left = conflicts(result, tree, diff_lines)
        self.counts["rows whose rejects are all chunks"] += left.whole
        paths = {one.path for one in left.found}
        partial = {path: data for path in paths if (data := partial_file(result, tree, path)) is not None}
        finished = {path: blob.data for path in paths if (blob := expected.read(path)) is not None}
        self.ask(left.found, left.whole, partial, finished)

    def ask(
        self, found: tuple[Conflict, ...], whole: bool, partial: Mapping[str, bytes], finished: Mapping[str, bytes]
    ) -> None:
        """Offers answers, then learns."""
        asked = [one for one in found if not one.clean]
        truth = learn(asked, partial, finished, diff_lines)
        said = {id(one): resolution.answer for one, resolution in truth.resolutions}
        offers = {id(one): offer(one.chunk, self.memory) for one in asked}
        for one in asked:
            self.count(offers[id(one)], said.get(id(one)))
        self.counts.update(f"not learned: {one.code}" for one in truth.untold)
        if whole and all(offers[id(one)] for one in asked):
            self.counts["rows with an answer to everything"] += 1
            self.counts["… equal to the maintainers' files"] += self.equal(found, offers, partial, finished)
        for _, resolution in truth.resolutions:
            self.memory.add(resolution)

    def count(self, answer: Answer | None, truth: tuple[bytes, ...] | None) -> None:
        """One chunk."""
        self.counts["chunks"] += 1
        self.counts["chunks learned"] += truth is not None
        if answer is None:
            return
        kind = "exact" if answer.exact else "loose"
        self.counts[f"chunks answered ({kind})"] += 1
        if truth is not None:
            self.counts[f"… of which the maintainers' answer is clear ({kind})"] += 1
            self.counts[f"… and equal ({kind})"] += truth == answer.lines
        self.counts["answered with rivals"] += answer.rivals > 0

    def equal(
        self,
        found: Iterable[Conflict],
        offers: Mapping[int, Answer | None],
        partial: Mapping[str, bytes],
        finished: Mapping[str, bytes],
    ) -> bool:
        """Whether the files with all answers in place are the maintainers'."""
        by_path: dict[str, list[tuple[Conflict, tuple[bytes, ...]]]] = defaultdict(list)
        for one in found:
            answer = offers.get(id(one))
            by_path[one.path].append((one, answer.lines if answer else one.chunk.theirs))
        return all(settled(partial[path], answers) == finished.get(path) for path, answers in by_path.items())


def main() -> None:
    """Prints the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--parity", choices=("even", "odd", "both"), default="both")
    options = parser.parse_args()
    measure = Measure(open_repository(options.repository))
    for group in rows_by_source(options.corpus, options.parity):
        for row in group:
            try:
                measure.run(row)
            except EngineError as error:
                measure.counts[f"refused: {error.code}"] += 1
    for name, count in measure.counts.items():
        sys.stdout.write(f"{count:6}  {name}\n")


if __name__ == "__main__":
    main()
