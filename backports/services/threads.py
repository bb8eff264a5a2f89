"""The threads of the mails that the room sends: what they are named by, and how an answer is traced to an advisory."""

from __future__ import annotations

from email.utils import parseaddr

from django.conf import settings
from django.utils.crypto import salted_hmac


def about(number: int) -> str:
    """The name of the thread of all mails about one advisory alone."""
    return f"advisory {number}"


def address(thread: str) -> str:
    """What stands in `References` for a thread, in angle brackets; it tells nothing of the name. "" for no thread."""
    named = salted_hmac("backports.mail.thread", thread).hexdigest()[:32]
    return f"<thread.{named}@{domain()}>" if thread else ""


def domain() -> str:
    """The domain of the ids of our mails."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
