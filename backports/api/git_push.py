"""A push, ref by ref: what it is for, what became of it, and the words that git prints behind “remote:”."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from backports.git import offering, packets, pushed
from backports.git.errors import GitError
from backports.git.packets import NO_OID, Command, Push
from backports.models import BackportVersion, Branch
from backports.services import pushing
from backports.services.errors import NotDone
from backports.services.git_refs import Shown
from backports.services.receiving import Received
from backports.web.words import OUTCOMES
from xsa.models import Advisory

from .backports import place
from .problems import Problem
from .speaking import speaker

FOR = b"refs/for/"
_FOR = re.compile(rb"refs/for/(?:([-A-Za-z0-9_]{1,100})/)?([A-Za-z0-9][A-Za-z0-9_.+-]{0,99})")
_NO_BRANCH = "There is no such branch. Push to refs/for/<branch>, or refs/for/<repository>/<branch>."


class _Answer:
    """What is told of each ref ("": it was taken), of the pack, and in words."""

    def __init__(self, push: Push) -> None:
        self.push = push
        self.unpacked = "ok"
        self.codes: dict[bytes, str] = dict.fromkeys((one.name for one in push.commands), "")
        self.lines: list[str] = []

    def refuse(self, commands: Iterable[Command], code: str, sentence: str) -> None:
        self.codes |= {one.name: code for one in commands}
        self.lines += [f"{one.shown}: {sentence}" for one in commands]

    def say(self, *lines: str) -> None:
        self.lines += lines

    def packed(self) -> bytes:
        """As git reads it; what a terminal would take for more than text is left out."""
        lines = ["".join(char if char.isprintable() else "?" for char in line) for line in self.lines]
        return packets.report(self.push, unpacked=self.unpacked, codes=self.codes, lines=lines)


def answer_to(push: Push, *, user: Any, advisory: Advisory, among: Shown) -> bytes:
    """Receive what can be received, and answer for all of it. Raises GitError `busy`."""
    told = _Answer(push)
    if meant := dict(_meant(told, user, advisory)):
        with offering.offered(among.parts) as path:
            if _took(path, told, meant):
                push_to = partial(pushing.push, user, advisory=advisory, repository=path, among=among)
                for command, branch in meant.items():
                    _receive(told, command, user, partial(push_to, branch=branch, tip=command.new))
    return told.packed()


def _meant(told: _Answer, user: Any, advisory: Advisory) -> Iterator[tuple[Command, Branch]]:
    for command in told.push.commands:
        try:
            yield command, _branch_of(user, advisory, command)
        except (NotDone, Problem) as error:
            told.refuse([command], error.code, error.sentence)


def _branch_of(user: Any, advisory: Advisory, command: Command) -> Branch:
    """Which branch a ref is for. Raises NotDone, Problem."""
    if not command.name.startswith(FOR):
        raise NotDone("not-yours", "The server alone makes this ref. Push to refs/for/<branch>.")
    if command.new == NO_OID:
        raise NotDone("no-deleting", "A push takes nothing away. Withdraw a backport on its page.")
    if (found := _FOR.fullmatch(command.name)) is None:
        raise NotDone("no-such-branch", _NO_BRANCH)
    repository, name = (part.decode() if part else "" for part in found.groups())
    _, branch = place(user, advisory.number, name, repository)
    if branch is None:
        raise NotDone("no-such-branch", _NO_BRANCH)
    return branch


def _took(path: Path, told: _Answer, commands: Iterable[Command]) -> bool:
    try:
        pushed.take(path, told.push.pack)
    except GitError as error:
        told.unpacked = error.code
        told.refuse(commands, error.code, error.sentence)
        return False
    return True


def _receive(told: _Answer, command: Command, user: Any, work: Callable[..., Received]) -> None:
    try:
        with transaction.atomic():
            received = work(organisation=speaker(user, None))
    except (NotDone, Problem, GitError) as error:
        told.refuse([command], error.code, error.sentence)
    except PermissionDenied as error:
        told.refuse([command], "not-allowed", str(error))
    else:
        _tell(told, command, received)


def _tell(told: _Answer, command: Command, received: Received) -> None:
    if received.version is None:
        told.refuse([command], received.upload.problem_code, f"Kept, but no version: {received.upload.problem}")
        told.say(_link("upload", received.upload.pk))
        return
    told.say(*_verdict(received.version, created=received.created))


def _verdict(version: BackportVersion, *, created: bool) -> list[str]:
    backport = version.backport
    branch = backport.branch
    new = "new" if created else "there already"
    hunks = f"{version.hunks_landed} of {version.hunks_total} hunks"
    confidence = f", confidence {version.confidence}" if version.confidence else ""
    cell = f"{branch.repository.name}/{branch.name}"
    verdict = f"{OUTCOMES[version.outcome].name}, {hunks}{confidence}"
    return [
        f"XSA-{backport.advisory.number} {cell} v{version.number} ({new}, {backport.life}): {verdict}",
        *([version.problem] if version.problem else []),
        *(str(note["sentence"]) for note in version.notes),
        _link("backport_version", backport.pk, version.number),
    ]


def _link(name: str, *args: object) -> str:
    return f"  {settings.PUBLIC_URL}{reverse(name, args=args)}"
