"""Bytes and a file's name, read into ordered patches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from backports.engine import suspects
from backports.engine.diff import MAX_BYTES, parse_patch
from backports.engine.errors import EngineError
from backports.engine.scan import split_lines, split_patches

from . import archive, mails, quilt
from .arrived import Arrived, Intake, Kind, Note, Refused

MAX_UPLOAD = 50 * 1024 * 1024
_START = 512
_OTHER_FILES = (
    (b"PK\x03\x04", "zip", "This is a zip archive. Send the patches as they are, or as a tar."),
    (b"\x28\xb5\x2f\xfd", "zstd", "This is compressed by zstd. Use gzip or xz, or send it as it is."),
    (b"7z\xbc\xaf\x27\x1c", "seven-zip", "This is a 7-Zip archive. Send the patches as they are, or as a tar."),
    (b"Rar!", "rar", "This is a RAR archive. Send the patches as they are, or as a tar."),
    (b"!<arch>\n", "package", "This is a built package. Send its patches, or the source's .debian.tar."),
    (b"\xff\xfe", "utf-16", "This text was saved as UTF-16. Save it as UTF-8, or as the bytes that git wrote."),
    (b"\xfe\xff", "utf-16", "This text was saved as UTF-16. Save it as UTF-8, or as the bytes that git wrote."),
)
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)


def read(name: str, data: bytes, *, strip: int | None = None) -> Intake:
    """The patches that were sent as the file `name`, in the order in which they are to be applied.

    `strip` is what the sender said about the names in the patch (`patch -pN`), if anything. Raises Refused, whose
    code and sentence are for the sender; whether a patch applies anywhere is not asked here.
    """
    _refuse_at_sight(data)
    if archive.compression_of(data) or archive.is_tar(data[:_START]):
        return _packed(name, data, strip)
    return _finish(*_plain(name, data, strip))


def _refuse_at_sight(data: bytes) -> None:
    if not data.strip():
        raise Refused("The file is empty. Send the patch itself.", code="empty")
    if len(data) > MAX_UPLOAD:
        raise Refused(
            f"The file has {len(data)} bytes; the limit is {MAX_UPLOAD}. Send the patches alone.", code="too-large"
        )
    for magic, code, sentence in _OTHER_FILES:
        if data.startswith(magic):
            raise Refused(sentence, code=code)
    if _PAGE.match(data):
        raise Refused("This is a web page. Download the patch in its raw form, and send that.", code="web-page")


def _packed(name: str, data: bytes, strip: int | None) -> Intake:
    if not archive.is_tar(archive.Expanding(data).read(_START)):
        whole = archive.expanded(data)
        _refuse_at_sight(whole)
        return _finish(*_plain(re.sub(r"\.(?:gz|bz2|xz|lzma)$", "", name), whole, strip))
    kind, entries, notes = quilt.entries(archive.unpack(data, quilt.is_wanted, MAX_BYTES))
    arrived: list[Arrived] = []
    for entry in entries:
        level = strip if entry.strip is None else entry.strip
        _, found, more = _plain(entry.name, entry.data, level)
        arrived += found
        notes += more
    return _finish(kind, arrived, notes)


def _plain(name: str, data: bytes, strip: int | None) -> tuple[Kind, list[Arrived], list[Note]]:
    """The patches of a text: one, or a mailbox of them."""
    letters = [mails.Mail.of(mail) for mail in mails.split(data)]
    parts = [(letter, _patches_in(name, letter.data)) for letter in letters]
    holding = [(letter, found) for letter, found in parts if found]
    if not holding:
        raise _nothing(name, data)
    by_letter = {id(letter): found for letter, found in holding}
    ordered, notes = mails.in_order([letter for letter, _ in holding])
    arrived = [_arrived(name, letter, part, strip) for letter in ordered for part in by_letter[id(letter)]]
    kind = Kind.MBOX if len(letters) > 1 else Kind.PATCH
    return kind, arrived, notes


def _patches_in(name: str, data: bytes) -> list[bytes]:
    try:
        return split_patches(data)
    except EngineError as error:
        raise _told(name, error) from error


def _arrived(name: str, letter: mails.Mail, part: bytes, strip: int | None) -> Arrived:
    try:
        patch = parse_patch(part, strip=strip)
    except EngineError as error:
        raise _told(name, error) from error
    return Arrived(name, part, patch, mails.tag_of(part) or letter.tag, strip)


def _told(name: str, error: EngineError) -> Refused:
    """The engine's refusal, with the name of the file that it is about."""
    return Refused(f"{archive.shown(name)}: {error.sentence}", code=error.code)


def _nothing(name: str, data: bytes) -> Refused:
    if b"\0" in data[:65_536]:
        return Refused(f"{archive.shown(name)} is a binary file and no patch.", code="binary-file")
    return Refused(
        f"There is no unified diff in {archive.shown(name)}. Send a patch as git, hg, quilt or diff -u write it.",
        code="no-diff",
    )


def _finish(kind: Kind, arrived: Sequence[Arrived], notes: Sequence[Note]) -> Intake:
    if len(arrived) > quilt.MAX_PATCHES:
        raise Refused(f"There are more than {quilt.MAX_PATCHES} patches. Split them.", code="too-many")
    binary = [file.path for one in arrived for file in one.patch.files if file.binary]
    if binary and all(file.binary for one in arrived for file in one.patch.files):
        raise Refused(
            "The patch changes binary files only, which are not applied here. Send what they are made from.",
            code="binary-patch",
        )
    found = tuple(suspect for one in arrived for suspect in _suspects(one))[: suspects.LIMIT]
    return Intake(kind, tuple(arrived), (*notes, *_binary(binary), *_charsets(arrived), *_repeated(arrived)), found)


def _suspects(one: Arrived) -> Iterator[suspects.Suspect]:
    return (replace(suspect, file=one.name) for suspect in suspects.find(one.data))


def _binary(paths: Sequence[str]) -> Iterator[Note]:
    if paths:
        few = ", ".join(archive.shown(path) for path in paths[: quilt.FEW])
        yield Note("binary-parts", f"Changes to binary files are not applied: {few}. Put them in place by hand.")


def _charsets(arrived: Sequence[Arrived]) -> Iterator[Note]:
    for one in arrived:
        line = next((at for at, line in enumerate(split_lines(one.data), 1) if not _is_utf8(line)), 0)
        if line:
            yield Note(
                "not-utf-8", f"Line {line} of {archive.shown(one.name)} is no UTF-8; its bytes are kept as they are."
            )


def _is_utf8(line: bytes) -> bool:
    if line.isascii():
        return True
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _repeated(arrived: Sequence[Arrived]) -> Iterator[Note]:
    seen: dict[object, str] = {}
    for one in arrived:
        if one.patch.files in seen:
            yield Note(
                "same-twice", f"{archive.shown(one.name)} changes the same as {archive.shown(seen[one.patch.files])}."
            )
        seen.setdefault(one.patch.files, one.name)
