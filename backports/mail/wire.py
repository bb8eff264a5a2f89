"""Handing a finished mail to Django's way out (files, or a server), without a byte changed."""

from __future__ import annotations

from email.message import EmailMessage as Built
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMessage


class Finished(EmailMessage):
    """A mail that is built already. `to` is whom the server is told; `bounces_to` whom it tells of failures."""

    def __init__(self, built: Built, *, to: str, bounces_to: str) -> None:
        super().__init__(subject=str(built["Subject"]), from_email=bounces_to, to=[parseaddr(to)[1]])
        self.built = built

    def message(self, *_: Any, **__: Any) -> Any:
        """The mail, as Django's ways out ask for it."""
        return _Bytes(self.built)


class _Bytes:
    """The few methods of a message that they call."""

    def __init__(self, built: Built) -> None:
        self._built = built

    def as_bytes(self, *_: Any, linesep: str = "\n", **__: Any) -> bytes:
        """The mail with these ends of lines."""
        return self._built.as_bytes(policy=self._built.policy.clone(linesep=linesep))

    def as_string(self, *_: Any, linesep: str = "\n", **__: Any) -> str:
        """The same as text."""
        return self.as_bytes(linesep=linesep).decode("ascii", "backslashreplace")

    def get_charset(self) -> None:
        """None: it is bytes already."""

    def __getitem__(self, name: str) -> Any:
        return self._built[name]

    def items(self) -> list[tuple[str, Any]]:
        """The headers."""
        return self._built.items()
