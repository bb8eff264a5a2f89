"""Compiles the results of attempts, where a branch has a command for it, and adds what is new to their evidence.

    {"compile": {"state": "clean", "new-diagnostics", "failed-before" or "not-run",
                 "code", "reason": why there is no answer, or "",
                 "diagnostics": [{"path", "line", "kind": "error" or "warning", "message"}], the new ones,
                 "more": how many of those are left out, "cut": whether a build wrote more than was read,
                 "last": the end of a build that failed, "seconds": both builds}}

It is a task of its own on a queue of its own, which a worker of its own takes from: an attempt never waits for it.
A result with new diagnostics is for review, whatever the ladder found, and no longer a source for the next older
branch. Nothing is compiled unless COMPILE_COMMANDS names a command for the branch.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from backports.engine.diagnostics import Diagnostic
from backports.engine.result import Confidence, Outcome
from backports.git.compiling import UNPACK_SECONDS, Compiled, Recipe, State, compile_change
from backports.git.errors import GitError
from backports.models import Attempt, Branch, Compilation
from xsa.identity import everything

from . import attempts
from .evidence import text
from .places import results_path
from .planning import replan_steps
from .recipes import recipe_for

log = logging.getLogger(__name__)
QUEUE = "compile"
FLAG = "does-not-compile"
KEY = "compile"
SEND_AT_ONCE = 200
SEND_AGAIN = timedelta(hours=1)
MAX_DIAGNOSTICS = 50
MAX_MESSAGE = 400


@shared_task(name="backports.sweep_compilations")
@everything("attempts")
def sweep_compilations() -> int:
    """Queue what is to be compiled and was not queued lately; returns how many messages were sent."""
    if not settings.COMPILE_COMMANDS:
        return 0
    _find_new()
    _give_up()
    now = timezone.now()
    unsent = Q(until=None) | Q(until__lt=now)
    rows = Compilation.objects.filter(unsent, state=Compilation.State.WAITING, attempt__current=True)
    order = ("-attempt__advisory__number", "-attempt__branch__rank")
    ids = list(rows.order_by(*order).values_list("pk", flat=True)[:SEND_AT_ONCE])
    Compilation.objects.filter(pk__in=ids, state=Compilation.State.WAITING).update(until=now + SEND_AGAIN)
    for pk in ids:
        message(pk)
    return len(ids)


def message(pk: uuid.UUID) -> None:
    """Tell the compile worker of one attempt."""
    transaction.on_commit(lambda: compile_attempt.apply_async(args=(str(pk),), queue=QUEUE))


def _find_new() -> None:
    """A row for each whole result, of a branch with a command, that has none."""
    branches = [one.pk for one in Branch.objects.select_related("repository").filter(gone=False) if recipe_for(one)]
    rows = Attempt.objects.filter(current=True, state=Attempt.State.DONE, outcome=Outcome.APPLIED, branch__in=branches)
    ids = rows.filter(compilation=None).exclude(result="").values_list("pk", flat=True)
    Compilation.objects.bulk_create([Compilation(attempt_id=pk) for pk in ids], ignore_conflicts=True)


def _give_up() -> None:
    """What a worker took and never finished is not tried again: it may be what killed the worker."""
    for row in Compilation.objects.filter(state=Compilation.State.RUNNING, until__lt=timezone.now()):
        sentence = "The worker that compiled it ended before the build did; try the cell again."
        if _finish(row.pk, row.lease, Compiled(State.NOT_RUN, code="worker-lost", reason=sentence)):
            log.warning("not compiled attempt=%s code=worker-lost", row.pk)


@shared_task(name="backports.compile_attempt")
@everything("attempts")
def compile_attempt(pk: str) -> str:
    """Compile one attempt's result. Returns what was found, or "" when there was nothing to do."""
    rows = Attempt.objects.select_related("advisory", "branch__repository").defer("evidence", "paths", "reasons")
    attempt = rows.filter(pk=pk, current=True, outcome=Outcome.APPLIED).exclude(result="").first()
    recipe = recipe_for(attempt.branch) if attempt else None
    if attempt is None or recipe is None:
        return ""
    lease = _claim(attempt, recipe)
    if lease is None:
        return ""
    compiled = _compile(attempt, recipe)
    if not _finish(attempt.pk, lease, compiled):
        return ""
    facts = (pk, compiled.state, compiled.code or "-", len(compiled.found), compiled.seconds)
    if compiled.state is State.NEW and replan_steps(attempt):
        attempts.send()
    log.info("compiled attempt=%s state=%s code=%s new=%d seconds=%.0f", *facts)
    return compiled.state


def _claim(attempt: Attempt, recipe: Recipe) -> uuid.UUID | None:
    """The right to finish it, until two builds must be over; None when it was taken or is done."""
    lease = uuid.uuid4()
    longest = 2 * recipe.limits.seconds + 3 * UNPACK_SECONDS
    waiting: QuerySet[Compilation] = Compilation.objects.filter(pk=attempt.pk, state=Compilation.State.WAITING)
    until = timezone.now() + timedelta(seconds=longest)
    taken = waiting.update(state=Compilation.State.RUNNING, lease=lease, until=until)
    return lease if taken else None


def _compile(attempt: Attempt, recipe: Recipe) -> Compiled:
    path = results_path(attempt.branch.repository.name, attempt.advisory.number)
    try:
        return compile_change(path, attempt.tip, attempt.result, recipe, settings.COMPILE_SCRATCH)
    except GitError as error:
        return Compiled(State.NOT_RUN, code=error.code, reason=error.sentence)
    except Exception as error:
        # The message may quote a source; the type is enough to find the place.
        log.error("compile failed attempt=%s error=%s", attempt.pk, type(error).__name__)
        return Compiled(State.NOT_RUN, code="internal-error", reason="The build could not be run; a mistake of ours.")


@transaction.atomic
def _finish(pk: uuid.UUID, lease: uuid.UUID | None, compiled: Compiled) -> bool:
    """Writes what was found, if the lease still holds."""
    mine = Compilation.objects.filter(pk=pk, lease=lease, state=Compilation.State.RUNNING)
    if not mine.update(state=Compilation.State.DONE, lease=None, until=None):
        return False
    attempt = Attempt.objects.select_for_update().get(pk=pk)
    attempt.evidence |= {KEY: as_json(compiled)}
    if compiled.state is State.NEW:
        _doubt(attempt, compiled)
    attempt.save(update_fields=["evidence", "reasons", "confidence"])
    return True


def _doubt(attempt: Attempt, compiled: Compiled) -> None:
    sentence = summary(compiled)
    first = compiled.found[0] if compiled.found else None
    flag = {
        "code": FLAG,
        "sentence": sentence,
        "path": text(first.path) if first else "",
        "lines": [first.line] if first and first.line else [],
        "around": [],
    }
    attempt.evidence["flags"] = [*attempt.evidence.get("flags", ()), flag]
    attempt.evidence["told"] = [*attempt.evidence.get("told", ()), sentence]
    attempt.reasons = [*attempt.reasons, sentence]
    attempt.confidence = Confidence.REVIEW


def summary(compiled: Compiled) -> str:
    """What is new, in a sentence."""
    errors = sum(one.kind == "error" for one in compiled.found)
    warnings = len(compiled.found) - errors
    counts = [
        f"{count} {word}{'s' * (count != 1)}" for count, word in ((errors, "error"), (warnings, "warning")) if count
    ]
    if not counts:
        return "the build fails with the patch, and not without it."
    return f"the compiler gives {' and '.join(counts)} with the patch that it does not give without it."


def as_json(compiled: Compiled) -> dict[str, Any]:
    """The `compile` part of the evidence."""
    return {
        "state": compiled.state.value,
        "code": compiled.code,
        "reason": compiled.reason,
        "diagnostics": [_diagnostic(one) for one in compiled.found[:MAX_DIAGNOSTICS]],
        "more": max(0, len(compiled.found) - MAX_DIAGNOSTICS),
        "cut": compiled.cut,
        "last": text(compiled.last),
        "seconds": round(compiled.seconds),
    }


def _diagnostic(one: Diagnostic) -> dict[str, Any]:
    message = text(one.message)[:MAX_MESSAGE]
    return {"path": text(one.path), "line": one.line, "kind": one.kind, "message": message}
