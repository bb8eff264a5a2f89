"""The same rows by other tools: git apply, GNU patch, a merge-ort cherry-pick, and wiggle.

Every tool gets the source's change and the target's files, and must take the whole series; a row
counts by its result alone, like ours. The time is that of the tool's own processes: files are laid
out for it before, and read back after.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pygit2
from pygit2.enums import DeltaStatus, DiffFind, DiffOption

from backports.engine.result import Outcome
from backports.engine.series import blob_oid
from backports.engine.tree import EXECUTABLE, REGULAR
from backports.git.errors import GitError
from backports.git.patches import format_patch
from backports.git.results import open_results
from backports.git.runner import run_git
from backports.git.store import commit_at

from .ladder_corpus import Task
from .ladder_paths import blob_at, changed_paths
from .ladder_run import Answer, Files

TIMEOUT = 60.0
GIT_APPLY, CHERRY_PICK, WIGGLE = "git apply", "cherry-pick (merge-ort)", "wiggle"
PATCH = {"patch -F0": 0, "patch -F2": 2, "patch -F3": 3}
NAMES = (GIT_APPLY, *PATCH, CHERRY_PICK, WIGGLE)
NEEDS_GIT = (2, 38)
FLAGS = DiffOption.SHOW_BINARY | DiffOption.INDENT_HEURISTIC
MERGER = pygit2.Signature("bench", "bench@localhost", 1, 0)


class DidNotApplyError(Exception):
    """The tool did not take the whole change."""


def missing() -> dict[str, str]:
    """The tools that cannot run here, each with a sentence that says how to get it."""
    found = {}
    if shutil.which("wiggle") is None:
        found[WIGGLE] = "wiggle is not installed and is left out; Debian has it: apt-get install wiggle"
    if shutil.which("patch") is None:
        found |= dict.fromkeys(PATCH, "GNU patch is not installed and is left out; Debian: apt-get install patch")
    if git_version() < NEEDS_GIT:
        found[CHERRY_PICK] = "git is older than 2.38, which has no merge-tree --write-tree; cherry-pick is left out"
    return found


def git_version() -> tuple[int, ...]:
    """Major and minor version of the git program."""
    match = re.search(rb"(\d+)\.(\d+)", run_git(["version"]))
    return tuple(int(part) for part in match.groups()) if match else (0, 0)


@dataclass(frozen=True, slots=True)
class Work:
    """One row laid out: `mails` and `commits` of the series, the target, and the target's files that it touches."""

    folder: Path
    mails: tuple[bytes, ...]
    commits: tuple[pygit2.Commit, ...]
    target: pygit2.Commit
    files: Mapping[str, bytes]


class PeerRunner:
    """One process's tools, with a throwaway clone that borrows the repository's objects and has no refs."""

    def __init__(self, path: Path, names: Sequence[str], scratch: Path) -> None:
        self._root = Path(tempfile.mkdtemp(dir=scratch))
        self._clone = self._root / "clone.git"
        self._repo = open_results(self._clone, path)
        self._names = names
        self._tools: dict[str, Callable[[Work], Files]] = {
            GIT_APPLY: self._by_git_apply,
            CHERRY_PICK: self._by_cherry_pick,
            WIGGLE: self._by_wiggle,
        }
        self._tools |= {name: self._by_patch(fuzz) for name, fuzz in PATCH.items()}

    def run(self, task: Task) -> dict[str, Answer]:
        """What each tool made of the row."""
        return {name: self._answer(name, task) for name in self._names}

    def _answer(self, name: str, task: Task) -> Answer:
        folder = self._root / "tree"
        self.seconds = self.cpu_seconds = 0.0
        problem = ""
        try:
            files: Files | None = self._tools[name](self._lay_out(folder, task))
        except (DidNotApplyError, GitError, subprocess.TimeoutExpired, KeyError):
            files = None
        except Exception as error:
            files, problem = None, type(error).__name__
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        outcome = Outcome.CONFLICT if files is None else Outcome.APPLIED
        times = self.seconds * 1000, self.cpu_seconds * 1000
        return Answer(task, outcome, files=files, ms=times[0], cpu_ms=times[1], problem=problem)

    def _lay_out(self, folder: Path, task: Task) -> Work:
        sources = tuple(commit_at(self._repo, oid) for oid in task.sources)
        mails = tuple(format_patch(self._repo, oid) for oid in task.sources)
        target = commit_at(self._repo, task.target)
        paths = {path for commit in sources for path in changed_paths(commit.parents[0].tree, commit.tree)}
        files = {path: data for path in sorted(paths) if (data := _content(target, path)) is not None}
        folder.mkdir()
        for path, data in files.items():
            _write(folder / path, data)
        return Work(folder, mails, sources, target, files)

    def _by_git_apply(self, work: Work) -> Files:
        options = ["-C", str(work.folder), "apply", "--whitespace=nowarn", "-"]
        for mail in work.mails:
            with self._timed():
                run_git(options, git_dir=self._clone, input=mail, timeout=TIMEOUT)
        return _outcome(work)

    def _by_patch(self, fuzz: int) -> Callable[[Work], Files]:
        options = ["-p1", "-s", "-f", f"-F{fuzz}", "--no-backup-if-mismatch", "-r", "-"]

        def apply(work: Work) -> Files:
            for mail in work.mails:
                self._tool(["patch", *options, "-d", str(work.folder)], mail)
            return _outcome(work)

        return apply

    def _by_cherry_pick(self, work: Work) -> Files:
        tree = work.target.tree
        for commit in work.commits:
            with self._timed():
                base = self._commit(commit.parents[0].tree, [])
                sides = [self._commit(side, [base]) for side in (tree, commit.tree)]
                told = run_git(["merge-tree", "--write-tree", "--no-messages", *sides], git_dir=self._clone)
            tree = self._repo[told.split()[0].decode()].peel(pygit2.Tree)
        return {path: blob_at(tree, path) for path in changed_paths(work.target.tree, tree)}

    def _commit(self, tree: pygit2.Tree, parents: list[str]) -> str:
        return str(self._repo.create_commit(None, MERGER, MERGER, "bench\n", tree.id, parents))

    def _by_wiggle(self, work: Work) -> Files:
        for commit in work.commits:
            diff = commit.parents[0].tree.diff_to_tree(commit.tree, flags=FLAGS)
            diff.find_similar(DiffFind.FIND_RENAMES)
            for patch in filter(None, diff):
                self._wiggle_file(work.folder, commit, patch)
        return _outcome(work)

    def _wiggle_file(self, folder: Path, commit: pygit2.Commit, patch: pygit2.Patch) -> None:
        """wiggle knows no added, deleted or binary files; those are done as git apply would."""
        delta = patch.delta
        old, new = folder / delta.old_file.path, folder / delta.new_file.path
        if delta.status == DeltaStatus.ADDED:
            _require(not new.exists())
            _write(new, _content(commit, delta.new_file.path) or b"")
            return
        _require(old.is_file())
        if delta.status == DeltaStatus.DELETED:
            _require(blob_oid(old.read_bytes()) == str(delta.old_file.id))
            old.unlink()
            return
        _require(not delta.is_binary)
        merged = self._wiggled(old, patch.data) if b"\n@@ " in patch.data else old.read_bytes()
        if old != new:
            old.unlink()
        _write(new, merged)

    def _wiggled(self, file: Path, patch: bytes) -> bytes:
        wanted = self._root / "one.patch"
        wanted.write_bytes(patch)
        return self._tool(["wiggle", "--merge", str(file), str(wanted)], b"")

    def _tool(self, command: Sequence[str], data: bytes) -> bytes:
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": str(self._root)}
        with self._timed():
            done = subprocess.run(
                command, input=data, capture_output=True, timeout=TIMEOUT, env=env, cwd=self._root, check=False
            )
        _require(done.returncode == 0)
        return done.stdout

    def _timed(self) -> _Stopwatch:
        return _Stopwatch(self)


class _Stopwatch:
    """Adds the seconds inside the block, and its processes' processor time, to the runner's, also when it fails."""

    def __init__(self, runner: PeerRunner) -> None:
        self._runner = runner

    def __enter__(self) -> None:
        self._began, self._used = time.perf_counter(), _used()

    def __exit__(self, *_: object) -> None:
        self._runner.seconds += time.perf_counter() - self._began
        self._runner.cpu_seconds += _used() - self._used


def _used() -> float:
    """Processor seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _outcome(work: Work) -> Files:
    """What the tool left in the folder, where it is not what the target had."""
    left = dict(_left(work.folder))
    files: Files = {path: oid for path, oid in left.items() if oid != _old_oid(work, path)}
    return files | {path: None for path in work.files if path not in left}


def _left(folder: Path) -> Iterator[tuple[str, str]]:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            yield str(file.relative_to(folder)), blob_oid(file.read_bytes())


def _old_oid(work: Work, path: str) -> str | None:
    return blob_oid(work.files[path]) if path in work.files else None


def _content(commit: pygit2.Commit, path: str) -> bytes | None:
    """A plain file of a commit; None for anything else, and for names that no tool should be handed."""
    if any(part in {"", ".", "..", ".git"} for part in PurePosixPath(path).parts):
        return None
    try:
        found = commit.tree[path]
    except KeyError:
        return None
    return found.data if isinstance(found, pygit2.Blob) and found.filemode in (REGULAR, EXECUTABLE) else None


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _require(fine: bool) -> None:
    if not fine:
        raise DidNotApplyError
