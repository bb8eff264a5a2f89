"""What mails say: one link, and nothing of what the link leads to."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

FOOT = "If you did not expect this mail, leave it alone: nothing happens without the link."


def invitation(address: str, token: str, days: int) -> EmailMessage:
    """To somebody who was invited."""
    link = settings.PUBLIC_URL + reverse("invitation", args=[token])
    text = f"You are invited to Xen backports. The link works once, within {days} days, for this address:\n\n{link}"
    return _mail("Invitation to Xen backports", text, address)


def password_reset(address: str, path: str) -> EmailMessage:
    """To somebody who asked for a new password."""
    text = f"Choose a new password here, within four hours:\n\n{settings.PUBLIC_URL}{path}"
    return _mail("A new password for Xen backports", text, address)


def _mail(subject: str, text: str, address: str) -> EmailMessage:
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, f"{text}\n\n{FOOT}\n", to=[address], headers=headers)
