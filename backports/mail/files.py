"""Mail as files in the data folder, where no server is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.mail.backends.filebased import EmailBackend as Files


class EmailBackend(Files):
    """Django's own, in a folder and in files that only their owner can open: links in mails are keys."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Path(self.file_path).chmod(0o700)

    def open(self) -> bool:
        """A new file for what is sent; whether it was opened just now."""
        if self.stream is not None:
            return False
        self.stream = open(self._get_filename(), "ab", opener=_closed)  # noqa: SIM115
        return True


def _closed(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
