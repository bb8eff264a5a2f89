"""Bare mirrors of the repositories that we follow, and the branches found in them.

A mirror holds `refs/heads/*` and `refs/tags/*` only, owns all its objects, and never prunes
one: result repositories borrow from it, and a branch that upstream rewrote stays readable.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pygit2

from .errors import GitError
from .runner import refuse_option, run_git, without_credentials
from .store import commit_at, open_repository

REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
STABLE_REF = re.compile(r"refs/heads/stable-(\d+(?:\.\d+)+)")
HEAD_REFS = {"refs/heads/master": "master", "refs/heads/staging": "staging"}
TRANSFER_TIMEOUT = 3600.0
STALE_LOCK_SECONDS = 300.0
_PARTIAL = ".partial"
_REMOTE = "origin"
_RELEASE_TAG = re.compile(r"refs/tags/RELEASE-(\d+(?:\.\d+)+)")
_SCHEME = re.compile(r"(?:file|git|https?|ssh)://", re.IGNORECASE)
_SSH_SHORT = re.compile(r"[\w.+-]+@[\w.-]+:(?!//)")


@dataclass(frozen=True, slots=True)
class BranchTip:
    """One maintained line: `name` is "4.1", "master" or "staging"; `release_tag` is "" when there is none."""

    name: str
    ref: str
    oid: str
    tip_date: datetime
    release_tag: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A ref before and after a fetch; `old` is None for a new ref, `new` for one that went away."""

    ref: str
    old: str | None
    new: str | None


def create_mirror(url_or_path: str, path: Path | str, *, follow: bool = True, only: str = "") -> None:
    """Makes a bare mirror of `url_or_path` at `path`, whole or not at all; `follow` where a server sends git elsewhere.

    `only`, as `host:port:addresses`, are the machines that are asked for that host whatever its name leads to (git 2.37
    or newer, over http).
    It is filled in a folder beside `path` and renamed into place, so an interrupted one leaves
    nothing there. Raises GitError `bad-url`, `exists`, `not-a-repository`, `unreachable` ….
    """
    source, target = _checked_source(url_or_path), Path(path).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target), _folder_beside(target) as work:
        if target.exists():
            raise GitError("exists", "A mirror is there already; fetch it instead of adding it again.")
        _fill(work, source, follow=follow, only=only)
        _move_into_place(work, target)


def set_source(path: Path | str, url_or_path: str) -> None:
    """Has the next fetch of a mirror come from `url_or_path`. Raises GitError `bad-url`, `not-a-repository` …."""
    source, target = _checked_source(url_or_path), Path(path).absolute()
    open_repository(target)
    with _alone(target):
        run_git(["config", f"remote.{_REMOTE}.url", source], git_dir=target)


def fetch_mirror(path: Path | str, *, only: str = "") -> list[Moved]:
    """Fetches what the source has now and drops refs that it dropped; answers which refs moved.

    `only` is as for `create_mirror`. Raises GitError `not-a-repository`, `unreachable`, `timeout` ….
    """
    mirror = Path(path).absolute()
    before = _refs(open_repository(mirror))
    with _alone(mirror):
        _drop_stale_locks(mirror)
        _fetch(mirror, only)
    return _moved(before, _refs(open_repository(mirror)))


def branches(path: Path | str) -> list[BranchTip]:
    """Every `stable-N.M`, oldest version first, then master and staging, as far as they exist."""
    repo = open_repository(path)
    refs = _refs(repo)
    releases = _release_tags(refs)
    tips = [_tip(repo, ref, oid, releases) for ref, oid in refs.items() if branch_name(ref)]
    return sorted(tips, key=lambda tip: version_key(tip.name))


def branch_oids(path: Path | str) -> dict[str, str]:
    """The tips of the same branches by name, without their dates and tags, which cost more to find."""
    refs = _refs(open_repository(path), "refs/heads/")
    return {name: oid for ref, oid in refs.items() if (name := branch_name(ref))}


def branch_name(ref: str) -> str | None:
    """The name under which we follow a full ref ("refs/heads/stable-4.1" is "4.1"); None for all others."""
    stable = STABLE_REF.fullmatch(ref)
    return stable.group(1) if stable else HEAD_REFS.get(ref)


def branch_ref(name: str) -> str:
    """The full ref of a branch name; a name that is a full ref already stays as it is."""
    if name.startswith("refs/"):
        return name
    return f"refs/heads/stable-{name}" if name[:1].isdigit() else f"refs/heads/{name}"


def version_key(name: str) -> tuple[int, ...]:
    """A sorting key: versions by their numbers, then master, then staging, then anything else."""
    if re.fullmatch(r"\d+(?:\.\d+)*", name):
        return (0, *map(int, name.split(".")))
    return ({"master": 1, "staging": 2}.get(name, 3),)


def _checked_source(url_or_path: str) -> str:
    source = refuse_option(url_or_path.strip(), "address")
    if _SCHEME.match(source) or _SSH_SHORT.match(source):
        return source
    if "::" in source or "://" in source:
        raise GitError("bad-url", "Only file, git, http, https and ssh addresses are allowed, or a path.")
    local = Path(source).expanduser().absolute()
    if not local.exists():
        raise GitError("not-a-repository", "There is nothing at that path; check it for a slip of the pen.")
    return str(local)


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    with (target.parent / f".{target.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise GitError("busy", "This mirror is being fetched already; try again when that is done.") from error
        yield


@contextlib.contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    for left_over in target.parent.glob(f".{glob.escape(target.name)}.*{_PARTIAL}"):
        shutil.rmtree(left_over, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=_PARTIAL, dir=target.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fill(work: Path, source: str, *, follow: bool, only: str) -> None:
    run_git(["init", "--quiet", "--bare", "--template=", str(work)])
    refuse = [] if follow else [("http.followRedirects", "false")]
    for key, value in (*_settings(source), *refuse):
        run_git(["config", "--add", key, value], git_dir=work)
    _fetch(work, only)
    if not _refs(open_repository(work)):
        raise GitError("empty-repository", "That repository has no branch yet; push one, then add it again.")


def _settings(source: str) -> list[tuple[str, str]]:
    fetch = [(f"remote.{_REMOTE}.fetch", refspec) for refspec in REFSPECS]
    keep = [("gc.auto", "0"), ("gc.pruneExpire", "never"), ("core.logAllRefUpdates", "false")]
    return [(f"remote.{_REMOTE}.url", source), (f"remote.{_REMOTE}.tagOpt", "--no-tags"), *fetch, *keep]


def _fetch(path: Path, only: str) -> None:
    pinned = ["-c", f"http.curloptResolve={only}"] if only else []
    fetch = [
        *pinned,
        "fetch",
        "--quiet",
        "--prune",
        "--force",
        "--no-tags",
        "--no-auto-maintenance",
        "--no-write-fetch-head",
    ]
    run_git([*fetch, _REMOTE], git_dir=path, timeout=TRANSFER_TIMEOUT)
    run_git(["pack-refs", "--all"], git_dir=path)
    run_git(["commit-graph", "write", "--reachable", "--changed-paths"], git_dir=path, timeout=TRANSFER_TIMEOUT)


def _drop_stale_locks(mirror: Path) -> None:
    """A killed git leaves lock files for ever; one that is this old has no process behind it."""
    for lock in [
        *mirror.glob("*.lock"),
        *mirror.glob("refs/**/*.lock"),
        *mirror.glob("objects/info/**/*.lock"),
    ]:
        with contextlib.suppress(OSError):
            if time.time() - lock.stat().st_mtime > STALE_LOCK_SECONDS:
                lock.unlink()


def _move_into_place(work: Path, target: Path) -> None:
    work.chmod(0o755 & ~_umask())
    try:
        work.rename(target)
    except OSError as error:
        raise GitError("exists", "A mirror is there already; fetch it instead of adding it again.") from error


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _refs(repo: pygit2.Repository, *folders: str) -> dict[str, str]:
    wanted = folders or ("refs/heads/", "refs/tags/")
    names = sorted(name for name in repo.references if name.startswith(wanted))
    return {name: str(repo.references[name].resolve().target) for name in names}


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> list[Moved]:
    changed = [ref for ref in sorted(before.keys() | after.keys()) if before.get(ref) != after.get(ref)]
    return [Moved(ref, before.get(ref), after.get(ref)) for ref in changed]


def _release_tags(refs: Mapping[str, str]) -> list[tuple[tuple[int, ...], str]]:
    found = ((match, ref) for ref in refs if (match := _RELEASE_TAG.fullmatch(ref)))
    return sorted(((version_key(match.group(1)), ref) for match, ref in found), reverse=True)


def _tip(repo: pygit2.Repository, ref: str, oid: str, releases: list[tuple[tuple[int, ...], str]]) -> BranchTip:
    name = branch_name(ref) or ref
    commit = commit_at(repo, oid)
    date = datetime.fromtimestamp(commit.commit_time, UTC)
    return BranchTip(name, ref, oid, date, _release_of(repo, name, commit, releases))


def _release_of(
    repo: pygit2.Repository, name: str, tip: pygit2.Commit, releases: list[tuple[tuple[int, ...], str]]
) -> str:
    key = version_key(name)
    own = [ref for version, ref in releases if key[0] == 0 and version[: len(key)] == key]
    reached = (ref for ref in own if _holds(repo, tip, commit_at(repo, ref)))
    best = next(reached, own[0] if own else "")
    return best.removeprefix("refs/tags/")


def _holds(repo: pygit2.Repository, tip: pygit2.Commit, commit: pygit2.Commit) -> bool:
    return tip.id == commit.id or repo.descendant_of(tip.id, commit.id)


def source_of(path: Path | str) -> str:
    """The address that a mirror is fetched from, fit to be shown: without user, password or query."""
    url = run_git(["config", "--get", f"remote.{_REMOTE}.url"], git_dir=path)
    return without_credentials(url.decode("utf-8", "replace").strip())
