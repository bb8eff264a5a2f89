"""What compilers, assemblers and linkers say, and what of it is new after a change.

Two diagnostics are the same when file, kind and message are; line numbers are not compared, for a change
moves the lines below it, and neither are addresses. Of what is said several times as many count as new as
there are more than before.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_TOLD = re.compile(
    rb"^(?P<path>(?!\d+:)[^\s:()][^:\n]*):(?P<line>\d+):(?:\d+:)? *"
    rb"(?P<kind>(?:fatal )?error|warning)s?: (?P<message>.+)$",
    re.IGNORECASE,
)
_LINKER = re.compile(
    rb"^(?:\S*ld(?:\.\w+)?: )?(?P<path>[^\s:()][^:\n]*):(?:(?P<line>\d+):|\([^)]*\):?)? *"
    rb"(?P<message>undefined reference to .+|multiple definition of .+)$"
)
_TOOL = re.compile(rb"^(?P<path><[^>\s]+>|cc1\w*|collect2|gcc|clang): (?P<kind>error|warning): (?P<message>.+)$")
_STOPPED = re.compile(rb"^(?P<path>[^\s:()][^:\n]*):(?P<line>\d+): (?P<message>\*\*\* .+)$")
_FORMS = (_TOLD, _TOOL, _STOPPED, _LINKER)
_PLACES = re.compile(rb"(?:(?<=:)\d+(?::\d+)?\b|\bline \d+|\b0x[0-9a-f]+\b|\(\.[\w.]+\+?[^)]*\))")
_COLOURS = re.compile(rb"\x1b\[[0-9;]*[mK]")
_FOLDERS = re.compile(rb"^(?:\./|/tree/)+")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that was said: `kind` is `error` or `warning`, `line` 1-based in the file (0: not told)."""

    path: bytes
    line: int
    kind: str
    message: bytes

    @property
    def key(self) -> tuple[bytes, str, bytes]:
        """What two must share to be the same."""
        return self.path, self.kind, _PLACES.sub(b"", self.message)


def read(output: bytes) -> tuple[Diagnostic, ...]:
    """The errors and warnings in what a build wrote, in order; notes and everything else are left out."""
    lines = _COLOURS.sub(b"", output).splitlines()
    return tuple(found for line in lines if (found := _diagnostic(line.rstrip())) is not None)


def new(before: tuple[Diagnostic, ...], after: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Those of `after` that were not said before, in order."""
    known = Counter(one.key for one in before)
    found = []
    for one in after:
        if known[one.key] > 0:
            known[one.key] -= 1
        else:
            found.append(one)
    return tuple(found)


def _diagnostic(line: bytes) -> Diagnostic | None:
    match = next((match for form in _FORMS if (match := form.match(line))), None)
    if match is None:
        return None
    told = match.groupdict()
    kind = "warning" if (told.get("kind") or b"").lower() == b"warning" else "error"
    return Diagnostic(_FOLDERS.sub(b"", told["path"]), int(told.get("line") or 0), kind, told["message"])
