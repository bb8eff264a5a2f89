"""`manage.py bench_mail_in`."""

from __future__ import annotations

import resource
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Count
from django.utils import timezone

from backports.bench.hostile import Writer
from backports.bench.mailbag import Bag, mails
from backports.bench.room import member
from backports.management.operator import OperatorCommand
from backports.models import InboundMail
from backports.pgp import load_room_key, make_room_key
from backports.services import demo
from backports.services.demo_room import BRANCH, NUMBER
from backports.services.inbound import handling
from backports.services.inbound.door import receive
from xsa.formats.keys import read_key
from xsa.formats.signature import make_demo_key
from xsa.models import Advisory, PatchFile, User

ORGANISATIONS = 20


class Command(OperatorCommand):
    help = (
        "Bring in a thousand mails, good and hostile ones, in one process, and count their ends. Needs a data folder "
        "of its own (DATA=) that is empty."
    )
    recorded = False  # it begins with an empty folder, where there is no table to write to

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mails", type=int, default=1_000, help="how many (1,000)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        if Advisory.objects.exists():
            raise CommandError("not-empty: The bench needs an empty data folder; set DATA to a new one.")
        demo.load()
        bag = _bag()
        made = list(mails(bag, options["mails"]))
        self.stdout.write(f"{len(made)} mails of {sum(map(len, made)) / 1e6:.1f} MB, of {ORGANISATIONS} organisations")
        kept = self.keep(made)
        self.look_at(kept)
        self.account(made, kept)

    def keep(self, made: Sequence[bytes]) -> list[Any]:
        began = time.monotonic()
        kept = list(dict.fromkeys(receive(raw, via=InboundMail.Via.PIPE).pk for raw in made))
        took = time.monotonic() - began
        self.stdout.write(f"kept in {took:.1f} s: {len(made) / took:.0f} mails a second")
        return kept

    def look_at(self, kept: Sequence[Any]) -> None:
        began, before = time.monotonic(), _megabytes()
        for pk in kept:
            handling.handle(pk)
        took = time.monotonic() - began
        self.stdout.write(
            f"looked at in {took:.1f} s by one process: {len(kept) / took:.1f} mails a second; "
            f"its memory at most {_megabytes():.0f} MB, {before:.0f} before"
        )

    def account(self, made: Sequence[bytes], kept: Sequence[Any]) -> None:
        """Every mail and its end. Raises CommandError when one has none."""
        rows = InboundMail.objects.order_by("state", "code").values_list("state", "code").annotate(Count("pk"))
        for state, code, number in rows:
            self.stdout.write(f"  {state:12} {code:22} {number:5}")
        ends = Counter(dict(InboundMail.objects.order_by().values_list("state").annotate(Count("pk"))))
        same = len(made) - len(kept)
        told = ", ".join(f"{number} {state}" for state, number in ends.most_common())
        self.stdout.write(f"{len(made)} came: {told}, {same} the same as one before")
        if ends["waiting"] or sum(ends.values()) + same != len(made):
            raise CommandError("lost: Not every mail has its end.")


def _bag() -> Bag:
    secret, public = make_demo_key("Example Project", "security@project.example")
    path = Path(settings.DATA_DIR) / "bench-project.asc"
    path.write_bytes(public)
    settings.ADVISORY_KEYS, settings.ROOM_ADDRESSES = [path], ["room@backports.example"]
    room = _room_key()
    file = PatchFile.objects.get(version__advisory__number=NUMBER, kind=PatchFile.Kind.PATCH)
    patch = bytes(file.data).decode("utf-8", "replace").partition("\n\n")[2]
    writers = [_writer(turn) for turn in range(ORGANISATIONS)]
    return Bag(writers, room, secret, patch, timezone.now().replace(microsecond=0))


def _room_key() -> bytes:
    if settings.ROOM_KEY.exists():
        return load_room_key(settings.ROOM_KEY).public.encode()
    return make_room_key(settings.ROOM_KEY, name="Room", address="room@backports.example").public.encode()


def _writer(turn: int) -> Writer:
    user = member(f"writer-{turn}", listed=True)
    address = f"writer-{turn}@member-{turn}.example"
    User.objects.filter(pk=user.pk).update(email=address)
    secret, public = make_demo_key(f"Example {turn}", address)
    key, place = read_key(public.decode(), now=timezone.now()), user.memberships.get().organisation
    place.pgp_key, place.pgp_fingerprint = key.armoured, key.fingerprint
    place.save()
    return Writer(address, secret, NUMBER, BRANCH)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
