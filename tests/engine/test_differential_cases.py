"""The 150 small backports through the ladder, `git apply` and GNU `patch`; every disagreement has a named reason.

The ladder has the bases and the other trees' names, as it has in use; the tools have the patch.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from backports.engine.result import Confidence, FileResult, Outcome, Rung, SeriesResult
from backports.engine.withhold import WITHHELD
from tests.bench import cases
from tests.bench.cases import Case, Files
from tests.engine.test_metamorphic import files_after, patch_of, port

TOOLS: dict[str, Sequence[str]] = {
    "git apply": ("git", "apply", "--whitespace=nowarn"),
    "patch -F0": ("patch", "-p1", "-s", "-f", "--no-backup-if-mismatch", "-F0", "-i"),
    "patch -F2": ("patch", "-p1", "-s", "-f", "--no-backup-if-mismatch", "-F2", "-i"),
}
# Why the two may differ, told from the ladder's own result. The tool gives a result and so does the ladder:
DIFFERENT = {
    "other-names": "the ladder wrote the added lines in the target's names; the tool wrote names that the target lacks",
    "merged": "the ladder merged with the author's own file; the tool went by context alone and took another place",
}
# The tool refuses:
LADDER_ONLY = {
    "higher-rung": "the ladder's upper rungs know the author's file; the tool knows the context lines only",
    "moved-file": "the ladder finds the file under its name in this tree",
}
# The ladder refuses:
TOOL_ONLY = {
    "missing-name": "the added lines use names that the target does not have; the tool cannot know",
    "withheld": "a guard holds the hunk back, because what it adds would not work in the target",
}
HIGHER = frozenset(Rung) - {Rung.ALREADY_APPLIED, Rung.EXACT, Rung.OFFSET}


def tool_result(case: Case, command: Sequence[str], folder: Path) -> Files | None:
    """The whole tree after the tool, or None when it refuses any part."""
    tree = folder / "tree"
    for path, data in case.target.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    (folder / "fix.patch").write_bytes(patch_of(case))
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(folder), "GIT_CEILING_DIRECTORIES": str(folder)}
    done = subprocess.run(
        [*command, "../fix.patch"], cwd=tree, env=environment, capture_output=True, timeout=60, check=False
    )
    found = {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    return found if done.returncode == 0 else None


def reason(result: SeriesResult, ours: Files | None, theirs: Files | None) -> str:
    """The name of the rule by which the two differ, "" when they agree, "unexplained" when none is known."""
    files = [file for patch in result.patches for file in patch.files]
    if ours == theirs:
        return ""
    if theirs is None:
        return _more(files)
    if ours is None:
        codes = {hunk.rejection.code for file in files for hunk in file.hunks if hunk.rejection}
        return _less(codes)
    if result.rung is Rung.DIALECT:
        return "other-names"
    return "merged" if result.rung in HIGHER else "unexplained"


def _less(codes: set[str]) -> str:
    if codes <= {"missing-name"}:
        return "missing-name"
    return "withheld" if codes <= WITHHELD else "unexplained"


def _more(files: Sequence[FileResult]) -> str:
    if any(file.path != file.diff.path for file in files):
        return "moved-file"
    rungs = {hunk.placement.rung for file in files for hunk in file.hunks if hunk.placement}
    return "higher-rung" if rungs & HIGHER or Rung.ALREADY_APPLIED in rungs else "unexplained"


@pytest.mark.parametrize("tool", TOOLS)
def test_every_disagreement_has_a_name(tool: str, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for number, case in enumerate(cases.all_cases()):
        result = port(case, case.target)
        ours = files_after(result, case.target) if result.outcome is Outcome.APPLIED else None
        theirs = tool_result(case, TOOLS[tool], tmp_path / str(number))
        why = reason(result, ours, theirs)
        seen[why] += 1
        assert why != "unexplained", (number, case.shape, result.outcome, result.rung, result.reasons)
        if why == "withheld":
            assert theirs != case.expected, (number, case.shape)
        if result.confidence is Confidence.HIGH:
            assert theirs is None or ours == theirs, (number, case.shape)
    assert set(seen) <= {"", *DIFFERENT, *LADDER_ONLY, *TOOL_ONLY}
    assert seen[""] > 100, seen
