"""Advisories that come by mail, as Xen sends them: clear-signed text in the mail, and the files beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from backports.services.advisories import ingest
from xsa.formats.advisory import AdvisoryText, parse_advisory
from xsa.formats.errors import FormatError
from xsa.formats.signature import Signature, verify
from xsa.models import Advisory, User

from .ends import End, acted, quarantined, refused
from .opening import Opened

_SUBJECT = re.compile(r"\bXen Security Advisory\s+(?:XSA-)?(\d{1,6})\b", re.IGNORECASE)
_UNTIL = re.compile(
    r"\bembargo\w*[^\n]{0,40}?\buntil\b\s*:?\s*(\d{4}-\d{2}-\d{2})(?:[T ]+(\d{2}:\d{2}))?", re.IGNORECASE
)
_USUAL_TIME = "12:00"
PROJECT = "xen"


@dataclass(frozen=True, slots=True)
class Announced:
    """An advisory in a mail: what its text says, its files by name, what its signature proves, and a proposed date."""

    text: AdvisoryText
    files: Mapping[str, bytes]
    signature: Signature
    planned: datetime | None


def find(opened: Opened) -> Announced | None:
    """The advisory that a mail holds; None where its subject or its text is no advisory's."""
    if not _SUBJECT.search(opened.head.subject):
        return None
    data = opened.block or opened.payload or opened.letter.text.encode("utf-8", "surrogateescape")
    try:
        text = parse_advisory(data)
    except FormatError:
        return None
    files = {f"advisory-{text.number}.txt": data}
    files |= {part.name: part.data for part in opened.letter.parts if part.attached and part.name}
    return Announced(text, files, verify(data, certs()), _proposed(data))


def certs() -> list[bytes]:
    """The keys whose signature counts for advisories."""
    return [path.read_bytes() for path in settings.ADVISORY_KEYS]


def _proposed(data: bytes) -> datetime | None:
    """The date that the text seems to be embargoed until (UTC); a person confirms it, or says another."""
    found = _UNTIL.search(data.decode("utf-8", "replace"))
    if not found:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2] or _USUAL_TIME}").replace(tzinfo=UTC)
    except ValueError:
        return None


def take(opened: Opened, one: Announced, *, accepted_by: User | None = None) -> End:
    """Into the room, where the project's key signed all of it or a person of the security team accepted it."""
    number = one.text.number
    told = _SUBJECT.search(opened.head.subject)
    if told and int(told[1]) != number:
        return refused("moved", f"Its subject names XSA-{told[1]}, and the text that is signed is XSA-{number}'s.")
    known = Advisory.objects.filter(number=number).first()
    end = _doubts(one, known) if accepted_by is None else None
    return end or _ingested(accepted_by, one)


def _doubts(one: Announced, known: Advisory | None) -> End | None:
    """Why a person must look at it first; None where nothing speaks against it."""
    ask = {"proposal": _proposal(one), "advisory": known}
    if one.signature.state in ("bad", "broken"):
        return refused("bad-signature", one.signature.sentence, answers=False, proposal=_proposal(one))
    if one.signature.state != "good":
        code = {"none": "unsigned", "weak": "weak-signature"}.get(one.signature.state, "unknown-key")
        return quarantined(code, one.signature.sentence, **ask)
    listed = {digest.lower() for digest, _ in one.text.digests}
    for name, data in list(one.files.items())[1:]:
        if hashlib.sha256(data).hexdigest() not in listed:
            sentence = f"The signed text does not list {name} with these bytes."
            return quarantined("unlisted-file", sentence, **ask)
    if known is not None and not known.embargoed:
        sentence = f"XSA-{one.text.number} is disclosed here, so that what is added to it is public at once."
        return quarantined("disclosed-already", sentence, **ask)
    return None


def _proposal(one: Announced) -> dict[str, Any]:
    return {"advisory": one.text.number, "planned": one.planned.isoformat() if one.planned else ""}


def _ingested(actor: User | None, one: Announced) -> End:
    results = ingest(actor, files=one.files, project=PROJECT, certs=certs())
    advisory = Advisory.objects.filter(number=one.text.number).first()
    state = next((result.state for result in results if result.number == one.text.number), "kept")
    notes = tuple(problem.sentence for result in results for problem in result.problems)[:20]
    sentence = f"XSA-{one.text.number} version {one.text.version}: {state}."
    proposal = _proposal(one) if advisory is not None and advisory.embargoed else {}
    return acted("advisory", sentence, notes=notes, answers=False, advisory=advisory, proposal=proposal)
