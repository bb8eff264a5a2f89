"""What kind of mail it is, before anything in it is looked at: some kinds are never answered."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from .letter import Head, Letter

MAX_HOPS = 30
_NOBODY = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|bounces?)(?:[+=-].*)?@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why a mail ends here and answers nothing."""

    code: str
    sentence: str


def unanswered(letter: Letter, own: Collection[str]) -> Unanswered | None:
    """Why this mail is none that a person wrote to us; None for one that may be. `own` are this room's addresses."""
    head = letter.head
    if letter.kind == "multipart/report" or head.get("return-path") == "<>" or _is_failure(head):
        return Unanswered("bounce", "It is a notice that a mail could not be delivered.")
    if head.address in own or head.get("x-loop").lower() in own:
        return Unanswered("loop", "It is from this room's own address: a mail of ours came back.")
    if head.count("received") > MAX_HOPS:
        return Unanswered("loop", f"It went through more than {MAX_HOPS} machines.")
    if _is_automatic(head):
        return Unanswered("autoresponder", "It says that a machine answered it.")
    if head.get("x-spam-flag").lower() == "yes" or head.get("x-spam-status").lower().startswith("yes"):
        return Unanswered("spam", "The mail server took it for spam.")
    return None


def _is_failure(head: Head) -> bool:
    return bool(head.get("x-failed-recipients")) or bool(_NOBODY.match(head.address))


def _is_automatic(head: Head) -> bool:
    told = head.get("auto-submitted").lower().split(";")[0].strip()
    if told.startswith("auto-"):
        return True
    marks = ("x-autoreply", "x-autorespond", "x-auto-reply-from")
    return any(head.get(name) for name in marks) or head.get("precedence").lower() == "auto_reply"
