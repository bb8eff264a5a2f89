"""What a commit message says about advisories, upstream commits and reverts.

A message that mentions an advisory is not yet its fix. The rules, in this order:

* a subject `Revert "…"` or `Merge …` says nothing, whatever it quotes (the body may: a revert can be a fix);
* text in quotation marks, `Fixes:`-like trailers and log output are other people's words;
* "This is [part of] XSA-1 [/ CVE-…]" and its variants, a paragraph that is only the number, and
  a subject that ends in "(XSA-1)" or starts with "XSA-1:" say that the commit is a FIX, and so does
  "This documents, but does not fix, XSA-1": some advisories are resolved by a text;
* a subject about what a fix left behind ("fix XSA-1 fix", "… following XSA-1") and
  "This is a follow-up to XSA-1" make it a FOLLOW_UP;
* everything else is a MENTION.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum

ADVISORY = r"XSA[- ]?0*(\d{1,5})"
_NUMBER = re.compile(rf"\b{ADVISORY}\b", re.IGNORECASE)
_CVE = re.compile(r"\bCVE-\d{4}-\d{4,}\b")
_REVERT_SUBJECT = re.compile(r'Revert(?:ed)?\b.*"|(?:Merge|Revert|Reverts)\b', re.IGNORECASE)
_REVERTED = re.compile(r"^This reverts (?:commit|c/s|changeset)\s+([0-9a-f]{7,40})\b", re.IGNORECASE | re.MULTILINE)
_ALSO_REVERTED = re.compile(r"^and (?:commit )?([0-9a-f]{7,40})\b", re.IGNORECASE | re.MULTILINE)
_UPSTREAM = (
    re.compile(r"^\s*(?:master|upstream|staging)[ -]commit:?\s+([0-9a-f]{7,40})\b", re.IGNORECASE | re.MULTILINE),
    re.compile(r"^\s*\(?cherry[ -]picked from(?: commit)? ([0-9a-f]{7,40})\b", re.IGNORECASE | re.MULTILINE),
    re.compile(r"\b(?:backported from|upstream) (?:commit|c/s) ([0-9a-f]{12,40})\b", re.IGNORECASE),
)
_QUOTED = re.compile(r"[(\[]?\s*\"[^\"]{1,400}\"\s*[)\]]?|``[^`]*``")
_OTHER_WORDS = re.compile(r"^(?:[ \t]*>|[ \t]*\(XEN\)|[ \t]*\(d\d+\)|[A-Z][\w-]+: ).*$", re.MULTILINE)
_ASIDE = re.compile(r"\((?![^)]*XSA)[^()]*\)", re.IGNORECASE)
_JUST_NUMBERS = re.compile(
    rf"[\[(]*(?:(?:part of|and|or|this|CVE-\d{{4}}-[\dx]+|{ADVISORY})[\s,/+.&:\])]*)+", re.IGNORECASE
)
_NOT_A_FIX = re.compile(
    r"\b(?:n't|not|without|unlike|similar|like|introduced by|exposed by|caused by|result of|because of|due to"
    r"|wasn't|isn't|doesn't|unrelated|described|fallout|regression|since|after)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"\b(?:follow[- ]?ups?|update to the fix|addition to|addendum|re-?fix|refines?|complete(?:s|ment)?)\b",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"(?:^|(?<=[.;:\[(] )|(?<=[\[(]))(?:Denial of \w+[^.]*?\. )?"
    r"(?:This (?:documents, but does not fix,|(?=CVE-|XSA))"
    r"|(?:This(?: \w+)?|Everything together|These (?:patches|commits|changes)|It) "
    r"(?:is|was|are|fix(?:es)?|address(?:es)?|solves?|closes?|resolves?|implements?)\b)"
    rf"(?P<claim>[^.;]{{0,160}}?)(?P<numbers>{ADVISORY}"
    r"(?:[\s,/&]*(?:and|or|CVE-\d{4}-[\dx]+|\(?or XSA-?\d+|XSA-?\d+))*)",
    re.IGNORECASE,
)
_ORIGINALLY = re.compile(rf"\boriginally released as part of (?P<numbers>{ADVISORY})", re.IGNORECASE)
_SUBJECT_FIX = re.compile(
    rf"^(?P<first>{ADVISORY})\s*(?:/\s*CVE-[\d-]+\s*)?:|[(\[](?:security fix |part of |fixes )?"
    rf"(?P<last>(?:{ADVISORY}|CVE-[\d-]+|[\s,/&+]|and)*)[)\]]",
    re.IGNORECASE,
)
_SUBJECT_PICK = re.compile(rf"\bto pick up (?:the )?(?P<numbers>{ADVISORY})", re.IGNORECASE)
_SUBJECT_FOLLOWS = re.compile(
    rf"(?:following|after|post|from|by|refine|with|due to|fix)\W+(?:the |an? )?{ADVISORY}"
    rf"|{ADVISORY}\W+(?:fix|fixes|patch|patches|change|changes|bugfix|workaround|regression|follow)",
    re.IGNORECASE,
)


class Kind(IntEnum):
    """What a commit is to an advisory; the larger, the nearer."""

    MENTION = 1
    FOLLOW_UP = 2
    FIX = 3


def advisories(message: str) -> Mapping[int, Kind]:
    """Every advisory number in a message, and what the commit is to it."""
    subject, _, body = message.partition("\n")
    kinds = dict.fromkeys(_numbers(message), Kind.MENTION)
    claims = () if _REVERT_SUBJECT.match(subject) else _of_subject(subject)
    for number, kind in (*claims, *_of_body(body)):
        kinds[number] = max(kind, kinds.get(number, Kind.MENTION))
    return kinds


def cves(message: str) -> tuple[str, ...]:
    """The CVE numbers of a message, each once, in order."""
    return tuple(dict.fromkeys(_CVE.findall(message)))


def upstream_links(message: str) -> tuple[str, ...]:
    """The (possibly abbreviated) oids that a message gives as its origin, the most reliable form first."""
    found = (match.group(1).lower() for pattern in _UPSTREAM for match in pattern.finditer(message))
    return tuple(dict.fromkeys(found))


def reverted(message: str) -> tuple[str, ...]:
    """The (possibly abbreviated) oids that a message says to revert."""
    found = _REVERTED.findall(message)
    return (*found, *_ALSO_REVERTED.findall(message)) if found else ()


def _numbers(text: str) -> list[int]:
    return [int(match.group(1)) for match in _NUMBER.finditer(text)]


def _of_subject(subject: str) -> Iterator[tuple[int, Kind]]:
    plain = _QUOTED.sub(" ", subject)
    if _SUBJECT_FOLLOWS.search(plain):
        yield from ((number, Kind.FOLLOW_UP) for number in _numbers(plain))
    for match in (*_SUBJECT_FIX.finditer(plain), *_SUBJECT_PICK.finditer(plain)):
        yield from ((number, Kind.FIX) for number in _numbers(match.group()))


def _of_body(body: str) -> Iterator[tuple[int, Kind]]:
    plain = _OTHER_WORDS.sub(" ", _QUOTED.sub(" ", body))
    for paragraph in re.split(r"\n[ \t]*\n", plain):
        text = " ".join(_ASIDE.sub(" ", paragraph).split())
        yield from _of_paragraph(text)


def _of_paragraph(text: str) -> Iterator[tuple[int, Kind]]:
    if _JUST_NUMBERS.fullmatch(text):
        yield from ((number, Kind.FIX) for number in _numbers(text))
    for match in (*_STATEMENT.finditer(text), *_ORIGINALLY.finditer(text)):
        kind = _claimed(match.groupdict().get("claim") or "")
        yield from ((number, kind) for number in _numbers(match.group("numbers")))


def _claimed(claim: str) -> Kind:
    if _FOLLOWS.search(claim):
        return Kind.FOLLOW_UP
    return Kind.MENTION if _NOT_A_FIX.search(claim) else Kind.FIX
