"""What a compiler says of a change: a build before it and after it, in a sandbox, and what is new.

Both builds run in one folder, so that the second compiles only what the change touches. Nothing but the
sandbox writes there: the files go in as an archive that is unpacked inside, so that no link that the first
build left leads the second one's files out.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import pygit2
from pygit2.enums import DeltaStatus

from backports.engine import diagnostics
from backports.engine.diagnostics import Diagnostic

from .errors import GitError
from .runner import run_git
from .sandbox import Limits, Ran, Sandbox
from .store import commit_at, open_repository

UNPACK_SECONDS = 300.0
PATHS_AT_ONCE = 100
LAST_LINES, LAST_BYTES = 12, 2000
_PREFIX = "tree-"
_PLAIN = re.compile(r"[\w./+-]+\.(?:c|S|s|cc|cpp)")
_UNPACK = ("tar", "--extract", "--file=-", "--touch", "--no-same-owner")
_DELETE = ("xargs", "-0", "rm", "-f", "--")
_OPEN_UP = ("chmod", "-R", "u+rwX", ".")


class State(StrEnum):
    """What two builds found."""

    CLEAN = "clean"
    NEW = "new-diagnostics"
    FAILED_BEFORE = "failed-before"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A shell command that builds a tree, run in its top folder, and what it may use; `shown`: more that it may read.

    `$TOUCHED` in it stands for the C and assembler files that the change touches and the tree has.
    """

    command: str
    limits: Limits = field(default_factory=Limits)
    shown: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Compiled:
    """`reason` says in a sentence why there is no answer, or ""; `code` stands for it.

    `found` are the new diagnostics in order. `ended_well` is whether the second build's exit status was 0. `cut`
    is set when it wrote more than was read. `last` are the last lines of a build that failed.
    """

    state: State
    found: tuple[Diagnostic, ...] = ()
    ended_well: bool = True
    cut: bool = False
    code: str = ""
    reason: str = ""
    seconds: float = 0.0
    last: bytes = b""


def compile_change(git_dir: Path, before: str, after: str, recipe: Recipe, scratch: Path) -> Compiled:
    """Builds commit `before`, then `after`, in a folder of its own below `scratch` that is gone when this returns.

    Raises GitError `sandbox-missing`, `sandbox-forbidden`, `no-such-commit`.
    """
    change = _Change.between(git_dir, before, after)
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _folder(scratch) as folder:
        sandbox = Sandbox(folder, recipe.limits, recipe.shown)
        _unpack(sandbox, run_git(["archive", "--format=tar", before], git_dir=git_dir))
        first = _build(sandbox, recipe, change.touched(change.old))
        if first.code != 0 or first.cut:
            return _no_ground(first)
        change.put(sandbox)
        second = _build(sandbox, recipe, change.touched(change.new))
    return _compared(first, second)


def _no_ground(first: Ran) -> Compiled:
    """The branch as it is gives nothing to compare with."""
    if first.code is None:
        sentence = "The build of the branch as it is took longer than it may."
        return Compiled(State.NOT_RUN, code="too-slow", reason=sentence, seconds=first.seconds)
    if first.code != 0:
        sentence = f"The build of the branch as it is fails already, with exit status {first.code}."
        return Compiled(
            State.FAILED_BEFORE, code="fails-already", reason=sentence, seconds=first.seconds, last=_end(first)
        )
    sentence = "The build of the branch as it is says more than can be compared; let the command say less."
    return Compiled(State.NOT_RUN, code="too-much-output", reason=sentence, seconds=first.seconds)


def _compared(first: Ran, second: Ran) -> Compiled:
    seconds = first.seconds + second.seconds
    if second.code is None:
        sentence = "The build with the patch took longer than it may."
        return Compiled(State.NOT_RUN, code="too-slow", reason=sentence, seconds=seconds)
    found = diagnostics.new(diagnostics.read(first.output), diagnostics.read(second.output))
    well = second.code == 0
    state = State.CLEAN if well and not found else State.NEW
    return Compiled(state, found, well, second.cut, seconds=seconds, last=b"" if well else _end(second))


def _end(ran: Ran) -> bytes:
    return b"".join(ran.output[-LAST_BYTES:].splitlines(keepends=True)[-LAST_LINES:])


def _build(sandbox: Sandbox, recipe: Recipe, touched: str) -> Ran:
    return sandbox.run(["sh", "-c", recipe.command], variables={"TOUCHED": touched})


def _unpack(sandbox: Sandbox, archive: bytes) -> None:
    _must(_patient(sandbox).run(_UNPACK, data=archive))


def _patient(sandbox: Sandbox) -> Sandbox:
    return replace(sandbox, limits=replace(sandbox.limits, seconds=UNPACK_SECONDS))


def _must(ran: Ran) -> None:
    if ran.code != 0:
        raise GitError("not-unpacked", "The tree could not be laid out in the sandbox; is the disk full?")


@dataclass(frozen=True, slots=True)
class _Change:
    """Two commits and the paths on which they differ, as git's bytes."""

    git_dir: Path
    after: str
    old: frozenset[str]
    new: frozenset[str]

    @classmethod
    def between(cls, git_dir: Path, before: str, after: str) -> _Change:
        repo = open_repository(git_dir)
        diff = commit_at(repo, before).tree.diff_to_tree(commit_at(repo, after).tree)
        old, new = set(), set()
        for delta in diff.deltas:
            if delta.status != DeltaStatus.ADDED:
                old.add(_path(delta.old_file))
            if delta.status != DeltaStatus.DELETED:
                new.add(_path(delta.new_file))
        return cls(git_dir, after, frozenset(old), frozenset(new))

    def touched(self, there: frozenset[str]) -> str:
        """Sources by plain names, with spaces between them."""
        return " ".join(sorted(path for path in there if _PLAIN.fullmatch(path) and not path.startswith("-")))

    def put(self, sandbox: Sandbox) -> None:
        """Lays the new files over the old ones."""
        gone = sorted(self.old - self.new)
        if gone:
            _must(_patient(sandbox).run(_DELETE, data=_bytes("\0".join(gone))))
        paths = sorted(self.new)
        for start in range(0, len(paths), PATHS_AT_ONCE):
            some = paths[start : start + PATHS_AT_ONCE]
            asked = ["--literal-pathspecs", "archive", "--format=tar", self.after, "--", *some]
            _unpack(sandbox, run_git(asked, git_dir=self.git_dir))


def _path(file: pygit2.DiffFile) -> str:
    return file.raw_path.decode("utf-8", "surrogateescape")


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _folder(scratch: Path) -> Iterator[Path]:
    """A folder inside a folder that only we may enter; removed at the end whatever a build made of it."""
    clear_leftovers(scratch)
    outer = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=scratch))
    inner = outer / "tree"
    with _held(outer):
        inner.mkdir()
        try:
            yield inner
        finally:
            _remove(outer)


def clear_leftovers(scratch: Path) -> int:
    """Removes the folders of builds whose process is gone; tells how many."""
    cleared = 0
    for outer in scratch.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _held(outer):
            _remove(outer)
            cleared += 1
    return cleared


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keeps others from taking the folder for left behind. Raises BlockingIOError when it is held."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _remove(outer: Path) -> None:
    """A build may have closed folders to their owner; only its own user, in the sandbox, can open them safely."""
    with contextlib.suppress(GitError):
        Sandbox(outer / "tree").run(_OPEN_UP)
    shutil.rmtree(outer, ignore_errors=True)
