"""What an upload may be for: the advisory by what it says of itself, the branch by that and by where it fits.

    {"kind", "patches": [{"name", "subject", "paths"}],
     "advisories": [{"number", "named", "why"}],
     "branches": [{"id", "repository", "name", "named", "why", "standing", "hunks"}], the likeliest first}

A proposal is shown for confirmation and decides nothing. `standing` of `hunks` of the patches stand word for word in
the branch's files, or how they leave them does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pygit2

from backports.engine.diff import FileDiff, Patch
from backports.engine.intake import Intake
from backports.git.bases import first_touches
from backports.git.errors import GitError
from backports.git.intended import Guess, Sure, intended
from backports.git.store import content_at, open_repository, tree_at
from backports.models import Branch
from xsa.models import User
from xsa.visibility import visible_advisories, visible_to

from .evidence import text
from .places import mirror_path
from .planning import FIRST_RANK
from .sources import STAGING_RANK

MOST_BRANCHES = 60
SHOWN = 5
MOST_PATHS = 20


def propose(actor: User, intake: Intake, name: str) -> dict[str, Any]:
    """What the patches may be for, of what `actor` may see."""
    rows = _candidates(actor)
    said = intended(name, intake.patches, {row.name for row in rows})
    return {
        "kind": intake.kind.value,
        "patches": [_patch(one.name, one.patch) for one in intake.patches],
        "advisories": _advisories(actor, said.advisories),
        "branches": _branches(rows, intake.parsed, said.branches),
    }


def _patch(name: str, patch: Patch) -> dict[str, Any]:
    paths = list(dict.fromkeys(text(file.path) for file in patch.files))
    return {"name": text(name), "subject": text(patch.subject), "paths": paths[:MOST_PATHS]}


def _advisories(actor: User, said: Sequence[Guess]) -> list[dict[str, Any]]:
    """Those of the named ones that the actor may see: others do not exist for them."""
    numbers = [int(one.value) for one in said]
    known = set(visible_advisories(actor).filter(number__in=numbers).values_list("number", flat=True))
    return [
        {"number": int(one.value), "named": one.sure > Sure.MENTIONED, "why": text(one.why)}
        for one in said
        if int(one.value) in known
    ]


def _branches(rows: Sequence[Branch], patches: Sequence[Patch], said: Sequence[Guess]) -> list[dict[str, Any]]:
    """Named ones first; then those where most stands, an organisation's own before upstream's."""
    why = {one.value: one.why for one in said}
    standing = _Standing(patches)
    scored = [(row, why.get(row.name, ""), standing.on(row)) for row in rows]
    likely = [one for one in scored if one[1] or one[2]]
    likely.sort(key=lambda one: (not one[1], -one[2], one[0].repository.organisation_id is None, -one[0].rank))
    return [_branch(row, told, found, standing.total) for row, told, found in likely[:SHOWN]]


def _candidates(actor: User) -> list[Branch]:
    rows = Branch.objects.filter(gone=False, history_only=False, rank__gte=FIRST_RANK, rank__lt=STAGING_RANK)
    return list(visible_to(actor, rows.select_related("repository")).order_by("-rank")[:MOST_BRANCHES])


def _branch(row: Branch, why: str, standing: int, total: int) -> dict[str, Any]:
    told = text(why) if why else f"{standing} of {total} hunks stand there as they are."
    return {
        "id": str(row.pk),
        "repository": row.repository.name,
        "name": row.name,
        "why": told,
        "named": bool(why),
        "standing": standing,
        "hunks": total,
    }


class _Standing:
    """How many hunks stand in a branch's files, as they expect them or as they leave them; each blob is read once."""

    def __init__(self, patches: Sequence[Patch]) -> None:
        self.files = [file for file in first_touches(patches) if file.hunks]
        self.total = sum(len(file.hunks) for file in self.files)
        self._repositories: dict[str, pygit2.Repository] = {}
        self._found: dict[tuple[int, bytes], int] = {}

    def on(self, branch: Branch) -> int:
        """The count for one branch; 0 where its repository cannot be read."""
        try:
            tree = tree_at(self._open(branch.repository.name), branch.tip)
        except GitError:
            return 0
        return sum(self._in(at, file, content_at(tree, file.old_path or "")) for at, file in enumerate(self.files))

    def _open(self, name: str) -> pygit2.Repository:
        if name not in self._repositories:
            self._repositories[name] = open_repository(mirror_path(name))
        return self._repositories[name]

    def _in(self, at: int, file: FileDiff, data: bytes) -> int:
        key = at, hashlib.sha256(data).digest()
        if key not in self._found:
            self._found[key] = sum(
                b"".join(hunk.preimage) in data or b"".join(hunk.postimage) in data for hunk in file.hunks
            )
        return self._found[key] if data else 0
