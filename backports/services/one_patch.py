"""One patch on one branch, from the shell: no database, no worker."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pygit2

from backports.engine.diff import MAX_BYTES, Patch, parse_series
from backports.engine.errors import EngineError
from backports.engine.result import HunkResult, Outcome, SeriesResult
from backports.git.bases import Base, find_base, with_base
from backports.git.errors import GitError
from backports.git.mirror import branch_oids, branch_ref
from backports.git.patches import format_series
from backports.git.results import commit_series, open_results
from backports.git.store import HEX, commit_at, open_repository
from backports.git.tree import GitTree

from . import evidence
from .names import symbols_without_server
from .places import mirror_path
from .trying import apply_on

EXIT_STATUS: Mapping[Outcome, int] = {
    Outcome.APPLIED: 0,
    Outcome.ERROR: 1,
    Outcome.ALREADY_APPLIED: 3,
    Outcome.PARTLY_APPLIED: 4,
    Outcome.CONFLICT: 5,
    Outcome.MALFORMED: 6,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict on one patch; `patches` are the result as mails for `git am`, `base` is what it was made on."""

    outcome: Outcome
    result: SeriesResult | None = None
    tip: str = ""
    patches: tuple[bytes, ...] = field(default=())
    base: Base | None = None
    problem_code: str = ""
    problem: str = ""

    @property
    def status(self) -> int:
        """The exit status that stands for the outcome."""
        return EXIT_STATUS[self.outcome]

    def as_json(self) -> str:
        """Everything, for programs."""
        facts: dict[str, Any] = {"outcome": self.outcome.value, "tip": self.tip}
        if self.problem_code:
            facts |= {"problem_code": self.problem_code, "problem": self.problem}
        if self.base is not None:
            facts["base"] = {"oid": self.base.oid, "how": self.base.how.value, "sentence": self.base.sentence}
        if self.result is not None:
            facts |= _summary(self.result) | evidence.as_json(self.result)
        return json.dumps(facts, indent=1)

    def as_text(self) -> str:
        """A few lines, for people."""
        if self.result is None:
            return f"{self.outcome}: {self.problem} [{self.problem_code}]"
        done, total = evidence.landed(self.result)
        head = f"{self.outcome}: {done} of {total} hunks"
        rung = f", highest rung {self.result.rung}" if self.result.rung else ""
        confidence = f", confidence {self.result.confidence}" if self.result.confidence else ""
        base = [self.base.sentence] if self.base else []
        return "\n".join([head + rung + confidence, *base, *self.result.reasons, *_files(self.result)])


def _summary(result: SeriesResult) -> dict[str, Any]:
    done, total = evidence.landed(result)
    return {
        "rung": result.rung,
        "fuzz": result.fuzz,
        "confidence": result.confidence,
        "hunks_landed": done,
        "hunks_total": total,
        "reasons": list(result.reasons),
    }


def _files(result: SeriesResult) -> list[str]:
    lines = []
    for patch in result.patches:
        for file in patch.files:
            lines.append(f"{file.outcome}  {evidence.text(file.path)}" + (f"  ({file.note})" if file.note else ""))
            lines += [f"  {_hunk(number, hunk)}" for number, hunk in enumerate(file.hunks, 1)]
    return lines


def _hunk(number: int, hunk: HunkResult) -> str:
    if hunk.placement is not None:
        place = hunk.placement
        fuzz = f", fuzz {place.fuzz}" if place.fuzz else ""
        where = f" of {evidence.text(place.path)}" if place.path else f", offset {place.offset}"
        return f"hunk {number}: {place.rung} at line {place.line}{where}{fuzz}"
    assert hunk.rejection is not None  # noqa: S101 - exactly one of the two is set
    where = f"; likely place: line {hunk.rejection.line}" if hunk.rejection.line else ""
    return f"hunk {number}: did not land ({hunk.rejection.code}): {hunk.rejection.sentence}{where}"


def try_file(file: Path, *, repository: str, branch: str) -> Answer:
    """Read the file and try it. Bad input and a broken environment come back as answers, not as exceptions."""
    try:
        patches = parse_series(_read(file))
    except EngineError as error:
        return Answer(Outcome.MALFORMED, problem_code=error.code, problem=error.sentence)
    except OSError as error:
        return Answer(Outcome.ERROR, problem_code="missing-file", problem=f"{file}: {error.strerror}.")
    try:
        return _try(patches, _repository(repository), branch)
    except GitError as error:
        return Answer(Outcome.ERROR, problem_code=error.code, problem=error.sentence)


def _read(file: Path) -> bytes:
    """At most one byte more than the engine takes: it says itself that this is too much."""
    if str(file) == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with file.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _repository(name: str) -> Path:
    """The mirror of that name when there is one, else the name as a path."""
    mirror = mirror_path(name) if "/" not in name else Path(name)
    if mirror.exists():
        return mirror
    path = Path(name)
    return path / ".git" if (path / ".git").is_dir() else path


def _try(patches: tuple[Patch, ...], path: Path, branch: str) -> Answer:
    repo = open_repository(path)
    name = branch if HEX.fullmatch(branch) else branch_ref(branch)
    tip = str(commit_at(repo, name).id)
    base = find_base(repo, patches, {**branch_oids(path), branch: tip})
    result = _climb(repo, patches, tip, base)
    mails = _mails(path, tip, result) if any(patch.changes for patch in result.patches) else ()
    return Answer(result.outcome, result, tip, mails, base)


def _climb(repo: pygit2.Repository, patches: tuple[Patch, ...], tip: str, base: Base | None) -> SeriesResult:
    if base is None:
        return apply_on(GitTree(repo, tip), patches)
    tree = GitTree(repo, tip, base_treeish=base.oid)
    return apply_on(tree, with_base(repo, patches, base.oid), symbols_without_server(repo, tip, base.oid))


def _mails(path: Path, tip: str, result: SeriesResult) -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory(prefix="try-patch-") as folder:
        repo = open_results(Path(folder) / "results.git", path)
        oid = commit_series(repo, tip, result, "refs/heads/result")
        return tuple(format_series(repo, tip, oid))
