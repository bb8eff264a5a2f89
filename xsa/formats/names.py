"""What a file's name suggests when nothing better says what the file is for.

Names follow no grammar: `xsa399-4.16.patch` is for 4.16 to 4.13, `xsa222-1-4.6.patch` puts the index
before the version, and packagers glue directories on. A guess is the last resort, never trusted
over an advisory's list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"xsa[-_]?0*(\d{1,4})(?!\d)|advisory[-_]0*(\d{1,4})(?!\d)", re.I)
_SUFFIX = re.compile(r"\.(?:patch|diff|txt|meta|asc|sig)$", re.I)
_GLUED = re.compile(r"(\d\.\d{1,2})(\d{4})(?=-)")
_SUBJECT = re.compile(r"(?:^|[-/_])(?:(\d{4})|[0-9a-f]{7,12})-[A-Za-z_].*$", re.S)
_VERSION = re.compile(r"(?<![\d.])(?:xen-?)?(\d\.(?:\d{1,2}|x))(?:\.(?:\d{1,2}|x))?(?![\d.]*\d)", re.I)
_SHORT_VERSION = re.compile(r"xen(\d)(\d{1,2})(?!\d)", re.I)
_MASTER = re.compile(r"(?<![a-z])(?:unstable|master|staging)(?![a-z])", re.I)
_INDEX = re.compile(r"(?:^|[-_/])(\d{1,4}[a-z]?)(?=$|[-_/])")
_PREREQ = re.compile(r"(?<![a-z])(?:prereq\w*|pre|req)(?![a-z])", re.I)
_TREES = (
    ("qemu-xen-traditional", re.compile(r"qemut|qemu-?(?:xen-?)?trad", re.I)),
    ("qemu-xen", re.compile(r"qemu", re.I)),
    ("linux", re.compile(r"linux", re.I)),
    ("xapi", re.compile(r"xapi", re.I)),
    ("mini-os", re.compile(r"mini-?os", re.I)),
)


@dataclass(frozen=True, slots=True)
class NameGuess:
    """What a name suggests: `versions` of the tree ("4.8", "4.x", "master"), `index` as written ("0a")."""

    number: int | None
    versions: tuple[str, ...] = ()
    index: str = ""
    tree: str = "xen"
    is_prerequisite: bool = False


def guess_name(name: str) -> NameGuess:
    """Takes a path apart: the last name that holds a number decides, its directory fills in."""
    number, rest = _split_number(_SUFFIX.sub("", name))
    if number is None:
        return NameGuess(None)
    rest = _GLUED.sub(r"\1-\2", rest)
    subject = _SUBJECT.search(rest)
    head = rest[: subject.start()] if subject else rest
    versions = _versions(head)
    index = (subject[1] or "") if subject else _index(head)
    return NameGuess(
        number=number,
        versions=versions,
        index=index,
        tree=next((tree for tree, sign in _TREES if sign.search(head)), "xen"),
        is_prerequisite=bool(_PREREQ.search(head)) or re.fullmatch(r"0+[a-z]?", index) is not None,
    )


def number_of(name: str) -> int | None:
    """The advisory that a path belongs to by its name, or None."""
    return _split_number(name)[0]


def _split_number(path: str) -> tuple[int | None, str]:
    """The number, and what follows it up to the end of the path.

    A repetition of the number (`xsa337/xsa337-…`, `xsa337xsa337-…`) is skipped; another advisory's number
    later in the same name (`xsa35-4.2-with-xsa34`) is not ours.
    """
    parts = path.split("/")
    for at in range(len(parts) - 1, -1, -1):
        found = list(_NUMBER.finditer(parts[at]))
        if found:
            number = _value(found[0])
            last = [match for match in found if _value(match) == number][-1]
            return number, "/".join([parts[at][last.end() :], *parts[at + 1 :]])
    return None, ""


def _value(match: re.Match[str]) -> int:
    return int(match[1] or match[2])


def _versions(head: str) -> tuple[str, ...]:
    found = [(match.start(), match[1].lower()) for match in _VERSION.finditer(head)]
    found += [(match.start(), f"{match[1]}.{match[2]}") for match in _SHORT_VERSION.finditer(head)]
    found += [(match.start(), "master") for match in _MASTER.finditer(head)]
    return tuple(dict.fromkeys(version for _, version in sorted(found)))


def _index(head: str) -> str:
    """The last number between separators that is no version; a version's own digits hold a dot."""
    return next((match[1] for match in reversed(list(_INDEX.finditer(head)))), "")
