"""What a model says of who may read its rows; `xsa.rls` makes the database's policies of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Audience = Literal["", "room", "team"]


@dataclass(frozen=True, slots=True)
class Root:
    """The advisory itself: disclosed, or the reader may see it while it is embargoed."""


@dataclass(frozen=True, slots=True)
class Under:
    """Who may read the row that the foreign key `parent` names may read this one.

    `builds_on` names a column with the numbers of further advisories whose content is in the row: the
    reader must see all of them. Rows without a parent are nobody's, or the security team's. `audience` keeps rows
    from others also after disclosure: for those who share the advisory's `room`, or for the security `team`; their
    `parent` is then the advisory itself. `also` names a second foreign key: its row must be readable too.
    """

    parent: str
    builds_on: str = ""
    orphans_for_the_team: bool = False
    audience: Audience = ""
    also: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What upstream has is everybody's. An organisation's (`organisation`) is its own, or with the `visibility` "room"
    for everybody who belongs to a listed organisation; no advisory's disclosure changes that.
    """


@dataclass(frozen=True, slots=True)
class Owned:
    """An organisation's own, as far as the reader may see the advisory that `parent` names, what it `builds_on`, and
    the row of `also`.

    From the time in the column `shared` on it is also for those who share the advisory's room; where the column `opens`
    is true, for everybody once the advisory is disclosed. Written by its organisation alone. Rows without a parent
    are for the person in the column `author`.
    """

    parent: str
    also: str = ""
    builds_on: str = ""
    shared: str = ""
    opens: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Personal:
    """For the one `person` (a foreign key) alone, as far as they see the advisory of `parent`."""

    parent: str
    person: str


@dataclass(frozen=True, slots=True)
class Admissions:
    """Who was let into an advisory's room: for that person, the security team, and admins of the organisation."""


@dataclass(frozen=True, slots=True)
class Records:
    """The audit: for the security team, and for an organisation's own people as far as they see the advisories.

    Rows may be added by a named service, and by nobody changed or taken away.
    """


Readers = Root | Under | Kept | Owned | Personal | Admissions | Records
