"""What a repository's history says about advisories: their fixes, and which branch has them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .errors import GitError
from .graph import Graph, graph_of, log_records
from .messages import Kind, advisories, cves, upstream_links
from .mirror import branch_ref, version_key
from .runner import run_git
from .store import HEX, commit_at, open_repository

_MENTIONS = ["--no-merges", "-i", "-E", r"--grep=\<xsa[- ]?[0-9]", "--format=%H%x1f%at%x1f%ct%x1f%B"]
_NAME = rb"\"?(?:[abiwco]/)?([^\t\n\r]+?)\"?[ \t]*(?:\t[^\n]*)?\r?"
_TOUCHED = re.compile(rb"^--- " + _NAME + rb"\n\+\+\+ " + _NAME + rb"$", re.MULTILINE)
_MOST_PATHS = 200
_PATHS_ASKED = 8
_MASTER = "master"
_STAGING = "staging"


@dataclass(frozen=True, slots=True)
class MinedCommit:
    """One commit of a fix. `upstream_oid` is the origin that its message names, full when it is known here."""

    oid: str
    subject: str
    author_date: datetime
    commit_date: datetime
    cves: tuple[str, ...] = ()
    upstream_oid: str | None = None


@dataclass(frozen=True, slots=True)
class MinedFix:
    """An advisory's fix as it was committed on one branch, oldest commit first.

    `branch` is where the commits were made: a commit that master has counts for master alone.
    `commits` leaves out what the branch reverted later; `follow_ups` mend what the fix left behind.
    """

    advisory: int
    branch: str
    commits: tuple[MinedCommit, ...]
    follow_ups: tuple[MinedCommit, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A commit of a branch that makes a given change; `by` is "patch-id" or "subject"."""

    oid: str
    by: str


def mine_fixes(path: Path | str) -> list[MinedFix]:
    """Every advisory's fix on every followed branch, by advisory, then by branch, stable ones first.

    Only commits that say that they are (part of) the fix count; see `messages` for the rules.
    Raises GitError `not-a-repository`, `timeout`.
    """
    graph = graph_of(path)
    rows: dict[tuple[int, str], dict[Kind, list[MinedCommit]]] = defaultdict(lambda: defaultdict(list))
    for oid, authored, committed, message in _mentions(path, graph):
        commit = _mined(graph, oid, authored, committed, message)
        for advisory, kind in advisories(message).items():
            for branch in _made_on(graph, oid):
                rows[advisory, branch][kind].append(commit)
    fixes = (_fix(advisory, branch, found) for (advisory, branch), found in rows.items())
    return sorted((fix for fix in fixes if fix.commits), key=lambda fix: (fix.advisory, version_key(fix.branch)))


def contained(path: Path | str, oids: Iterable[str], branches: Iterable[str]) -> dict[str, frozenset[str]]:
    """Which of these commits each branch holds and has not reverted.

    Raises GitError `no-such-branch`; an unknown commit is on no branch.
    """
    names, wanted = list(branches), frozenset(oids)
    graph = graph_of(path, names)
    return {name: frozenset(oid for oid in wanted if graph.holds(name, oid)) for name in names}


def is_ancestor(path: Path | str, ancestor: str, descendant: str) -> bool:
    """Whether `descendant` has `ancestor` in its history, or is it. Raises GitError `no-such-commit`."""
    repo = open_repository(path)
    old, new = commit_at(repo, ancestor).id, commit_at(repo, descendant).id
    return old == new or repo.descendant_of(new, old)


def fork_point(path: Path | str, branch: str, mainline: str = _MASTER) -> str:
    """The newest commit that a branch shares with the mainline. Raises GitError `no-such-commit`, `unrelated`."""
    repo = open_repository(path)
    tips = (commit_at(repo, branch_ref(name)).id for name in (branch, mainline))
    base = repo.merge_base(*tips)
    if base is None:
        raise GitError("unrelated", "These two branches have no common history; name another mainline.")
    return str(base)


def find_by_subject_or_patch_id(path: Path | str, branch: str, subject: str, patch_bytes: bytes) -> Found | None:
    """The commit of a branch that makes the same change as a patch, or has its subject; None when neither.

    The patch id is git's stable one (line numbers and white space do not count). What a stable branch
    shares with master is searched by subject only, its own commits by both; a commit that the branch
    reverted does not count. Without bytes only the subject counts. Raises GitError `no-such-branch`.
    """
    graph = graph_of(path, [branch])
    same = [oid for oid in graph.subjects.get(subject.strip(), ()) if subject and graph.holds(branch, oid)]
    wanted = patch_id(patch_bytes) if patch_bytes else None
    ids = patch_ids(path, same or _touching(path, _own_range(graph, branch), _touched(patch_bytes))) if wanted else {}
    equal = [oid for oid, found in ids.items() if found == wanted and graph.holds(branch, oid)]
    if equal:
        return Found(equal[0], "patch-id")
    return Found(same[0], "subject") if same else None


def patch_id(patch_bytes: bytes) -> str | None:
    """git's stable patch id of the first patch in `patch_bytes`; None when there is no diff in it."""
    lines = run_git(["patch-id", "--stable"], input=patch_bytes).split(b"\n")
    return lines[0].split()[0].decode() if lines[0].strip() else None


def _mentions(path: Path | str, graph: Graph) -> list[tuple[str, int, int, str]]:
    found = (
        (r[0], int(r[1]), int(r[2]), "\x1f".join(r[3:])) for r in log_records(path, graph.tips.values(), _MENTIONS)
    )
    return sorted(found, key=lambda record: -graph.order[record[0]])


def _mined(graph: Graph, oid: str, authored: int, committed: int, message: str) -> MinedCommit:
    author_date, commit_date = (datetime.fromtimestamp(seconds, UTC) for seconds in (authored, committed))
    subject = message.partition("\n")[0].strip()
    return MinedCommit(oid, subject, author_date, commit_date, cves(message), _upstream(graph, message))


def _upstream(graph: Graph, message: str) -> str | None:
    links = [graph.full_oid(link) or link for link in upstream_links(message)]
    on_master = (link for link in links if _MASTER in graph.names and graph.masks.get(link, 0) & graph.bit(_MASTER))
    whole = (link for link in links if HEX.fullmatch(link))
    return next(on_master, next(whole, None))


def _made_on(graph: Graph, oid: str) -> Collection[str]:
    """The branches to which a commit is attributed, less those that reverted it."""
    holders = graph.holders(oid)
    stable = [name for name in holders if name not in {_MASTER, _STAGING}]
    home = [_MASTER] if _MASTER in holders else stable or holders
    return [name for name in home if graph.holds(name, oid)]


def _fix(advisory: int, branch: str, found: Mapping[Kind, list[MinedCommit]]) -> MinedFix:
    return MinedFix(advisory, branch, tuple(found.get(Kind.FIX, ())), tuple(found.get(Kind.FOLLOW_UP, ())))


def _touched(patch_bytes: bytes) -> list[str]:
    names = (name.decode("utf-8", "surrogateescape") for pair in _TOUCHED.findall(patch_bytes) for name in pair)
    return [name for name in dict.fromkeys(names) if not name.startswith("/")]


def patch_ids(path: Path | str, oids: Iterable[str]) -> dict[str, str]:
    """git's stable patch id of each commit, by oid; one without a diff has none."""
    wanted = "".join(f"{oid}\n" for oid in oids).encode()
    if not wanted:
        return {}
    diff = ["diff-tree", "--stdin", "--root", "-p", "-r", "--no-color", "--full-index"]
    lines = run_git(["patch-id", "--stable"], input=run_git(diff, git_dir=path, input=wanted)).split(b"\n")
    return {oid: number for number, oid in (line.decode("ascii").split() for line in lines if line.strip())}


def _own_range(graph: Graph, branch: str) -> list[str]:
    mainline = [] if branch in {_MASTER, _STAGING} or _MASTER not in graph.tips else [f"^{graph.tips[_MASTER]}"]
    return [graph.tips[branch], *mainline]


def _touching(path: Path | str, commits: Sequence[str], names: Sequence[str]) -> list[str]:
    """The commits of a range that touch every one of these paths (of the first few, when there are many)."""
    if not 0 < len(names) <= _MOST_PATHS:
        return []
    ask = ["rev-list", "--no-merges", *commits, "--"]
    found = [run_git([*ask, f":(literal){name}"], git_dir=path).decode().split() for name in names[:_PATHS_ASKED]]
    common = frozenset(found[0]).intersection(*found[1:])
    return [oid for oid in found[0] if oid in common]
