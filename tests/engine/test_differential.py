"""The same cases through the engine, `git apply` and GNU `patch`; every disagreement has a named reason.

A case is a small source file, an edit of it (the patch) and a target that drifted away from it.
The cases are generated from fixed seeds. The engine gets no base here, since neither tool has one.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from backports.engine.result import Confidence, Outcome, Rung, SeriesResult
from tests.engine.helpers import after, apply, unified

CASES = 260
PATH = "lib/shop.c"

# Why the engine may answer otherwise than a tool. Anything else fails the test.
REASONS = {
    "already-applied": "the tool has no word for a change that is there; it refuses, or makes it a second time",
    "beyond-offset": "git apply knows no fuzz; the engine gives up context, with guards, and asks for a review",
    "guarded": "the tool takes the first place that fits; the engine refuses one in another function, one of several, "
    "and one that too little distinctive context tells",
}


@dataclass(frozen=True)
class Case:
    old: bytes
    new: bytes
    target: bytes

    @property
    def patch(self) -> bytes:
        return unified(self.old, self.new, index=False)


def function(rng: random.Random, number: int) -> list[bytes]:
    body = [
        b"    %s(%d);\n" % (rng.choice([b"lock", b"step", b"check", b"unlock", b"put"]), rng.randrange(9))
        for _ in range(rng.randrange(4, 12))
    ]
    return [
        b"int part_%d(int arg)\n" % number,
        b"{\n",
        b"    int i;\n",
        b"\n",
        *body,
        b"    return 0;\n",
        b"}\n",
        b"\n",
    ]


def edit(rng: random.Random, lines: list[bytes], count: int, tag: bytes) -> list[bytes]:
    out = list(lines)
    for number in range(count):
        at = rng.randrange(len(out))
        drop = rng.choice([0, 0, 1, 1, 2])
        out[at : at + drop] = [
            b"    %s_%d(%d);\n" % (tag, number, rng.randrange(99)) for _ in range(rng.randrange(0 if drop else 1, 3))
        ]
    return out


def case(seed: int) -> Case:
    rng = random.Random(seed)
    old = [line for number in range(rng.randrange(2, 6)) for line in function(rng, number)]
    new = edit(rng, old, rng.randrange(1, 4), b"fixed")
    target = new if seed % 9 == 0 else old
    for _ in range(rng.randrange(3)):
        at = rng.randrange(len(target))
        target = [*target[:at], *function(rng, 50 + at), *target[at:]]
    target = edit(rng, target, rng.choice([0, 0, 1, 2, 4]), b"ours")
    return Case(b"".join(old), b"".join(new), b"".join(target))


def git_apply(found: Case, folder: Path) -> bytes | None:
    """The file after `git apply`, or None when it refuses."""
    return run(found, folder, ["git", "apply", "--whitespace=nowarn", "../case.patch"])


def gnu_patch(found: Case, folder: Path) -> bytes | None:
    """The file after `patch -p1 -F2`, or None when a hunk is rejected."""
    return run(found, folder, ["patch", "-p1", "-F2", "-s", "-f", "--no-backup-if-mismatch", "-i", "../case.patch"])


def run(found: Case, folder: Path, command: list[str]) -> bytes | None:
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "tree"
    (work / "lib").mkdir(parents=True)
    (work / PATH).write_bytes(found.target)
    (folder / "case.patch").write_bytes(found.patch)
    environment = {
        "PATH": "/usr/bin:/bin",
        "GIT_CEILING_DIRECTORIES": str(folder),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(folder),
    }
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, timeout=20, check=False)
    return (work / PATH).read_bytes() if done.returncode == 0 else None


def engine_bytes(found: Case, result: SeriesResult) -> bytes | None:
    """What the engine delivers as a whole, or None; already-applied delivers the target."""
    if result.outcome is Outcome.ALREADY_APPLIED:
        return found.target
    return after(result) if result.outcome is Outcome.APPLIED else None


def codes(result: SeriesResult) -> set[str]:
    return {hunk.rejection.code for hunk in result.patches[0].files[0].hunks if hunk.rejection}


def rungs(result: SeriesResult) -> set[Rung]:
    return {hunk.placement.rung for hunk in result.patches[0].files[0].hunks if hunk.placement}


def reason(result: SeriesResult, ours: bytes | None, theirs: bytes | None, *, fuzzy: bool) -> str:
    """The name of the reason why the engine's answer differs, or "" for one that must not be."""
    if Rung.ALREADY_APPLIED in rungs(result):
        return "already-applied"
    if ours is None:
        return "guarded" if codes(result) <= {"ambiguous", "other-function", "overlapping"} else ""
    return "beyond-offset" if theirs is None and not fuzzy and Rung.FUZZ in rungs(result) else ""


@pytest.mark.parametrize("tool", [git_apply, gnu_patch], ids=["git apply", "GNU patch"])
def test_every_disagreement_is_explained(tool, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    unexplained = []
    for seed in range(CASES):
        found = case(seed)
        if not found.patch:
            continue
        result = apply(found.patch, found.target)
        ours, theirs = engine_bytes(found, result), tool(found, tmp_path / "case")
        why = "agree" if ours == theirs else reason(result, ours, theirs, fuzzy=tool is gnu_patch)
        seen[why] += 1
        if not why:
            unexplained.append(seed)
    assert set(seen) <= {"agree", *REASONS, ""}
    assert not unexplained, f"no named reason for the seeds {unexplained}; {dict(seen)}"
    assert seen["agree"] > CASES * 0.6, dict(seen)


def test_high_confidence_is_what_git_apply_does(tmp_path: Path) -> None:
    """A high result without a base is only ever the one that `git apply` makes too."""
    checked = 0
    for seed in range(1000, 1000 + CASES // 2):
        found = case(seed)
        result = apply(found.patch, found.target) if found.patch else None
        if result is None or result.confidence is not Confidence.HIGH or Rung.ALREADY_APPLIED in rungs(result):
            continue
        checked += 1
        theirs = git_apply(found, tmp_path / "case")
        assert theirs is None or theirs == after(result), f"seed {seed}"
    assert checked > CASES // 8
