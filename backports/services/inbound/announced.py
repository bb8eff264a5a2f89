"""Advisories that come by mail, as Xen sends them: clear-signed text in the mail, and the files beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from backports.mail.reading import Part
from backports.services.advisories import ingest
from xsa.formats.advisory import AdvisoryText, parse_advisory
from xsa.formats.bundle import is_text
from xsa.formats.errors import FormatError
from xsa.formats.signature import Signature, cut, verify
from xsa.models import Advisory, User

from .ends import End, acted, quarantined, refused
from .opening import Opened

_SUBJECT = re.compile(r"\bXen Security Advisory\s+(?:XSA-)?(\d{1,6})\b", re.IGNORECASE)
_UNTIL = re.compile(
    r"\bembargo\w*[^\n]{0,40}?\buntil\b\s*:?\s*(\d{4}-\d{2}-\d{2})(?:[T ]+(\d{2}:\d{2}))?", re.IGNORECASE
)
_USUAL_TIME = "12:00"
PROJECT = "xen"
INDEX = "xsa.json"  # this file discloses: none that comes by mail is believed


@dataclass(frozen=True, slots=True)
class Announced:
    """An advisory in a mail: what its text says, what its signature proves, and a proposed date.

    `files` by name are what is taken in: the text, and the files beside it that the text lists by name and sum, under
    the names that it gives them. `unlisted` are those that it does not list; `strange` names what is never taken, for
    it would stand in the text's place, or disclose.
    """

    text: AdvisoryText
    files: Mapping[str, bytes]
    signature: Signature
    planned: datetime | None
    unlisted: Mapping[str, bytes] = field(default_factory=dict)
    strange: tuple[str, ...] = ()


def find(opened: Opened) -> Announced | None:
    """The advisory that a mail holds; None where its subject or its text is no advisory's."""
    if not _SUBJECT.search(opened.head.subject):
        return None
    data = _text_of(opened)
    try:
        text = parse_advisory(data)
    except FormatError:
        return None
    files, unlisted, strange = _sorted(text, [part for part in opened.letter.parts if part.attached])
    files = {f"advisory-{text.number}.txt": data, **files}
    return Announced(text, files, verify(data, certs()), _proposed(cut(data).payload), unlisted, tuple(strange))


def _text_of(opened: Opened) -> bytes:
    """The text as signed, without what stands around it; of a mail that is not signed, what it says."""
    data = opened.block or opened.payload or opened.letter.text.encode("utf-8", "surrogateescape")
    parts = cut(data)
    return parts.block if parts.armor else data


def _sorted(text: AdvisoryText, parts: Sequence[Part]) -> tuple[dict[str, bytes], dict[str, bytes], list[str]]:
    """The files beside a text: those that it lists, those that it does not, and the names of those never taken."""
    files: dict[str, bytes] = {}
    unlisted: dict[str, bytes] = {}
    strange = []
    for part in parts:
        listed = _listed_name(text, part)
        if not part.name or is_text(part.name, part.data) or (listed or part.name).endswith(INDEX):
            strange.append(part.name or "a file without a name")
        elif listed:
            files[listed] = part.data
        else:
            unlisted[part.name] = part.data
    return files, unlisted, strange


def _listed_name(text: AdvisoryText, part: Part) -> str:
    """The name that the text lists these bytes by, where the file has it, or its last part; "" for none."""
    digest = hashlib.sha256(part.data).hexdigest()
    names = [name for listed, name in text.digests if listed.lower() == digest]
    return next((name for name in names if part.name in (name, name.rpartition("/")[2])), "")


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
    if extra := [*one.strange, *one.unlisted]:
        sentence = f"The signed text does not list {extra[0]} with these bytes."
        return quarantined("unlisted-file", sentence, **ask)
    if known is not None and not known.embargoed:
        sentence = f"XSA-{one.text.number} is disclosed here, so that what is added to it is public at once."
        return quarantined("disclosed-already", sentence, **ask)
    return None


def _proposal(one: Announced) -> dict[str, Any]:
    return {"advisory": one.text.number, "planned": one.planned.isoformat() if one.planned else ""}


def _believed(one: Announced) -> tuple[dict[str, bytes], list[str]]:
    """What is taken in, and what is left out. Who accepts a signed text adds nothing to what it lists."""
    if one.signature.state == "good":
        return dict(one.files), [*one.strange, *one.unlisted]
    # Nothing is proved here but that a person looked at it: then it is all or nothing.
    return {**one.unlisted, **one.files}, list(one.strange)


def _ingested(actor: User | None, one: Announced) -> End:
    files, left = _believed(one)
    results = ingest(actor, files=files, project=PROJECT, certs=certs())
    advisory = Advisory.objects.filter(number=one.text.number).first()
    state = next((result.state for result in results if result.number == one.text.number), "kept")
    told = [problem.sentence for result in results for problem in result.problems]
    notes = (*(f"{name} was left out." for name in left), *told)[:20]
    sentence = f"XSA-{one.text.number} version {one.text.version}: {state}."
    proposal = _proposal(one) if advisory is not None and advisory.embargoed else {}
    return acted("advisory", sentence, notes=notes, answers=False, advisory=advisory, proposal=proposal)
