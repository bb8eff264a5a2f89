"""What a signature proves, read from the status lines that GnuPG writes for programs (its doc/DETAILS)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

# good: made by one of the keys that were given. sha1: the same, but with a hash that can be forged.
# unknown-key: that key was not given, so nothing is proved. bad: made over something else, or the key or the signature
# is over. none: there is no signature.
SealState = Literal["good", "sha1", "unknown-key", "bad", "none"]

_PREFIX = "[GNUPG:] "
_FORGEABLE = {"1", "2", "3"}  # MD5, SHA-1, RIPEMD-160, as OpenPGP numbers them
_ORDER: tuple[SealState, ...] = ("bad", "unknown-key", "sha1", "good")
_OVER = {
    "EXPKEYSIG": "The key that signed is expired.",
    "REVKEYSIG": "The key that signed is revoked.",
    "EXPSIG": "The signature is expired.",
    "BADSIG": "The signature was made over something else.",
}


@dataclass(frozen=True, slots=True)
class Seal:
    """What a signature proves. Only `good` proves anything.

    `fingerprint` is the primary key's, in full, for `good` and `sha1`; for the others what the signature claims (40 or
    64 upper-case hexadecimal digits, a key id of 16, or ""). `made_at` is when it was made as the signature says, UTC.
    """

    state: SealState = "none"
    fingerprint: str = ""
    made_at: datetime | None = None
    sentence: str = "It is not signed."


def status_lines(text: str) -> list[list[str]]:
    """The words of each status line."""
    lines = text.replace("\r\n", "\n").split("\n")
    return [line.removeprefix(_PREFIX).split(" ") for line in lines if line.startswith(_PREFIX)]


def seal_of(lines: list[list[str]]) -> Seal:
    """What the signatures that these lines tell of prove together: as much as the worst of them."""
    found = [seal for seal in _seals(lines) if seal]
    if not found:
        return Seal()
    return min(found, key=lambda seal: _ORDER.index(seal.state))


def _seals(lines: list[list[str]]) -> list[Seal]:
    """One for each signature. VALIDSIG follows the line that says how good it is; ERRSIG and BADSIG stand alone."""
    found, over = [], ""
    for words in lines:
        name = words[0]
        if name in ("GOODSIG", "NEWSIG"):
            over = ""
        elif name in _OVER:
            over = name
            if name == "BADSIG":
                found.append(Seal("bad", words[1].upper(), None, _OVER[name]))
        elif name == "ERRSIG":
            found.append(_unchecked(words))
        elif name == "VALIDSIG" and len(words) > 8:
            found.append(_valid(words, over))
    return found


def _valid(words: list[str], over: str) -> Seal:
    """VALIDSIG <fpr> <date> <timestamp> <expires> <version> <reserved> <algorithm> <hash> <class> <primary fpr>."""
    fingerprint = (words[10] if len(words) > 10 else words[1]).upper()
    made_at = _moment(words[3])
    if over:
        return Seal("bad", fingerprint, made_at, _OVER[over])
    if words[8] in _FORGEABLE:
        return Seal("sha1", fingerprint, made_at, "Its key is right, but it was made with SHA-1, which can be forged.")
    return Seal("good", fingerprint, made_at, "The signature is good.")


def _unchecked(words: list[str]) -> Seal:
    """ERRSIG <key id> <algorithm> <hash> <class> <timestamp> <reason> <fpr>; reason 9 is a key that was not given."""
    claimed = words[7] if len(words) > 7 and len(words[7]) > 16 else words[1]
    if len(words) > 6 and words[6] == "9":
        return Seal("unknown-key", claimed.upper(), _moment(words[5]), "It was signed by a key that is not known here.")
    return Seal("bad", claimed.upper(), None, "The signature cannot be checked.")


def _moment(text: str) -> datetime | None:
    """Seconds since 1970, or ISO 8601 as `20260102T030405`; None for anything else."""
    try:
        if "T" in text:
            return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
