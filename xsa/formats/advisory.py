"""The advisory text: header, sections, the RESOLUTION list, the sha256 block, the deployment notice."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .deployment import Deployment, read_deployment
from .errors import FormatError, Problem
from .resolution import Targets, targets
from .signature import cut
from .text import decode

MAX_ROWS = 2000

_HEADER = re.compile(
    r"Xen\s+Security\s+Advisory\s+"
    r"(?:(?P<cves>(?:CVE-\d{4}-\d{4,}+[\s,]*+)*+)/?\s*XSA[- ]?(?P<number>\d{1,6})|(?P<bare>\d{1,6}))\b",
    re.I,
)
_CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.I)
_VERSION = re.compile(r"^\s*version\s+(\d{1,6})\s*$", re.I)
_UNDERLINE = re.compile(r"^\s*={3,}\s*$")
_BANNER = re.compile(r"^\W*EMBARGO", re.I)
_DIGEST = re.compile(r"^\s*(?P<hash>[0-9a-fA-F]{40,128})(?:\s+\*?(?P<name>\S.*))?$")
_LISTED = re.compile(
    r"^\s*+(?P<name>\S++)(?:\s{2,}|\t|\s(?=xen|linux|qemu|mainline|xapi|v?\d))(?P<targets>\S.*)$", re.I
)
_BARE = re.compile(r"^\s*+(?P<name>\S++)$")
_FILE = re.compile(r"xsa-?\d", re.I)
_CONTINUED = re.compile(r"^\s{10,}(?=xen|linux|qemu|mainline|xapi|\d|\.\.|-|and\b|to\b)", re.I)


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One line of the RESOLUTION list: a file name or pattern, and what it applies to (as written, as read)."""

    pattern: str
    text: str
    targets: Targets


@dataclass(frozen=True, slots=True)
class AdvisoryText:
    """An advisory as published. `sections` are (heading, text) in order, `digests` (sha256, name)."""

    number: int
    version: int
    cves: tuple[str, ...]
    title: str
    sections: tuple[tuple[str, str], ...]
    files: tuple[ListedFile, ...]
    digests: tuple[tuple[str, str], ...]
    deployment: Deployment
    updates: str
    problems: tuple[Problem, ...] = ()

    def section(self, heading: str) -> str:
        """The text under `heading`, or "" when there is none."""
        return next((text for name, text in self.sections if name == heading), "")


def looks_like_advisory(data: bytes) -> bool:
    """Whether an advisory's header stands near the beginning."""
    return _HEADER.search(decode(data[:4096])) is not None


def parse_advisory(data: bytes) -> AdvisoryText:
    """Reads an advisory text, signed or not.

    Raises FormatError("not-an-advisory") when there is no advisory header; whatever else is
    missing or odd stands in `problems`.
    """
    parts = cut(data)
    lines = decode(parts.payload).split("\n")
    preamble, sections = _split_sections(lines)
    header = _HEADER.search("\n".join(preamble))
    if header is None:
        raise FormatError("not-an-advisory", "This is no Xen advisory: no line says “Xen Security Advisory … XSA-N”.")
    files = _read_list([text for name, text in sections if name.startswith(("RESOLUTION", "ATTACHMENT"))])
    digests, problems = _read_digests(lines)
    title = _read_title(preamble, header)
    return AdvisoryText(
        number=int(header["number"] or header["bare"]),
        version=_read_version(preamble),
        cves=tuple(dict.fromkeys(cve.upper() for cve in _CVE.findall(header["cves"] or ""))),
        title=title,
        sections=tuple(sections),
        files=files,
        digests=digests,
        deployment=read_deployment(sections),
        updates="\n\n".join(text for name, text in sections if name.startswith("UPDATES IN VERSION")),
        problems=(*_missing(title, sections, files, digests, parts.outside), *problems, *_of_targets(files)),
    )


def _split_sections(lines: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines before the first heading, and each section's text without the blank lines around it."""
    heads = [at for at in range(len(lines) - 1) if _UNDERLINE.match(lines[at + 1]) and _is_heading(lines[at])]
    if not heads:
        return lines, []
    ends = [*heads[1:], len(lines)]
    sections = [
        (" ".join(lines[at].split()), "\n".join(lines[at + 2 : end]).strip("\n"))
        for at, end in zip(heads, ends, strict=True)
    ]
    return lines[: heads[0]], sections


def _is_heading(line: str) -> bool:
    return any(letter.isalpha() for letter in line) and line == line.upper()


def _read_version(preamble: list[str]) -> int:
    return next((int(match[1]) for line in preamble if (match := _VERSION.match(line))), 1)


def _read_title(preamble: list[str], header: re.Match[str]) -> str:
    """The first paragraph after the header that is neither the version nor an embargo banner."""
    rest = "\n".join(preamble)[header.end() :]
    lines = ["" if _VERSION.match(line) else line.strip() for line in rest.split("\n")]
    paragraphs = ("\n".join(lines)).split("\n\n")
    found = (" ".join(text.split()) for text in paragraphs)
    return next((text for text in found if text and not _BANNER.match(text)), "")


def _read_list(texts: list[str]) -> tuple[ListedFile, ...]:
    rows: list[list[str]] = []
    for line in (line for text in texts for line in text.split("\n")):
        _read_row(line.rstrip(), rows)
    joined = ((name, " ".join(parts)) for name, *parts in rows[:MAX_ROWS])
    return tuple(ListedFile(name, text, targets(text)) for name, text in joined)


def _read_row(line: str, rows: list[list[str]]) -> None:
    """Adds [name, targets …] for a line that lists a file; a wrapped line adds to the row before it."""
    if line.lstrip().startswith("$") or _DIGEST.match(line):
        return
    if (match := _LISTED.match(line)) and _is_file(match["name"]):
        rows.append([match["name"], match["targets"]])
    elif rows and _CONTINUED.match(line):
        rows[-1].append(line.strip())
    elif (match := _BARE.match(line)) and _is_file(match["name"]) and match["name"].endswith((".patch", ".diff", "*")):
        rows.append([match["name"]])


def _is_file(name: str) -> bool:
    return _FILE.search(name) is not None or name.endswith((".patch", ".diff"))


def _read_digests(lines: list[str]) -> tuple[tuple[tuple[str, str], ...], list[Problem]]:
    digests: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for at, line in enumerate(lines):
        match = _DIGEST.match(line.rstrip())
        if match is None:
            continue
        name = match["name"] or _folded(lines, at + 1)
        if len(match["hash"]) == 64 and name:
            digests.append((match["hash"].lower(), name))
        elif name:
            problems.append(Problem("malformed-digest", "A line of the sha256 block is no sha256.", name))
    return tuple(digests), problems


def _folded(lines: list[str], at: int) -> str:
    """A name that was too long for its line stands alone on the next."""
    following = lines[at].strip() if at < len(lines) else ""
    return "" if " " in following or following.startswith("$") else following


def _missing(
    title: str,
    sections: list[tuple[str, str]],
    files: tuple[ListedFile, ...],
    digests: tuple[tuple[str, str], ...],
    outside: bytes,
) -> list[Problem]:
    found = [
        (not title, "no-title", "The text has no title line."),
        (not sections, "no-sections", "The text has no underlined section headings."),
        (not files, "no-resolution", "The text lists no patches under RESOLUTION."),
        (not digests, "no-digests", "The text has no sha256 block: its files cannot be checked."),
        (bool(outside.strip()), "outside-signature", "Text outside the signed part was left out."),
    ]
    return [Problem(code, sentence) for wrong, code, sentence in found if wrong]


def _of_targets(files: tuple[ListedFile, ...]) -> list[Problem]:
    return [Problem(found.code, found.sentence, row.pattern) for row in files for found in row.targets.problems]
