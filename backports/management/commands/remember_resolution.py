from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from backports.engine.conflicts import Untold
from backports.engine.diff import MAX_BYTES
from backports.management.errors import clear_errors
from backports.management.operator import OperatorCommand
from backports.models import Attempt
from backports.services.resolutions import Remembered, remember
from xsa.models import Organisation, User

WORDS = {
    "file-not-finished": "the series does not change this file",
    "chunks-joined": "one change covers this chunk and another",
    "changed-beside": "the change goes beyond the chunk",
    "left-alone": "the chunk was left as it is, while other lines were changed",
    "answered-both-ways": "the same chunk stands in several places and was answered in several ways",
    "unfinished": "there are conflict markers in it",
    "too-long": "the answer is too long",
}


class Command(OperatorCommand):
    help = (
        "Keep what a finished patch series says to the conflicts of an attempt, so that it is offered where the "
        "same conflicts meet again. The series must apply to the commit that the attempt was made on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("attempt", type=UUID, help="the attempt's id, as in its page's address")
        parser.add_argument("--as", dest="actor", required=True, help="the name of the person whose answer it is")
        parser.add_argument("--patch", type=Path, required=True, help="the finished series: patches one after another")
        parser.add_argument("--organisation", help="for whom, when the person belongs to several organisations")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(username=options["actor"]).first()
        if actor is None:
            raise CommandError(f"no-such-person: There is no person {options['actor']!r}.")
        actor.cleared = True  # the operator of the machine vouches for the person
        attempt = Attempt.objects.select_related("advisory", "branch__repository").filter(pk=options["attempt"]).first()
        if attempt is None:
            raise CommandError("no-such-attempt: There is no attempt with this id; its page's address holds it.")
        organisation = named(options["organisation"])
        with clear_errors():
            done = remember(actor, attempt=attempt, finished=read(options["patch"]), organisation=organisation)
        self.report(done)

    def report(self, done: Remembered) -> None:
        self.stdout.write(f"{done.new} kept, {done.known} known already, {len(done.untold)} not told apart")
        for one in done.untold:
            self.stdout.write(f"  {place(one)}: {one.code}: {WORDS[one.code]}")


def place(one: Untold) -> str:
    """Path and lines, as a person counts them."""
    return f"{one.conflict.path}:{one.conflict.start + 1}"


def named(name: str | None) -> Organisation | None:
    """The organisation of that name; None when none was named."""
    if not name:
        return None
    found = Organisation.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"no-such-organisation: There is no organisation {name!r}.")
    return found


def read(path: Path) -> bytes:
    """The bytes of a series, at most one more than the engine takes."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"missing-file: {path}: {error.strerror}.") from error
