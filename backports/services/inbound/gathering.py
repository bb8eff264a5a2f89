"""What of a mail is believed: all that a good signature covers, or what a person accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backports.mail.reading import Head, Letter
from backports.mail.reading.series import Piece, Tag, is_answer, pieces, tag_of
from backports.models import InboundMail

from .opening import Opened, open_mail
from .senders import keys_of


@dataclass(frozen=True, slots=True)
class Believed:
    """The headers and parts that are acted on, the patches among them, and what the subject says."""

    head: Head
    letter: Letter
    pieces: Sequence[Piece]
    tag: Tag

    @property
    def is_series(self) -> bool:
        """Whether it is patches, or the letter before them, and no answer to any."""
        return bool(self.pieces) or (self.tag.is_patch and self.tag.is_cover and not is_answer(self.head.subject))


def believed(opened: Opened) -> Believed:
    """Of an opened mail. An answer holds no patches of its own in its text: what stands there is quoted."""
    found = pieces(opened.letter, opened.head)
    if is_answer(opened.head.subject):
        found = tuple(one for one in found if one.name != "mail.patch" or not _quotes(opened.letter))
    return Believed(opened.head, opened.letter, found, tag_of(opened.head.subject))


def _quotes(letter: Letter) -> bool:
    return any(line.startswith(">") for line in letter.text.split("\n"))


def believe(row: InboundMail) -> Believed:
    """Of a mail whose sender is known already. Raises Unreadable, PgpError."""
    keys = keys_of([row.organisation]) if row.organisation else []
    return believed(open_mail(bytes(row.raw), keys=keys))
