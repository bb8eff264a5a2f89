"""A partly applied attempt that a person finishes: an answer to each conflict, then a version like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backports.engine.conflicts import Conflict, settled
from backports.engine.diff import Patch
from backports.engine.locate import split_lines
from backports.export.mbox import as_mbox
from backports.git.patches import format_series
from backports.git.proposals import patch_with
from backports.git.results import open_results
from backports.git.store import open_repository
from backports.models import Attempt
from backports.models.upload import CameBy
from xsa.models import Organisation, User
from xsa.permissions import can_backport, demand

from . import answering
from .errors import NotDone
from .evidence import text
from .open_conflicts import conflicts_of, files_left
from .places import mirror_path, results_path
from .receiving import Origin, Received, submit
from .siblings import tried_on_siblings
from .sources import read_source

NO_SUBJECT = "finish what did not land by itself"


@dataclass(frozen=True, slots=True)
class Open:
    """A conflict that waits for an answer, with the file's lines around it as the attempt left them."""

    conflict: Conflict
    before: Sequence[bytes]
    after: Sequence[bytes]


AROUND = 6


def open_conflicts(attempt: Attempt) -> list[Open]:
    """What a person has to answer, in order. Raises GitError when the attempt's files are gone."""
    asked = conflicts_of(attempt).asked
    files = {path: split_lines(data) for path, data in files_left(attempt, asked).items()}
    return [
        Open(one, files[one.path][max(0, one.start - AROUND) : one.start], files[one.path][one.stop :][:AROUND])
        for one in asked
        if one.path in files
    ]


def is_whole(attempt: Attempt) -> bool:
    """Whether answers to all of them finish the fix; else some of it has no place that could be asked about."""
    return conflicts_of(attempt).whole


def finish(
    actor: User, *, organisation: Organisation, attempt: Attempt, answers: Sequence[bytes], note: str = ""
) -> Received:
    """Put the answers, in the order of `open_conflicts`, in their places, and make a version of the result.

    It is tried on the sibling branches too. Once it is shared, the answers are remembered for where the same conflicts
    meet again. Raises PermissionDenied, NotDone, GitError.
    """
    demand(can_backport(actor, organisation))
    files = _finished(attempt, answers)
    data = _series(attempt, files)
    siblings = tried_on_siblings(attempt, data)
    received = submit(
        actor,
        organisation=organisation,
        name=f"xsa{attempt.advisory.number}-{attempt.branch.name}.patch",
        data=data,
        advisory=attempt.advisory,
        branch=attempt.branch,
        came_by=CameBy.BROWSER,
        origin=Origin(attempt=attempt, note=note, siblings=siblings),
    )
    if received.version is not None:
        answering.tell(actor, backport=received.version.backport)
    return received


def _finished(attempt: Attempt, answers: Sequence[bytes]) -> dict[str, bytes]:
    """The files with every conflict settled; theirs where ours did not touch it."""
    asked = [one.conflict for one in open_conflicts(attempt)]
    if not asked or len(asked) != len(answers):
        raise NotDone("other-conflicts", "The conflicts are others now. Look at the page again.")
    given = {id(one): split_lines(answer) for one, answer in zip(asked, answers, strict=True)}
    told = {(one.path, one.start): given[id(one)] for one in asked}
    found = conflicts_of(attempt).found
    pairs = [(one, one.chunk.theirs if one.clean else told.get((one.path, one.start))) for one in found]
    settle = [(one, answer) for one, answer in pairs if answer is not None]
    files = files_left(attempt, [one for one, _ in settle])
    return {path: settled(data, [pair for pair in settle if pair[0].path == path]) for path, data in files.items()}


def _series(attempt: Attempt, files: Mapping[str, bytes]) -> bytes:
    """One patch where the fix is one: what landed and the answers together. Else the patches that landed, in order,
    and the answers as one more.
    """
    name = attempt.branch.repository.name
    mirror = mirror_path(name)
    if not attempt.result:
        return _mail(_first(attempt), patch_with(open_repository(mirror), attempt.tip, attempt.tip, files))
    repo = open_results(results_path(name, attempt.advisory.number), mirror)
    landed = format_series(repo, attempt.tip, attempt.result)
    if len(landed) == 1 and len(attempt.evidence.get("patches", ())) <= 1:
        return _mail(_first(attempt), patch_with(repo, attempt.tip, attempt.result, files))
    last = Patch(files=(), subject=NO_SUBJECT, author=_author(_first(attempt)))
    return as_mbox([*landed, _mail(last, patch_with(repo, attempt.result, attempt.result, files))])


def _first(attempt: Attempt) -> Patch | None:
    """The first patch of the fix that was tried: its message goes along with the finished one."""
    source = read_source(attempt.source) if attempt.source else None
    return source.patches[0] if source and source.patches else None


def _author(patch: Patch | None) -> str:
    return patch.author if patch else ""


def _mail(patch: Patch | None, diff: bytes) -> bytes:
    subject = " ".join(text(patch.subject).split()) if patch else NO_SUBJECT
    head = [f"From: {text(patch.author)}"] if patch and patch.author else []
    head += [f"Date: {text(patch.date)}"] if patch and patch.date else []
    body = [*text(patch.body).splitlines(), ""] if patch and patch.body else []
    lines = [*head, f"Subject: [PATCH] {subject}", "", *body, "---", ""]
    return ("\n".join(lines) + "\n").encode() + diff + b"-- \n2.39\n\n"
