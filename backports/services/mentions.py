"""`@name` in what people write: an organisation or a person of the same room, and nobody else.

A word that names nobody stays what it is, so that nothing is learned of who exists. A person is known to others by
having spoken in the room; before that only their own organisation can name them, so that trying names tells nothing.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.text import slugify

from backports.models import Backport, BackportVersion, Comment, Review
from xsa.models import Admission, Advisory, Membership, Organisation, Statement, User
from xsa.visibility import own_organisations, visible_to

MOST = 50
_WORD = re.compile(r"(?<![\w@./-])@(\w[\w.+-]{0,149})")


def words_in(text: str) -> list[str]:
    """What stands behind an `@`, each once, without the point that ends a sentence."""
    return list(dict.fromkeys(word.rstrip(".-+") for word in _WORD.findall(text)))[:MOST]


def resolve(actor: User, text: str, *, advisory: Advisory, backport: Backport | None) -> list[dict[str, Any]]:
    """Whom the text names, as `Comment.mentions` keeps it. A draft's room is its organisation alone."""
    words = words_in(text)
    if not words:
        return []
    draft = backport.organisation_id if backport is not None and backport.shared_at is None else None
    organisations = _organisations(draft)
    people = _people(actor, words, advisory, draft)
    found = ((word, organisations.get(word.lower()), people.get(word)) for word in words)
    return [
        {"word": word, "organisation": organisation or of, "person": not organisation}
        for word, organisation, of in found
        if organisation or of
    ]


def _organisations(draft: UUID | None) -> dict[str, str]:
    """Names of those in the room by how they are written behind an `@`; one that two share names neither."""
    rows = Organisation.objects.filter(Q(listed=True) | Q(security_team=True), left_at=None)
    rows = rows.filter(pk=draft) if draft else rows
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name in rows.values_list("name", flat=True):
        handle = slugify(name)
        twice |= {handle} & found.keys()
        found[handle] = name
    return {handle: name for handle, name in found.items() if handle not in twice}


def _people(actor: User, words: list[str], advisory: Advisory, draft: UUID | None) -> dict[str, str]:
    """Names of the organisations of those people whom the actor may name."""
    inside = Q(organisation__security_team=True) | Q(organisation__listed=True, contact=True)
    admitted = Admission.objects.filter(advisory=advisory).values("membership")
    inside |= Q(organisation__listed=True, pk__in=admitted)
    rows = Membership.objects.filter(inside, user__username__in=words, user__is_active=True)
    rows = rows.filter(organisation=draft) if draft else rows
    own = set(own_organisations(actor))
    found = list(rows.select_related("user", "organisation").order_by("organisation__name"))
    spoke = _spoken(actor, advisory, [row.user_id for row in found])
    known = [row for row in found if row.organisation_id in own or row.user_id in spoke]
    return {row.user.get_username(): row.organisation.name for row in known}


def _spoken(actor: User, advisory: Advisory, people: list[Any]) -> set[Any]:
    """Those of the people whose name the actor has read in the room, beside something that they said or sent."""
    rows: list[QuerySet[Any]] = [
        Comment.objects.filter(advisory=advisory),
        Statement.objects.filter(advisory=advisory),
        Review.objects.filter(version__backport__advisory=advisory),
        BackportVersion.objects.filter(backport__advisory=advisory),
    ]
    found = (visible_to(actor, one.filter(made_by__in=people)).order_by() for one in rows)
    return {pk for one in found for pk in one.values_list("made_by", flat=True)}


def told(text: str, named: list[dict[str, Any]], *, inside: bool) -> str:
    """The text as it is read: outside the room (not `inside`) a person is told by their organisation."""
    if inside:
        return text
    for one in named:
        if one["person"]:
            text = re.sub(rf"@{re.escape(one['word'])}(?![\w+-])", f"@somebody of {one['organisation']}", text)
    return text
