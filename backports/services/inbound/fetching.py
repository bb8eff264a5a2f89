"""Mail taken from a mailbox by IMAP: kept first, then marked as read there; nothing is deleted."""

from __future__ import annotations

import imaplib
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, unquote, urlsplit

from celery import shared_task
from django.conf import settings

from backports.env import BadSetting
from backports.models import InboundMail
from xsa.identity import everything

from .door import receive

log = logging.getLogger(__name__)
AT_ONCE = 200
TIMEOUT = 30  # seconds that the server may take for one answer
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class MailboxError(Exception):
    """The mailbox cannot be read: a code, and a sentence that says what to do. Neither quotes the server."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@shared_task(name="backports.poll_mail")
@everything("mail-in")
def poll_mail() -> None:
    """Take what is new in the mailbox that MAIL_IMAP_URL names. A server that does not answer is asked next time."""
    if not settings.MAIL_IMAP_URL:
        return
    try:
        count = poll(settings.MAIL_IMAP_URL)
    except MailboxError as error:
        log.warning("mailbox not read code=%s: %s", error.code, error.sentence)
        return
    if count:
        log.info("mailbox read mails=%d", count)


def poll(url: str) -> int:
    """How many mails were taken; what dies half way is taken again, and is one mail all the same.

    Raises MailboxError, BadSetting.
    """
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
    context = _trust()
    with _told():
        box = _connected(parts.scheme, parts.hostname, parts.port, context)
        try:
            _enter(box, parts)
            yield box
        finally:
            # A server that hung up already is not one that failed.
            with suppress(OSError, imaplib.IMAP4.error):
                box.logout()


@contextmanager
def _told() -> Iterator[None]:
    """Turn what went wrong into a code and a sentence. A certificate's fault is an OSError too, so it comes first."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        sentence = (
            "The mail server's certificate is not trusted; no password was sent. Give the server one that is good for "
            "the name in MAIL_IMAP_URL, or name its authority's file in MAIL_IMAP_CA."
        )
        raise MailboxError("imap-not-trusted", sentence) from error
    except (OSError, imaplib.IMAP4.abort) as error:
        sentence = "The mail server does not answer. Check host and port in MAIL_IMAP_URL, and that it runs."
        raise MailboxError("imap-unreachable", sentence) from error
    except imaplib.IMAP4.error as error:
        sentence = "The mail server refused what it was asked. Look into its log."
        raise MailboxError("imap-refused", sentence) from error


def _trust() -> ssl.SSLContext:
    """Certificates are checked, and the name in them: against MAIL_IMAP_CA alone where that is set."""
    try:
        return ssl.create_default_context(cafile=settings.MAIL_IMAP_CA or None)
    except OSError as error:
        raise BadSetting("MAIL_IMAP_CA must name a file of certificates (PEM) that can be read.") from error


def _connected(scheme: str, host: str, port: int | None, context: ssl.SSLContext) -> imaplib.IMAP4:
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port or 993, ssl_context=context, timeout=TIMEOUT)
    box = imaplib.IMAP4(host, port or 143, timeout=TIMEOUT)
    try:
        _secure(box, host, context)
    except Exception:
        # Where TLS did not come about the connection is closed already.
        with suppress(OSError):
            box.shutdown()
        raise
    return box


def _secure(box: imaplib.IMAP4, host: str, context: ssl.SSLContext) -> None:
    if "STARTTLS" in box.capabilities:
        box.starttls(ssl_context=context)
    elif host not in LOOPBACK:
        sentence = "The mail server offers no TLS; no password was sent. Use imaps://, or have it offer STARTTLS."
        raise MailboxError("imap-no-tls", sentence)


def _enter(box: imaplib.IMAP4, parts: SplitResult) -> None:
    """Log in, and open the folder."""
    try:
        box.login(unquote(parts.username or ""), unquote(parts.password or ""))
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        sentence = "The mail server refused the login. Check user and password in MAIL_IMAP_URL."
        raise MailboxError("imap-login-refused", sentence) from error
    status, _ = box.select(_quoted(unquote(parts.path.lstrip("/")) or "INBOX"))
    if status != "OK":
        sentence = "The mailbox has no folder of that name. Check the path of MAIL_IMAP_URL, or make the folder."
        raise MailboxError("imap-no-folder", sentence)


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
