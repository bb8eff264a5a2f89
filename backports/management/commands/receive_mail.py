"""`manage.py receive_mail`: one mail on standard input, as mail servers pipe it."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.db import Error

from backports.mail.reading import MAX_MAIL
from backports.management.operator import OperatorCommand
from backports.models import InboundMail
from backports.services.inbound.door import receive


class Command(OperatorCommand):
    """Exit codes are sendmail's: 0 when the mail was kept, whatever it holds; 75 when it must be brought again."""

    help = "Take in one mail from standard input; a mail server's pipe. Exits with 0 (kept) or 75 (try again later)."
    recorded = False  # a record for each mail is written with its end

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (Error, OSError) as error:
            self.stderr.write(f"not-kept: {type(error).__name__}; try again later")
            sys.exit(os.EX_TEMPFAIL)

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(MAX_MAIL + 1)
        while sys.stdin.buffer.read(1 << 20):  # the rest of one that is too large; whoever writes it must get rid of it
            pass
        receive(raw, via=InboundMail.Via.PIPE)
