"""Mail taken from a mailbox by IMAP: kept first, then marked as read there; nothing is deleted."""

from __future__ import annotations

import imaplib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from celery import shared_task
from django.conf import settings

from backports.env import BadSetting
from backports.models import InboundMail
from xsa.identity import everything

from .door import receive

log = logging.getLogger(__name__)
AT_ONCE = 200
TIMEOUT = 30  # seconds that the server may take for one answer


@shared_task(name="backports.poll_mail")
@everything("mail-in")
def poll_mail() -> None:
    """Take what is new in the mailbox that MAIL_IMAP_URL names. A server that does not answer is asked next time."""
    if not settings.MAIL_IMAP_URL:
        return
    try:
        count = poll(settings.MAIL_IMAP_URL)
    except (OSError, imaplib.IMAP4.error) as error:
        log.warning("mailbox not read error=%s", type(error).__name__)
        return
    if count:
        log.info("mailbox read mails=%d", count)


def poll(url: str) -> int:
    """How many mails were taken; what dies half way is taken again, and is one mail all the same."""
    count = 0
    with _mailbox(url) as box:
        _, found = box.uid("SEARCH", "UNSEEN")
        for uid in (found[0] or b"").split()[:AT_ONCE]:
            raw = _one(box, uid.decode())
            if raw is not None:
                receive(raw, via=InboundMail.Via.IMAP)
                box.uid("STORE", uid.decode(), "+FLAGS", r"(\Seen)")
                count += 1
    return count


def _one(box: imaplib.IMAP4, uid: str) -> bytes | None:
    _, parts = box.uid("FETCH", uid, "(BODY.PEEK[])")
    return next((part[1] for part in parts if isinstance(part, tuple)), None)


@contextmanager
def _mailbox(url: str) -> Iterator[imaplib.IMAP4]:
    """`imaps://user:password@host:port/folder`; `imap` asks for STARTTLS, and is in clear on this machine alone."""
    parts = urlsplit(url)
    if parts.scheme not in ("imap", "imaps") or not parts.hostname:
        raise BadSetting("MAIL_IMAP_URL must be imaps://user:password@host/folder.")
    box = _connected(parts.scheme, parts.hostname, parts.port)
    try:
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
        status, _ = box.select(_quoted(unquote(parts.path.lstrip("/")) or "INBOX"))
        if status != "OK":
            raise imaplib.IMAP4.error("there is no such folder")
        yield box
    finally:
        box.logout()


def _connected(scheme: str, host: str, port: int | None) -> imaplib.IMAP4:
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port or 993, timeout=TIMEOUT)
    box = imaplib.IMAP4(host, port or 143, timeout=TIMEOUT)
    if "STARTTLS" in box.capabilities:
        box.starttls()
    elif host not in ("127.0.0.1", "::1", "localhost"):
        box.logout()
        raise imaplib.IMAP4.error("the server offers no TLS")
    return box


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
