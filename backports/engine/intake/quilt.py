"""Series of patches in an archive: quilt's and Debian's `series` file, or the order of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .archive import Unpacked, compression_of, safe_name, shown
from .arrived import Kind, Note, Refused

DEBIAN = "debian/patches/"
MAX_PATCHES = 500
FEW = 5
_SUFFIXES = (".patch", ".diff", ".mbox", ".eml", ".mail")
_LOOKS_LIKE_ONE = re.compile(rb"^(?:diff --git |--- [^\n]+\n\+\+\+ |Index: )", re.MULTILINE)
_STRIP = re.compile(r"-p(\d|ab)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive that holds a patch, and the level that a series file tells for it."""

    name: str
    data: bytes
    strip: int | None = None


def is_wanted(name: str) -> bool:
    """Whether a member can be part of a series; of a Debian source package's, only what lies with its patches."""
    return name.startswith(DEBIAN) or not name.startswith("debian/")


def entries(unpacked: Unpacked) -> tuple[Kind, list[Entry], list[Note]]:
    """The patches of an archive in order.

    Raises Refused: `missing-file`, `link-in-archive`, `special-file`, `unknown-option`, `reversed-patch`,
    `several-series`, `no-patches`, `too-many`, `compressed-member`, `unsafe-path`.
    """
    series = _series_file(unpacked)
    is_debian = series == f"{DEBIAN}series"
    _refuse_odd(unpacked, DEBIAN if is_debian else "")
    kind = Kind.DEBIAN if is_debian else Kind.TAR if series is None else Kind.QUILT
    found = _by_name(unpacked) if series is None else list(_listed(unpacked, series))
    if not found:
        raise _none(unpacked, series)
    if len(found) > MAX_PATCHES:
        raise Refused(f"The archive holds more than {MAX_PATCHES} patches. Split it.", code="too-many")
    for entry in found:
        if compression_of(entry.data):
            raise Refused(f"{shown(entry.name)} is compressed itself. Unpack it first.", code="compressed-member")
    return kind, found, list(_notes(unpacked, found, series))


def _series_file(unpacked: Unpacked) -> str | None:
    names = [name for name in unpacked.files if name.rpartition("/")[2] == "series" and "/.pc/" not in f"/{name}"]
    if f"{DEBIAN}series" in names:
        return f"{DEBIAN}series"
    highest = min((name.count("/") for name in names), default=0)
    nearest = [name for name in names if name.count("/") == highest]
    if len(nearest) > 1:
        raise Refused(
            f"The archive holds several series files: {_few(nearest)}. Send each series by itself.",
            code="several-series",
        )
    return nearest[0] if nearest else None


def _refuse_odd(unpacked: Unpacked, below: str) -> None:
    """Links and the like beside a package's patches hurt nobody, since they are not followed; among patches they do."""
    for name, what in unpacked.others.items():
        if name.startswith(below):
            code = "link-in-archive" if what == "link" else "special-file"
            raise Refused(
                f"{shown(name)} is a {what}; only plain files are taken. Put the patch there itself.", code=code
            )


def _listed(unpacked: Unpacked, series: str) -> Iterator[Entry]:
    folder = series.removesuffix("series")
    seen: set[str] = set()
    text = unpacked.files[series].decode("utf-8", "surrogateescape")
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.partition("#")[0].split()
        if words:
            name = _find(unpacked, folder, words[0], number)
            if name in seen:
                raise Refused(f"Line {number} of the series names {shown(name)} again.", code="named-twice")
            seen.add(name)
            yield Entry(name, unpacked.files[name], _strip(words[1:], number))


def _find(unpacked: Unpacked, folder: str, word: str, number: int) -> str:
    relative = safe_name(word)
    for name in (folder + relative, f"{folder}patches/{relative}"):
        if name in unpacked.files and name != f"{folder}series":
            return name
    raise Refused(
        f"Line {number} of the series names {shown(word)}, which is not in the archive. Add it, or take it out of the "
        "series.",
        code="missing-file",
    )


def _strip(options: list[str], number: int) -> int | None:
    strip = None
    for option in options:
        found = _STRIP.fullmatch(option)
        if option == "-R":
            raise Refused(
                f"Line {number} of the series takes a patch back (-R). Send the reversed patch itself.",
                code="reversed-patch",
            )
        if not found:
            raise Refused(
                f"Line {number} of the series has the option {shown(option)!r}; only -p0 to -p9 are known.",
                code="unknown-option",
            )
        strip = 1 if found[1] == "ab" else int(found[1])
    return strip


def _by_name(unpacked: Unpacked) -> list[Entry]:
    names = [name for name, data in unpacked.files.items() if _is_patch(name, data)]
    return [Entry(name, unpacked.files[name]) for name in sorted(names, key=natural)]


def _is_patch(name: str, data: bytes) -> bool:
    last = name.rpartition("/")[2]
    return not last.startswith(".") and (last.lower().endswith(_SUFFIXES) or bool(_LOOKS_LIKE_ONE.search(data)))


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts numbers in names by their value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]{1,18})", name)]


def _none(unpacked: Unpacked, series: str | None) -> Refused:
    if series is not None:
        return Refused(f"The series file {shown(series)} names no patch.", code="no-patches")
    if any(name.startswith("debian/") for name in unpacked.passed_over):
        return Refused("The Debian archive has no debian/patches/series, so it holds no patch.", code="no-patches")
    return Refused(
        f"There is no patch among the {unpacked.members} members of the archive. Pack .patch or .diff files.",
        code="no-patches",
    )


def _notes(unpacked: Unpacked, found: list[Entry], series: str | None) -> Iterator[Note]:
    taken = {entry.name for entry in found} | {series}
    left = [name for name in unpacked.files if name not in taken and not name.rpartition("/")[2].startswith(".")]
    if series is None and len(found) > 1:
        yield Note(
            "order-by-name", "The archive has no series file; its patches are taken in the order of their names."
        )
    if left:
        why = "are no patches" if series is None else "are not named in the series"
        yield Note("left-out", f"{len(left)} files of the archive {why} and were left out: {_few(left)}.")


def _few(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names[:FEW]) + (" …" if len(names) > FEW else "")
