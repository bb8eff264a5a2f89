"""Fits the model of `backports.engine.confidence` on real backports whose answer is known.

usage: python tools/fit_confidence.py tests/data/corpus/xen-xsa-dev.tsv.gz --repository GITDIR [--symbols DIR]
           [--gap near|all] [--every N] [--evidence FILE.jsonl] [--write]

Every row is tried as the ladder tries it, and what the result shows is weighed against what the
maintainers committed. The model is logistic with a ridge penalty, by Newton's method, over all rows
that applied; a flag and a doubt are evidence like the rest, so that a result for review has a probability
too. Rows of one advisory stay together: the threshold comes from five-fold predictions grouped by
advisory, on nearest-source rows without a flag or a doubt, as the lowest at which the results above it
are right in the wanted share. It prints that with its reliability (what was found right of what was foretold,
as docs/ladder.md has it), the Brier score and the 95 % bounds of Wilson, the same for advisories that came later than
those it was fitted on, and with --write makes backports/engine/confidence_model.py.
Every fourth row is also tried as a bare patch whose base nobody has, since the page takes such patches too.
--every takes each Nth row only; --evidence keeps what was tried, or reads it when it is there.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backports.bench.ladder_corpus import Row, nearest, read_rows  # noqa: E402
from backports.engine import confidence, meeting  # noqa: E402
from backports.engine.diff import parse_series  # noqa: E402
from backports.engine.errors import EngineError  # noqa: E402
from backports.engine.guards import Symbols, open_case  # noqa: E402
from backports.engine.ladder import apply_series  # noqa: E402
from backports.engine.result import Outcome, SeriesResult  # noqa: E402
from backports.engine.series import blob_oid  # noqa: E402
from backports.git.patches import format_patch  # noqa: E402
from backports.git.store import open_repository  # noqa: E402
from backports.git.symbols import SymbolIndex  # noqa: E402
from backports.git.tree import GitTree, diff_lines  # noqa: E402

MODEL = ROOT / "backports" / "engine" / "confidence_model.py"
FOLDS = 5
BARE_EVERY = 4
Z = 1.96  # of the 95 % bounds
RIDGE = 2.0
WANTED = 0.984
WORTH_TELLING = 0.25
AGAINST = {"flags", "doubts", "drift", "files", "fuzz", "hunks", "merge-conflict", "moved", "no-base", "other-lines"}
AGAINST |= set(meeting.WAYS)
FOR = {"agrees", "same-file", "symbols"}
BORDERS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 1.01)
TIME_SPLIT = 0.7  # advisories in the order of their numbers: this share is the past


@dataclass(frozen=True)
class Seen:
    """One row: its advisory (0 when it names none), whether it is a nearest source, what the result shows."""

    xsa: int
    near: bool
    outcome: str
    right: bool
    flags: tuple[str, ...]
    evidence: dict[str, float]


def main() -> None:
    options = arguments()
    seen = read(options.evidence) if options.evidence and options.evidence.exists() else kept(options)
    applied = [one for one in seen if one.outcome == "applied"]
    near = [one for one in seen if one.near]
    threshold = report(applied, near)
    weights = fit(applied)
    if options.write:
        MODEL.write_text(source_of(weights, threshold, len(applied)))


def kept(options: argparse.Namespace) -> list[Seen]:
    """Tries the rows, and writes each to the evidence file when one is named."""
    if options.evidence is None:
        return list(look(options))
    seen = []
    with options.evidence.open("w") as stream:
        for one in look(options):
            seen.append(one)
            print(json.dumps(asdict(one)), file=stream, flush=True)
    return seen


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--symbols", type=Path, help="a folder for the index of identifiers; in memory without")
    parser.add_argument("--gap", choices=["near", "all"], default="near", help="which rows (default: nearest source)")
    parser.add_argument("--every", type=int, default=1, help="each Nth row only (default: all)")
    parser.add_argument("--evidence", type=Path)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def look(options: argparse.Namespace) -> Iterator[Seen]:
    rows, advisory = read_rows(options.corpus), advisories(options.corpus)
    near = {row.task for row in nearest(rows)}
    repo, index = open_repository(options.repository), SymbolIndex(options.symbols)
    wanted = [row for row in rows if options.gap == "all" or row.task in near]
    for number, row in enumerate(wanted[:: options.every]):
        xsa = advisory[row.source, row.task.target]
        yield see(row, xsa, repo, index, near=row.task in near)
        if number % BARE_EVERY == 0:
            yield see(row, xsa, repo, index, near=False, bare=True)


def advisories(corpus: Path) -> dict[tuple[str, str], int]:
    """The first advisory number of every row, 0 for none."""
    data = corpus.read_bytes()
    text = (gzip.decompress(data) if corpus.suffix == ".gz" else data).decode()
    return {
        (row["source"], row["target"]): next((int(part) for part in row["xsa"].split(",") if part.isdigit()), 0)
        for row in csv.DictReader(text.splitlines(), delimiter="\t")
    }


class Bare(GitTree):
    """A tree as a bare patch file finds it: the store does not hold what the patch was made on."""

    def blob(self, oid: str) -> None:  # type: ignore[override]  # noqa: ARG002
        return None


def see(row: Row, xsa: int, repo, index: SymbolIndex, *, near: bool, bare: bool = False) -> Seen:  # type: ignore[no-untyped-def]
    sources, target = row.task.sources, row.task.target
    patches = tuple(patch for oid in sources for patch in parse_series(format_patch(repo, oid)))
    base = str(repo[sources[0]].parents[0].tree.id)
    tree = Bare(repo, target) if bare else GitTree(repo, target, base_treeish=base)
    symbols = Symbols(index.of(repo, target), index.of(repo, base))
    try:
        result = apply_series(patches, tree, differ=diff_lines, symbols=symbols)
    except EngineError:
        return Seen(xsa, near, Outcome.ERROR.value, False, (), {})
    if result.outcome is not Outcome.APPLIED:
        return Seen(xsa, near, result.outcome.value, False, (), {})
    shown = confidence.evidence(result, open_case(result, tree, diff_lines, symbols))
    right = is_right(repo, row, result)
    return Seen(xsa, near, result.outcome.value, right, tuple(flag.code for flag in result.flags), dict(shown))


def is_right(repo, row: Row, result: SeriesResult) -> bool:  # type: ignore[no-untyped-def]
    """Whether every path that either side changed has the blob that the maintainers committed."""
    made = {
        path: None if change.data is None else blob_oid(change.data)
        for patch in result.patches
        for path, change in patch.changes.items()
    }
    target, expected = repo[row.task.target].tree, repo[row.expected].tree
    paths = {
        path for delta in target.diff_to_tree(expected).deltas for path in (delta.old_file.path, delta.new_file.path)
    }
    return all(made.get(path, oid(target, path)) == oid(expected, path) for path in paths | set(made))


def oid(tree, path: str) -> str | None:  # type: ignore[no-untyped-def]
    return str(tree[path].id) if path in tree else None


def read(path: Path) -> list[Seen]:
    return [Seen(**{**json.loads(line), "flags": tuple(json.loads(line)["flags"])}) for line in path.open()]


def fit(rows: Sequence[Seen]) -> dict[str, float]:
    """Weights by name, the intercept as "".

    Monotone: evidence whose weight comes out against its meaning is left out, and the rest fitted anew.
    """
    names = ["", *sorted({name for row in rows for name in row.evidence})]
    while True:
        weights = newton(rows, names)
        odd = {
            name for name, weight in weights.items() if (name in AGAINST and weight > 0) or (name in FOR and weight < 0)
        }
        if not odd:
            return weights
        names = [name for name in names if name not in odd]


def newton(rows: Sequence[Seen], names: Sequence[str]) -> dict[str, float]:
    """Newton's method; the ridge spares the intercept."""
    table = [[1.0, *(row.evidence.get(name, 0.0) for name in names[1:])] for row in rows]
    weights = [0.0] * len(names)
    for _ in range(25):
        step = newton_step(table, [row.right for row in rows], weights)
        weights = [weight + change for weight, change in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return dict(zip(names, weights, strict=True))


def newton_step(table: Sequence[Sequence[float]], right: Sequence[bool], weights: Sequence[float]) -> list[float]:
    size = len(weights)
    slope = [-RIDGE * weight if at else 0.0 for at, weight in enumerate(weights)]
    curve = [[(RIDGE if at and at == other else 1e-9) * (at == other) for other in range(size)] for at in range(size)]
    for values, is_so in zip(table, right, strict=True):
        likely = logistic(sum(weight * value for weight, value in zip(weights, values, strict=True)))
        for at, value in enumerate(values):
            if not value:
                continue
            slope[at] += (is_so - likely) * value
            scale = likely * (1 - likely) * value
            row = curve[at]
            for other, second in enumerate(values):
                row[other] += scale * second
    return solve(curve, slope)


def solve(matrix: list[list[float]], right: Sequence[float]) -> list[float]:
    """Gaussian elimination with pivoting."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for at in range(size):
        pivot = max(range(at, size), key=lambda other: abs(rows[other][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for other in range(size):
            if other != at and rows[other][at]:
                factor = rows[other][at] / rows[at][at]
                rows[other] = [value - factor * above for value, above in zip(rows[other], rows[at], strict=True)]
    return [rows[at][size] / rows[at][at] for at in range(size)]


def logistic(total: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def likely(weights: dict[str, float], row: Seen) -> float:
    return logistic(weights[""] + sum(weights.get(name, 0.0) * value for name, value in row.evidence.items()))


def is_sound(row: Seen) -> bool:
    """Whether the result may be `high` at all."""
    return not row.flags and not row.evidence["doubts"]


def report(usable: Sequence[Seen], near: Sequence[Seen]) -> float:
    """Prints how well the model foretells rows that it was not fitted on, and gives the threshold."""
    folded = [
        (likely(weights, row), row)
        for fold in range(FOLDS)
        for weights in [fit([row for row in usable if row.xsa % FOLDS != fold])]
        for row in usable
        if row.xsa % FOLDS == fold
    ]
    scored = [(value, row) for value, row in folded if row.near and is_sound(row)]
    threshold = lowest_threshold(scored)
    print(f"nearest-source rows {len(near)}, applied {sum(row.outcome == 'applied' for row in near)}")
    tell("grouped by advisory", scored, threshold, len(near))
    brier = sum((value - row.right) ** 2 for value, row in folded) / max(1, len(folded))
    print(f"Brier score {brier:.4f} over {len(folded)} rows that applied")
    reliability(folded)
    numbers = sorted({row.xsa for row in near})
    border = numbers[int(len(numbers) * TIME_SPLIT)] if numbers else 0
    past = fit([row for row in usable if row.xsa < border])
    later = [(likely(past, row), row) for row in usable if row.near and is_sound(row) and row.xsa >= border]
    tell(f"fitted before XSA-{border}, tried from there on", later, threshold, sum(row.xsa >= border for row in near))
    flagged(near)
    by_rung(near)
    return threshold


def lowest_threshold(scored: Iterable[tuple[float, Seen]]) -> float:
    """The lowest probability above which at least WANTED of the results are right; 0.5 at the least."""
    best, right = 0.999, 0
    for count, (value, row) in enumerate(sorted(scored, key=lambda pair: -pair[0]), 1):
        right += row.right
        if right >= WANTED * count and value >= 0.5:
            best = value
    return math.floor(best * 1e4) / 1e4


def tell(what: str, scored: Sequence[tuple[float, Seen]], threshold: float, rows: int) -> None:
    high = [row for value, row in scored if value >= threshold]
    right = sum(row.right for row in high)
    share, precision = (100 * len(high) / rows, 100 * right / len(high)) if rows and high else (0.0, 0.0)
    low, top = (100 * bound for bound in wilson(right, len(high)))
    wrong = f"right in {precision:.2f} % ({len(high) - right} wrong; 95 % bounds {low:.1f} to {top:.1f})"
    print(f"{what}: high {share:.1f} % of {rows} rows, {wrong}, at {threshold}")


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % bounds of a share, after Wilson (1927)."""
    if not count:
        return 0.0, 1.0
    share, spread = right / count, Z * Z / count
    middle, half = share + spread / 2, Z * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def reliability(folded: Sequence[tuple[float, Seen]]) -> None:
    """What was found right of what was foretold, as the table of docs/ladder.md."""
    print("\n| foretold | found right | results |\n|---|---|---|")
    for low, high in pairwise(BORDERS):
        inside = [row.right for value, row in folded if low <= value < high]
        words = f"{100 * low:.0f} to {high:.0%}" if high < 1 else f"{low:.0%} and more"
        if inside:
            print(f"| {words} | {sum(inside) / len(inside):.1%} | {len(inside)} |".replace("%", " %"))
    print()


def flagged(near: Sequence[Seen]) -> None:
    for code in sorted({code for row in near for code in row.flags}):
        rows = [row for row in near if code in row.flags]
        print(f"guard {code}: {len(rows)} results, {sum(not row.right for row in rows)} of them not the maintainers'")


def by_rung(near: Sequence[Seen]) -> None:
    """What a person needs to know who thinks of dropping a rung's doubt."""
    for rung in sorted({name for row in near for name in row.evidence if name.startswith("rung:")}):
        for doubts in (0.0, 1.0):
            rows = [r for r in near if rung in r.evidence and not r.flags and r.evidence["doubts"] == doubts]
            if rows:
                words = "with a doubt" if doubts else "without"
                print(f"{rung} {words}: {len(rows)} results, {sum(not row.right for row in rows)} not the maintainers'")


def source_of(weights: dict[str, float], threshold: float, rows: int) -> str:
    lines = "".join(f'    "{name}": {weight:.4f},\n' for name, weight in sorted(weights.items()) if name)
    return (
        '"""The fitted model of confidence.py; made by tools/fit_confidence.py, not by hand."""\n\n'
        "from __future__ import annotations\n\n"
        f"ROWS = {rows}\nTHRESHOLD = {threshold}\nWORTH_TELLING = {WORTH_TELLING}\nINTERCEPT = {weights['']:.4f}\n"
        f"WEIGHTS: dict[str, float] = {{\n{lines}}}\n"
    )


if __name__ == "__main__":
    main()
