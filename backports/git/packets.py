"""The lines that git's own protocol packs what it says in: what is asked to be pushed, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .errors import GitError

FLUSH = b"0000"
NO_OID = "0" * 40
MOST_COMMANDS = 50
_HEAD = 4  # bytes: the length of all of it, in hexadecimal
_MOST = 65_000  # bytes in one; the protocol allows some more
_COMMAND = re.compile(rb"([0-9a-f]{40}) ([0-9a-f]{40}) ([^\x00-\x20\x7f]+)")
_MESSAGES, _DATA = b"\x02", b"\x01"


@dataclass(frozen=True, slots=True)
class Command:
    """That the ref `name` become `new` (NO_OID: go away), as its bytes came."""

    name: bytes
    new: str

    @property
    def shown(self) -> str:
        """The name for people, in plain characters."""
        return self.name.decode("ascii", "backslashreplace")


@dataclass(frozen=True, slots=True)
class Push:
    """What a push asks for, what the program that pushes knows of the protocol, and its pack (b"" without one)."""

    commands: tuple[Command, ...]
    capabilities: frozenset[bytes]
    pack: bytes


def packet(data: bytes) -> bytes:
    """One line of the protocol."""
    return b"%04x" % (len(data) + _HEAD) + data


def read_push(body: bytes) -> Push:
    """What `git push` sends. Raises GitError `bad-request`."""
    lines, pack = _lines(body)
    first, _, capabilities = (lines[0] if lines else b"").partition(b"\0")
    told = [line for line in (first, *lines[1:]) if line and not line.startswith(b"shallow ")]
    if len(told) > MOST_COMMANDS:
        raise GitError("bad-request", f"One push changes at most {MOST_COMMANDS} refs.")
    return Push(tuple(map(_command, told)), frozenset(capabilities.split()), pack)


def _lines(body: bytes) -> tuple[list[bytes], bytes]:
    """Everything until the first flush, and what comes after that."""
    found, place = [], 0
    while (head := body[place : place + _HEAD]) != FLUSH:
        length = int(head, 16) if re.fullmatch(rb"[0-9a-f]{4}", head) else 0
        if length <= _HEAD or place + length > len(body):
            raise GitError("bad-request", "This is nothing that git sends.")
        found.append(body[place + _HEAD : place + length].removesuffix(b"\n"))
        place += length
    return found, body[place + _HEAD :]


def _command(line: bytes) -> Command:
    if (found := _COMMAND.fullmatch(line)) is None:
        raise GitError("bad-request", "This is no change of a ref.")
    return Command(found[3], found[2].decode())


def report(push: Push, *, unpacked: str, codes: Mapping[bytes, str], lines: Sequence[str]) -> bytes:
    """The answer to a push: "ok" or why the pack was not taken, a code for each ref (""  where it was), and words."""
    told = [packet(b"unpack %s\n" % unpacked.encode())]
    told += [packet(_told(name, code)) for name, code in codes.items()]
    status = b"".join([*told, FLUSH]) if push.capabilities & {b"report-status", b"report-status-v2"} else b""
    if b"side-band-64k" not in push.capabilities:
        return status
    said = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    return b"".join([*_banded(_MESSAGES, said), *_banded(_DATA, status), FLUSH])


def _told(name: bytes, code: str) -> bytes:
    return b"ng %s %s\n" % (name, code.encode()) if code else b"ok %s\n" % name


def _banded(band: bytes, data: bytes) -> Iterator[bytes]:
    for place in range(0, len(data), _MOST):
        yield packet(band + data[place : place + _MOST])


def announced(service: str, refs: Iterable[bytes]) -> bytes:
    """What the service says first, as the answer by HTTP: its name, and then its refs."""
    return b"".join([packet(b"# service=%s\n" % service.encode()), FLUSH, *refs])
