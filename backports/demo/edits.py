"""Edits of a source tree that is held in memory: the vocabulary in which the demo's history is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .generate import SOURCE

Files = dict[str, bytes]
Edit = Callable[[Files], None]


class EditError(Exception):
    """The demo's history does not fit itself: a text that an edit names is not there exactly once."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.code = "demo-edit"
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Person:
    """A fictional role that writes commits."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


MAINTAINER = Person("Maintainer One", "maintainer.one@example.org")
DEVELOPER = Person("Developer Two", "developer.two@example.org")
TOOLS = Person("Tools Maintainer", "tools@example.org")
SECURITY = Person("Security Engineer One", "one@example.org")
INGENIEUR = Person("Ingénieur Sécurité", "securite@example.org")
DISTRIBUTION = Person("Example Distribution", "kernel@distribution.example")


@dataclass(frozen=True, slots=True)
class Change:
    """One commit to be: its message and the edits. `key` names it for later reference, or is ""."""

    subject: str
    body: str
    edits: tuple[Edit, ...]
    author: Person = DEVELOPER
    key: str = ""


def replace(path: str, old: str, new: str) -> Edit:
    """Replaces the one place where `old` stands in `path`; keeps CRLF where the file has it."""

    def edit(files: Files) -> None:
        data = files.get(path, b"")
        before, after = old.encode(), new.encode()
        if b"\r\n" in data:
            before, after = before.replace(b"\n", b"\r\n"), after.replace(b"\n", b"\r\n")
        if data.count(before) != 1:
            raise EditError(f"{path} holds {data.count(before)} times: {old!r}")
        files[path] = data.replace(before, after)

    return edit


def substitute(pattern: str, new: str, *paths: str) -> Edit:
    """Replaces every match of a regular expression in `paths`, or in all C files; at least one must match."""
    compiled = re.compile(pattern.encode())

    def edit(files: Files) -> None:
        total = 0
        for path in paths or [name for name in files if name.endswith((".c", ".h"))]:
            files[path], count = compiled.subn(new.encode(), files[path])
            total += count
        if not total:
            raise EditError(f"no file matches {pattern!r}")

    return edit


def add(path: str, text: str) -> Edit:
    """Adds a file with `text`."""

    def edit(files: Files) -> None:
        if path in files:
            raise EditError(f"{path} exists already")
        files[path] = text.encode()

    return edit


def add_later(path: str, source: str) -> Edit:
    """Adds a file whose text is `source/later/<source>`."""
    return add(path, (SOURCE / "later" / source).read_text("ascii"))


def move_folder(old: str, new: str) -> Edit:
    """Moves every file below `old`/ to below `new`/."""

    def edit(files: Files) -> None:
        for path in [name for name in files if name.startswith(f"{old}/")]:
            files[new + path.removeprefix(old)] = files.pop(path)

    return edit


def indent_with_tabs(path: str) -> Edit:
    """Turns each four leading spaces into a tab."""
    return _leading(path, rb"(?m)^(?: {4})+", lambda found: b"\t" * (len(found) // 4))


def indent_with_spaces(path: str) -> Edit:
    """Turns each leading tab into four spaces."""
    return _leading(path, rb"(?m)^\t+", lambda found: b"    " * len(found))


def _leading(path: str, pattern: bytes, turn: Callable[[bytes], bytes]) -> Edit:
    def edit(files: Files) -> None:
        files[path] = re.sub(pattern, lambda match: turn(match.group()), files[path])

    return edit


def with_crlf(path: str) -> Edit:
    """Gives a file the line endings of another operating system."""

    def edit(files: Files) -> None:
        files[path] = files[path].replace(b"\n", b"\r\n")

    return edit


def apply(edits: tuple[Edit, ...], files: Files) -> Files:
    """A copy of `files` after the edits."""
    result = dict(files)
    for edit in edits:
        edit(result)
    return result
