"""The conflict chunks that an attempt leaves, in its evidence and out of it, and the files that they stand in.

    {"conflicts": {"whole": true when answers to all of them finish the fix,
                   "chunks": [{"path", "start", "stop", "clean", "key", "base", "ours", "theirs"}]}}

`start` and `stop` are 0-based lines of the file as the attempt left it, the three sides text with its line ends.
Evidence holds text and no bytes: a chunk whose key says that its bytes were others is not read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from backports.engine.conflicts import Conflict, Conflicts, conflicts
from backports.engine.locate import split_lines
from backports.engine.resolutions import Chunk
from backports.engine.result import Outcome, SeriesResult
from backports.engine.tree import TreeReader
from backports.git.store import open_repository
from backports.git.tree import GitTree, diff_lines
from backports.models import Attempt

from .evidence import text
from .places import mirror_path, results_path

MAX_BYTES = 512 * 1024
LEFT_OPEN = (Outcome.PARTLY_APPLIED, Outcome.CONFLICT)


def conflict_evidence(result: SeriesResult, tree: TreeReader) -> dict[str, Any]:
    """The `conflicts` part of an attempt's evidence; {} for a result that leaves none that can be told."""
    if result.outcome not in LEFT_OPEN:
        return {}
    left = conflicts(result, tree, diff_lines)
    chunks = [_as_json(one) for one in _within_budget(left.found)]
    return {"conflicts": {"whole": left.whole and len(chunks) == len(left.found), "chunks": chunks}} if chunks else {}


def _within_budget(found: Iterable[Conflict]) -> list[Conflict]:
    kept, left = [], MAX_BYTES
    for one in found:
        left -= sum(len(line) for side in (one.chunk.base, one.chunk.ours, one.chunk.theirs) for line in side)
        if left >= 0:
            kept.append(one)
    return kept


def _as_json(one: Conflict) -> dict[str, Any]:
    return {
        "path": text(one.path),
        "start": one.start,
        "stop": one.stop,
        "clean": one.clean,
        "key": one.chunk.key,
        "base": text(b"".join(one.chunk.base)),
        "ours": text(b"".join(one.chunk.ours)),
        "theirs": text(b"".join(one.chunk.theirs)),
    }


def conflicts_of(attempt: Attempt) -> Conflicts:
    """The conflicts that an attempt's evidence tells, as far as they can be read back."""
    told = attempt.evidence.get("conflicts", {})
    rows = told.get("chunks", ())
    found = tuple(one for one, key in map(_from_json, rows) if one.chunk.key == key)
    return Conflicts(found, bool(found) and told["whole"] and len(found) == len(rows))


def _from_json(row: Mapping[str, Any]) -> tuple[Conflict, str]:
    base, ours, theirs = (tuple(split_lines(row[side].encode())) for side in ("base", "ours", "theirs"))
    return Conflict(row["path"], row["start"], row["stop"], Chunk(base, ours, theirs), row["clean"]), row["key"]


def left_tree(attempt: Attempt) -> GitTree:
    """The tree as the attempt left it. Raises GitError when it is gone."""
    name = attempt.branch.repository.name
    where = results_path(name, attempt.advisory.number) if attempt.result else mirror_path(name)
    return GitTree(open_repository(where), attempt.result or attempt.tip)


def files_left(attempt: Attempt, found: Iterable[Conflict]) -> dict[str, bytes]:
    """The files of these conflicts as the attempt left them, by path; one where the chunks do not stand is left out.

    Raises GitError when the attempt's repository is gone.
    """
    tree, files = left_tree(attempt), {}
    rows = list(found)
    for path in {one.path for one in rows}:
        blob = tree.read(path)
        lines = split_lines(blob.data) if blob else []
        here = [one for one in rows if one.path == path]
        if blob and all(tuple(lines[one.start : one.stop]) == one.chunk.ours for one in here):
            files[path] = blob.data
    return files
