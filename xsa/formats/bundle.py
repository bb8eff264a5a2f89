"""Everything that was published for one advisory, read together.

The RESOLUTION list and the sha256 block of the text decide; .meta adds prerequisites; names come
last. Nothing that came in is dropped, and bad content is a problem, never an exception.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from .advisory import AdvisoryText, looks_like_advisory, parse_advisory
from .errors import FormatError, Problem
from .globs import base
from .layout import is_safe, normalise, split_directory
from .meta import Meta, parse_meta
from .names import number_of
from .recipes import Recipe, build_recipes, resolve
from .signature import Signature, verify
from .text import natural_key

__all__ = ["Bundle", "BundleFile", "FileKind", "Recipe", "is_text", "read_bundle", "split_directory"]

_DIFF = re.compile(rb"^(?:diff |Index: |--- \S|\+\+\+ \S|@@ -\d)", re.M)
_TEXT_NAME = re.compile(r"(?:^|/)advisory-\d+[^/]*\.txt(?:\.asc)?$", re.I)


class FileKind(StrEnum):
    """What a file of the published layout is."""

    TEXT = "text"
    PATCH = "patch"
    META = "meta"
    INDEX = "index"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file as it came in; `sha256` is 64 hex digits."""

    name: str
    data: bytes
    sha256: str
    kind: FileKind
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """One advisory's files and what they say.

    `text` is the newest version that came in, from the file `text_name`, and `signature` is that
    text's. `problems` holds all of them, those of single files included.
    """

    number: int | None
    version: int
    text: AdvisoryText | None
    text_name: str
    signature: Signature
    meta: Meta | None
    files: tuple[BundleFile, ...]
    recipes: tuple[Recipe, ...]
    problems: tuple[Problem, ...]


def read_bundle(
    files: Mapping[str, bytes],
    *,
    certs: Sequence[bytes] = (),
    newest: str | None = None,
    releases: Mapping[str, date] | None = None,
    number: int | None = None,
) -> Bundle:
    """Reads the files of one advisory, by the names they were published under.

    A range that begins at xen-unstable ends at the newest release of its time. That is the newest that
    .meta supports; else the newest of `releases` (branch to first release) on the day of the signature;
    else `newest` ("4.16"). `number` is the advisory that is expected, when the caller knows.
    Raises FormatError("bad-certificate") for unreadable `certs` only.
    """
    signatures = {name: verify(data, certs) for name, data in files.items() if _kind(name, data) is FileKind.TEXT}
    reading = _Reading(files, signatures)
    wanted = number if number is not None else _common_number(files)
    text_name, text = reading.choose_text(wanted)
    meta = reading.choose_meta(text.number if text else wanted)
    if text:
        reading.note(text.problems, text_name)
        reading.check_digests(text)
    patches = [name for name in reading.names(FileKind.PATCH) if is_safe(name)]
    signature = signatures[text_name] if text else Signature("none", "", "There is no advisory text.")
    newest = _newest_then(releases or {}, signature.created) or newest
    recipes, problems = build_recipes(text, meta, patches, newest)
    reading.problems += problems
    own = text.number if text else meta.number if meta else wanted
    return Bundle(
        number=own,
        version=text.version if text else 1,
        text=text,
        text_name=text_name,
        signature=signature,
        meta=meta,
        files=reading.finished_files(),
        recipes=tuple(_warn(recipe, reading.problems) for recipe in recipes),
        problems=tuple(dict.fromkeys(reading.problems)),
    )


class _Reading:
    """The files of one bundle while they are read; collects what is wrong with them."""

    def __init__(self, files: Mapping[str, bytes], signatures: Mapping[str, Signature]) -> None:
        self.signatures = signatures
        self.files = {
            name: BundleFile(name, data, hashlib.sha256(data).hexdigest(), _kind(name, data))
            for name, data in sorted(files.items(), key=lambda item: natural_key(item[0]))
        }
        self.problems: list[Problem] = []
        self._check_names()

    def names(self, kind: FileKind) -> list[str]:
        return [name for name, file in self.files.items() if file.kind is kind]

    def say(self, code: str, sentence: str, file: str = "") -> None:
        self.problems.append(Problem(code, sentence, file))

    def note(self, problems: Iterable[Problem], file: str) -> None:
        self.problems += [problem if problem.file else replace(problem, file=file) for problem in problems]

    def finished_files(self) -> tuple[BundleFile, ...]:
        own: dict[str, list[Problem]] = {}
        for problem in dict.fromkeys(self.problems):
            own.setdefault(problem.file, []).append(problem)
        return tuple(replace(file, problems=tuple(own.get(name, ()))) for name, file in self.files.items())

    def _check_names(self) -> None:
        seen: dict[str, str] = {}
        for name in sorted(self.files, key=lambda name: normalise(name) != name):
            if not is_safe(name):
                self.say("unsafe-name", "The file's name leaves its directory or hides control characters.", name)
            elif normalise(name) in seen:
                self.say("duplicate-name", "Another file came in under the same name.", name)
            else:
                seen[normalise(name)] = name

    def choose_text(self, wanted: int | None) -> tuple[str, AdvisoryText | None]:
        """The newest version whose signature is not bad; of two texts of one version the better signed one."""
        read = {name: text for name in self.names(FileKind.TEXT) if (text := self._read_text(name))}
        if wanted is None:
            wanted = min((text.number for text in read.values()), default=None)
        for name in [name for name, text in read.items() if text.number != wanted]:
            self.say("number-mismatch", "This text is of another advisory than the files around it.", name)
            del read[name]
        self._check_twins(read)
        best = max(read, key=lambda name: self._rank(name, read[name]), default="")
        return best, read.get(best)

    def _rank(self, name: str, text: AdvisoryText) -> tuple[bool, int, bool]:
        state = self.signatures[name].state
        return state not in ("bad", "broken"), text.version, state == "good"

    def _read_text(self, name: str) -> AdvisoryText | None:
        signature = self.signatures[name]
        if signature.state in ("bad", "broken", "weak"):
            self.say(f"{signature.state}-signature", signature.sentence, name)
        try:
            return parse_advisory(self.files[name].data)
        except FormatError as error:
            self.say("unreadable-text", error.sentence, name)
            return None

    def _check_twins(self, read: Mapping[str, AdvisoryText]) -> None:
        seen: dict[int, str] = {}
        for name, text in read.items():
            twin = seen.setdefault(text.version, name)
            if self.files[twin].data != self.files[name].data:
                self.say("two-advisories", f"Two different texts call themselves version {text.version}.", name)

    def choose_meta(self, wanted: int | None) -> Meta | None:
        """The first readable .meta of the wanted advisory."""
        chosen: Meta | None = None
        for name in self.names(FileKind.META):
            meta = self._read_meta(name)
            if meta and wanted is not None and meta.number != wanted:
                self.say(
                    "number-mismatch",
                    "This .meta file is of another advisory than the files around it.",
                    name,
                )
            elif meta and chosen is None:
                chosen = meta
            elif meta and meta != chosen:
                self.say(
                    "duplicate-name",
                    "Another .meta file for this advisory came in; the first one counts.",
                    name,
                )
        return chosen

    def _read_meta(self, name: str) -> Meta | None:
        try:
            meta = parse_meta(self.files[name].data)
        except FormatError as error:
            self.say(error.code, error.sentence, name)
            return None
        self.note(meta.problems, name)
        return meta

    def check_digests(self, text: AdvisoryText) -> None:
        """Holds every file against the sha256 block; a name that lost its directory still counts."""
        digests: dict[str, set[str]] = {}
        for sha256, listed in text.digests:
            digests.setdefault(listed, set()).add(sha256)
        at_hand = resolve(digests, self.files)
        for listed, name in at_hand.items():
            self._check_digest(listed, name, digests[listed])
        checked = set(at_hand.values())
        for name, file in self.files.items():
            if digests and name not in checked and file.kind not in (FileKind.TEXT, FileKind.INDEX):
                self.say("unlisted-file", "The advisory's sha256 block does not name this file.", name)

    def _check_digest(self, listed: str, name: str | None, hashes: set[str]) -> None:
        if len(hashes) > 1:
            self.say("duplicate-name", "The advisory's sha256 block names this file twice, differently.", listed)
        if name is None:
            self.say("missing-file", "The advisory's sha256 block names this file, and it did not come in.", listed)
        elif self.files[name].sha256 not in hashes:
            self.say("hash-mismatch", "The file is not the one that the advisory's sha256 block names.", name)


def _kind(name: str, data: bytes) -> FileKind:
    """By suffix where it is plain, else by content."""
    lower = name.lower()
    if lower.endswith((".patch", ".diff")):
        return FileKind.PATCH
    if lower.endswith(".meta"):
        return FileKind.META
    if base(lower) == "xsa.json":
        return FileKind.INDEX
    if is_text(name, data):
        return FileKind.TEXT
    return FileKind.PATCH if _DIFF.search(data) else FileKind.OTHER


def is_text(name: str, data: bytes) -> bool:
    """Whether a file is read as an advisory's text: by its name, or by what it says."""
    return _TEXT_NAME.search(name) is not None or looks_like_advisory(data)


def _newest_then(releases: Mapping[str, date], when: datetime | None) -> str | None:
    known = [branch for branch, first in releases.items() if when and first <= when.date()]
    return max(known, key=natural_key, default=None)


def _common_number(files: Iterable[str]) -> int | None:
    """The number that most names carry."""
    found = Counter(number for name in files if (number := number_of(name)) is not None)
    return min(found, key=lambda number: (-found[number], number), default=None)


def _warn(recipe: Recipe, problems: Sequence[Problem]) -> Recipe:
    """Adds what makes a recipe's files untrustworthy."""
    own = [problem for problem in problems if problem.code == "hash-mismatch" and problem.file in recipe.files]
    return replace(recipe, problems=(*recipe.problems, *own))
