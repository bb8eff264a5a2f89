"""Which fixes to try on a branch, in which order, and their patches."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from backports.engine.diff import MAX_BYTES, Line, Patch, parse_series
from backports.engine.errors import EngineError, TooLarge
from backports.git.patches import format_patch, format_series
from backports.git.results import open_results
from backports.git.store import commit_at, open_repository
from backports.models import Attempt, Branch
from xsa.models import Fix, PatchFile

from .places import mirror_path, results_path

MASTER_RANK = 9999
STAGING_RANK = 9998
KEPT_SOURCES = 32


def rank(name: str) -> int:
    """A number by which branches sort: 401 for `4.1`, master above every version.

    Raises ValueError for a name that is neither.
    """
    if name == "master":
        return MASTER_RANK
    if name == "staging":
        return STAGING_RANK
    major, minor, *_ = name.split(".")
    return int(major) * 100 + int(minor)


def by_nearness(fixes: Iterable[Fix], branch: Branch) -> list[Fix]:
    """Fixes worth trying on `branch`: its own, then the closest newer one and up to master, then older ones.

    Of fixes with the same patches only the nearest stays, and one without patches is no source.
    """
    ordered = sorted(fixes, key=lambda fix: _distance(rank(fix.branch), branch.rank))
    seen: set[str] = set()
    chosen = []
    for fix in ordered:
        if fix.digest not in seen and fix.patches.all():
            seen.add(fix.digest)
            chosen.append(fix)
    return chosen


def nothing_to_apply(fixes: Iterable[Fix], branch: Branch) -> Fix | None:
    """What says that nothing is to be applied on this very branch, if anything does."""
    return next((fix for fix in fixes if fix.branch == branch.version and fix.says_nothing_to_apply), None)


def nearest_and_master(ordered: Sequence[Fix]) -> list[Fix]:
    """The two nearest sources and master's: more of them cost time and were never seen to do better."""
    master = [fix for fix in ordered[2:] if fix.branch == "master"]
    return [*ordered[:2], *(master or ordered[2:3])]


def is_nearer(newer: Branch, fixes: Iterable[Fix], branch: Branch) -> bool:
    """Whether a result on branch `newer` is nearer to `branch` than every fix that upstream made."""
    distances = [_distance(rank(fix.branch), branch.rank) for fix in fixes if fix.patches.all()]
    return _distance(newer.rank, branch.rank) < min(distances, default=(True, 0))


def _distance(source: int, target: int) -> tuple[bool, int]:
    return source < target, abs(source - target)


@dataclass(frozen=True, slots=True)
class Source:
    """A fix with its patches read; `problem` says why when they could not be.

    `base` is the commit that the first patch was made on ("": not known), and `base_told` a sentence on how it
    was found, when it had to be. With `attempt` the patches are that attempt's result, which was made from `fix`.
    """

    fix: Fix
    patches: tuple[Patch, ...] = ()
    base: str = ""
    base_told: str = ""
    attempt: Attempt | None = None
    problem_code: str = ""
    problem: str = ""

    @property
    def label(self) -> str:
        """An id of its own among the sources of a cell."""
        return str(self.attempt.pk if self.attempt else self.fix.pk)

    @property
    def branch(self) -> str:
        """The branch that the patches were made for."""
        return self.attempt.branch.name if self.attempt else self.fix.branch

    @property
    def origin(self) -> str:
        """Where it is from: as on the fix, or `result` for one of ours."""
        return "result" if self.attempt else self.fix.origin

    def says_the_same(self, other: Source) -> bool:
        """Whether both change the same lines to the same lines in files of the same names."""
        return bool(self.patches) and _lines(self.patches) == _lines(other.patches)


def _lines(patches: Iterable[Patch]) -> list[tuple[str, list[tuple[Line, ...]]]]:
    return [(file.path, [hunk.lines for hunk in file.hunks]) for patch in patches for file in patch.files]


_recent: OrderedDict[tuple[UUID, str], Source] = OrderedDict()


def read_source(fix: Fix) -> Source:
    """The patches of a fix in order, from the files that came in or from the mirror's commits.

    A worker meets the same fix on many branches in a row, so the last few stay in memory.
    """
    key = fix.pk, fix.digest
    if key not in _recent:
        while len(_recent) >= KEPT_SOURCES:
            _recent.popitem(last=False)
        _recent[key] = _read(fix)
    return _recent[key]


def _read(fix: Fix) -> Source:
    for problem in fix.problems:
        return Source(fix, problem_code=problem["code"], problem=problem["sentence"])
    try:
        patches = [patch for raw in _bytes_of(fix) for patch in parse_series(raw)]
    except EngineError as error:
        return Source(fix, problem_code=error.code, problem=error.sentence)
    return Source(fix, tuple(patches), _parent(fix))


def _parent(fix: Fix) -> str:
    """The commit before a fix's first one; "" for files that came in."""
    first = fix.patches.all()[0]
    if first.file is not None:
        return ""
    parents = commit_at(open_repository(mirror_path(first.repository)), first.commit).parents
    return str(parents[0].id) if parents else ""


def read_result(attempt: Attempt) -> Source:
    """An accepted result of ours as a source. Raises GitError when its repository or commit is gone."""
    name = attempt.branch.repository.name
    repo = open_results(results_path(name, attempt.advisory.number), mirror_path(name))
    mails = format_series(repo, attempt.tip, attempt.result)
    patches = tuple(patch for mail in mails for patch in parse_series(mail))
    assert attempt.source is not None  # noqa: S101 - `chain.is_accepted` asks for it
    return Source(attempt.source, patches, attempt.tip, attempt=attempt)


def _bytes_of(fix: Fix) -> Iterable[bytes]:
    for row in fix.patches.all():
        if row.file is not None:
            yield bytes_of_file(row.file)
        else:
            yield format_patch(open_repository(mirror_path(row.repository)), row.commit)


def bytes_of_file(file: PatchFile) -> bytes:
    """What came in, loaded only now when the query left it out. Raises TooLarge without loading it."""
    if file.size > MAX_BYTES:
        raise TooLarge(f"The patch has {file.size} bytes; the limit is {MAX_BYTES}. Split it.")
    return bytes(file.data)


def input_key(engine: str, fixes: Iterable[Fix], prerequisites: Iterable[str]) -> str:
    """A digest of what an outcome depends on besides the tree: engine, sources, state of prerequisites."""
    lines = [engine, *(f"{fix.branch} {fix.digest}" for fix in fixes), *sorted(prerequisites)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
