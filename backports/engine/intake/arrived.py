"""The values of an intake."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from backports.engine.diff import Patch
from backports.engine.errors import EngineError
from backports.engine.suspects import Suspect


class Refused(EngineError):
    """What was sent is no series of patches; `sentence` says why, and what to do."""

    code = "not-a-patch"


class Kind(StrEnum):
    """What was sent."""

    PATCH = "patch"
    MBOX = "mbox"
    TAR = "tar"
    QUILT = "quilt"
    DEBIAN = "debian"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person should know of what was taken: a stable code, and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """One patch as it came: its bytes (a mail's transfer encoding undone), and what they say.

    `name` is its file's, with its folders where it came in an archive. `tag` is what its subject has in brackets
    (`PATCH XSA-500 4.8 v2 1/3`). `strip` is what a series file or an option says (`-p0`), None when nothing does:
    who reads `data` again gives it to `parse_series`.
    """

    name: str
    data: bytes
    patch: Patch
    tag: str = ""
    strip: int | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """Patches in the order in which they are to be applied; there is at least one."""

    kind: Kind
    patches: tuple[Arrived, ...]
    notes: tuple[Note, ...] = ()
    suspects: tuple[Suspect, ...] = field(default=())

    @property
    def parsed(self) -> tuple[Patch, ...]:
        """The patches alone."""
        return tuple(arrived.patch for arrived in self.patches)
