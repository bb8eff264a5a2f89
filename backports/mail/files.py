"""Mail as files in the data folder, where no server is named."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from django.core.mail.backends.filebased import EmailBackend as Files
from django.utils import timezone


class EmailBackend(Files):
    """Django's own, in a folder and in files that only their owner can open: links in mails are keys."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Path(self.file_path).chmod(0o700)

    def open(self) -> bool:
        """A new file for what is sent, that no other process writes to; whether it was opened just now."""
        if self.stream is not None:
            return False
        self._fname = self._new_name()
        self.stream = open(self._fname, "xb", opener=_closed)  # noqa: SIM115
        return True

    def write_message(self, message: Any) -> None:
        """Each mail in a file of its own, also where one connection sends several."""
        if self.stream is not None and self.stream.tell():
            self.close()
            self.open()
        super().write_message(message)

    def _new_name(self) -> str:
        """Names sort as the mails were sent, to the microsecond; the end tells apart what was sent at the same moment.

        Django's own names hold the second and an address in memory, which two worker processes can share.
        """
        return str(Path(self.file_path) / f"{timezone.now():%Y%m%d-%H%M%S-%f}-{secrets.token_hex(8)}.log")


def _closed(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
