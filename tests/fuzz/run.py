"""Fuzzes one target with atheris: `python -m tests.fuzz.run TARGET CORPUS_DIR [libFuzzer options]`, see `make fuzz`.

An input that takes more than two seconds of processor time is a fault like any other; so is more memory than
libFuzzer's `-rss_limit_mb`. Wall time tells nothing on a busy machine, so `-timeout` only ends what never returns.
The instruments multiply the time of small steps by three to six: what seems too slow is timed once more without them.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["backports.engine", "unidiff"]):
    from tests.fuzz import targets

from backports.engine.scan import split_lines
from tests.fuzz import seeds

MOST_SECONDS = 2.0
WORDS = [b"\n", b"}\n", b"{\n", b"\t", b"    return 0;\n", targets.CUT, b"@@ -1,3 +1,3 @@\n", b"int f(void)\n"]


class TooSlowError(Exception):
    """An input took longer than MOST_SECONDS."""


class Watched:
    """A target that is timed; its worst times are written to a file as they are met."""

    def __init__(self, name: str, report: Path) -> None:
        self.name, self.target, self.report = name, targets.TARGETS[name], report
        self.runs, self.slowest, self.size = 0, 0.0, 0

    def __call__(self, data: bytes) -> None:
        began = time.process_time()
        self.target(data)
        took = time.process_time() - began
        self.runs += 1
        if took > self.slowest:
            self.slowest, self.size = took, len(data)
        if took > MOST_SECONDS and (plain := plain_seconds(self.name, data)) > MOST_SECONDS:
            raise TooSlowError(f"{plain:.1f} s for {len(data)} bytes")
        if self.runs % 500 == 0:
            self.write()

    def write(self) -> None:
        """Writes how far it came: executions, the slowest input's seconds and bytes, and the peak memory in MB."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found = {"runs": self.runs, "slowest_s": round(self.slowest, 3), "of_bytes": self.size, "peak_mb": peak}
        self.report.write_text(json.dumps(found) + "\n")


def plain_seconds(name: str, data: bytes) -> float:
    """The processor time of one input in a process of its own, which has no instruments."""
    command = [sys.executable, "-m", "tests.fuzz.plain", name]
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def by_lines(data: bytes, most: int, seed: int) -> bytes:
    """Moves, doubles, repeats and drops whole lines, which byte-wise mutation seldom does; or leaves it to that."""
    rng = random.Random(seed)
    if rng.random() < 0.5:
        return atheris.Mutate(data, most)
    lines = split_lines(data) or [b"\n"]
    for _ in range(rng.randrange(1, 4)):
        at, to = rng.randrange(len(lines) + 1), rng.randrange(len(lines) + 1)
        block = lines[at : at + rng.choice([1, 1, 2, 5, 40])]
        match rng.randrange(5):
            case 0:
                lines[to:to] = block
            case 1:
                del lines[at : at + len(block)]
            case 2:
                lines[to:to] = block * rng.choice([2, 10, 200])
            case 3:
                lines.insert(at, rng.choice(WORDS) * rng.choice([1, 1, 50, 2000]))
            case _:
                lines[at : at + 1] = [b"".join(block).replace(b"\n", b" ") + b"\n"]
    return b"".join(lines)[:most]


def main() -> None:
    name, corpus = sys.argv[1], Path(sys.argv[2])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds.SEEDS[name]()):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    watched = Watched(name, corpus.parent / f"{name}.json")
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[3:]], watched, custom_mutator=by_lines)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
