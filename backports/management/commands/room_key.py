"""Make the key by which the room signs its mail and reads mail to it, or show which it is."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backports.pgp import PgpError, RoomKey, load_room_key, make_room_key


class Command(BaseCommand):
    """Works on a file alone; the database is not asked."""

    help = "Make the room's OpenPGP key in the file that ROOM_KEY names, if there is none, and print its fingerprint."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--public", action="store_true", help="print the public key too, to be handed out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = _key()
        except PgpError as error:
            raise CommandError(error.sentence) from error
        self.stdout.write(key.fingerprint)
        if options["public"]:
            self.stdout.write(key.public)


def _key() -> RoomKey:
    if settings.ROOM_KEY.exists():
        return load_room_key(settings.ROOM_KEY)
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return make_room_key(settings.ROOM_KEY, name=name, address=address)
