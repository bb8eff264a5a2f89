"""Result repositories: what the ladder made, as commits that can be diffed and fetched.

Each advisory's results live in a bare repository of their own that borrows the mirror's objects,
so that a mirror never holds what is embargoed. Nothing is checked out: trees are written as objects.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from backports.engine.diff import Patch
from backports.engine.result import Change, SeriesResult

from .errors import GitError
from .store import commit_at, open_repository

COMMITTER = "Xen backports <backports@localhost>"
UNKNOWN_AUTHOR = "Unknown author <unknown@localhost>"
REF_ATTEMPTS = 8
REF_WAIT_SECONDS = 0.05
STALE_LOCK_SECONDS = 60.0
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n[gc]\n\tauto = 0\n"
_PERSON = re.compile(r"\s*(?P<name>.*?)\s*<(?P<mail>[^<>]*)>\s*$", re.DOTALL)
_TREE_MODE = b"40000"
_OID_BYTES = 20
Entry = tuple[bytes, bytes]
Changes = dict[tuple[bytes, ...], Change]


def open_results(path: Path | str, mirror: Path | str) -> pygit2.Repository:
    """The result repository at `path`, made when it is not there, borrowing from `mirror`.

    The way to the mirror is relative, so that both can be moved together; when one of them was
    moved alone it is written anew. Raises GitError `mirror-missing`, `not-a-repository`.
    """
    target = Path(path).absolute()
    objects = Path(mirror).absolute().resolve() / "objects"
    if not (objects / "pack").is_dir() and not (objects / "info").is_dir():
        raise GitError("mirror-missing", "The mirror of this repository is gone; fetch it again, then retry.")
    if not target.exists():
        _make(target)
    _borrow(target.resolve(), objects)
    return open_repository(target)


def commit_series(repo: pygit2.Repository, base_oid: str, result: SeriesResult, ref: str, *, note: str = "") -> str:
    """Commits each patch of a result that changed something on `base_oid`, and points `ref` at the last.

    Author, date and message are the patch's; `note` is a line that goes below the message. The
    same input gives the same oids. Answers the tip's oid: the base itself when nothing changed.
    Raises GitError `no-such-commit`, `bad-ref`, `unsafe-path`, `path-in-the-way`, `ref-busy`.
    """
    if not ref.startswith("refs/") or not pygit2.reference_is_valid_name(ref):
        raise GitError("bad-ref", "A result's ref must start with refs/ and be a name that git allows.")
    tip = commit_at(repo, base_oid)
    for done in result.patches:
        if done.changes:
            tip = _commit(repo, tip, done.patch, done.changes, note)
    _point(repo, ref, tip)
    return str(tip.id)


def _make(target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (work / folder).mkdir(parents=True)
        (work / "HEAD").write_text("ref: refs/heads/master\n")
        (work / "config").write_text(_CONFIG)
        with contextlib.suppress(FileExistsError, OSError):
            work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _borrow(target: Path, objects: Path) -> None:
    alternates = target / "objects" / "info" / "alternates"
    line = os.path.relpath(objects, target / "objects") + "\n"
    if not alternates.parent.is_dir():
        raise GitError("not-a-repository", "There is no git repository at that place; move it away, then retry.")
    if not alternates.exists() or alternates.read_text() != line:
        handle, scratch = tempfile.mkstemp(prefix="alternates.", dir=alternates.parent)
        with os.fdopen(handle, "w") as file:
            file.write(line)
        Path(scratch).replace(alternates)


def _commit(
    repo: pygit2.Repository, parent: pygit2.Commit, patch: Patch, changes: Mapping[str, Change], note: str
) -> pygit2.Commit:
    tree = tree_with(repo, parent.tree, changes)
    stamp = _stamp(patch.date, parent)
    text = _message(patch, note)
    lines = [b"tree %s" % str(tree).encode(), b"parent %s" % str(parent.id).encode()]
    lines += [b"author %s %s" % (_person(patch.author), stamp), b"committer %s %s" % (COMMITTER.encode(), stamp)]
    raw = b"\n".join(lines)
    if not _is_utf8(raw + text):
        raw += b"\nencoding ISO-8859-1"
    return repo[repo.write(ObjectType.COMMIT, raw + b"\n\n" + text)].peel(pygit2.Commit)


def tree_with(repo: pygit2.Repository, tree: pygit2.Tree, changes: Mapping[str, Change]) -> pygit2.Oid:
    """The tree with changes made to the files at their paths, written into `repo`.

    Raises GitError `unsafe-path`, `path-in-the-way`.
    """
    by_parts = {tuple(_parts(path)): change for path, change in changes.items()}
    return _new_tree(repo, tree, by_parts) or repo.write(ObjectType.TREE, b"")


def _parts(path: str) -> Iterator[bytes]:
    for part in path.encode("utf-8", "surrogateescape").split(b"/"):
        if part in {b"", b".", b".."} or part.lower() == b".git" or b"\0" in part:
            raise GitError("unsafe-path", "A path of the result leaves the tree or points into .git; it was refused.")
        yield part


def _new_tree(repo: pygit2.Repository, tree: pygit2.Tree | None, changes: Changes) -> pygit2.Oid | None:
    """The tree with the changes made, or None when nothing is left in it."""
    entries, (files, folders) = dict(_entries(tree)), _by_depth(changes)
    for name in (name for name, change in files.items() if change.data is None):
        if name in entries and entries[name][0] != _TREE_MODE:
            del entries[name]
    for name, inside in folders.items():
        _put_folder(repo, entries, name, inside)
    for name, change in files.items():
        if change.data is not None:
            _put_file(repo, entries, name, change)
    return repo.write(ObjectType.TREE, _tree_bytes(entries)) if entries else None


def _by_depth(changes: Changes) -> tuple[dict[bytes, Change], dict[bytes, Changes]]:
    """The changes to files of this folder by name, and those to what is in its folders."""
    files = {name: change for (name, *rest), change in changes.items() if not rest}
    folders: dict[bytes, Changes] = defaultdict(dict)
    for (name, *rest), change in changes.items():
        if rest:
            folders[name][tuple(rest)] = change
    return files, folders


def _entries(tree: pygit2.Tree | None) -> Iterator[tuple[bytes, Entry]]:
    """What a tree object lists, as written: odd old modes stay as they are."""
    raw, place = (b"" if tree is None else tree.read_raw()), 0
    while place < len(raw):
        name_end = raw.index(b"\0", place)
        mode, _, name = raw[place:name_end].partition(b" ")
        place = name_end + 1 + _OID_BYTES
        yield name, (mode, raw[name_end + 1 : place])


def _put_file(repo: pygit2.Repository, entries: dict[bytes, Entry], name: bytes, change: Change) -> None:
    if name in entries and entries[name][0] == _TREE_MODE:
        raise _in_the_way()
    entries[name] = (b"%o" % change.mode, repo.create_blob(change.data or b"").raw)


def _put_folder(
    repo: pygit2.Repository,
    entries: dict[bytes, Entry],
    name: bytes,
    inside: Changes,
) -> None:
    mode, oid = entries.get(name, (_TREE_MODE, b""))
    if mode != _TREE_MODE:
        raise _in_the_way()
    old = repo[pygit2.Oid(raw=oid)].peel(pygit2.Tree) if oid else None
    new = _new_tree(repo, old, inside)
    if new is None:
        entries.pop(name, None)
    else:
        entries[name] = (_TREE_MODE, new.raw)


def _in_the_way() -> GitError:
    return GitError("path-in-the-way", "The result puts a file where the branch has a folder, or the other way round.")


def _tree_bytes(entries: Mapping[bytes, Entry]) -> bytes:
    """A tree object: git sorts a folder as if its name ended in a slash."""

    def place(name: bytes) -> bytes:
        return name + b"/" if entries[name][0] == _TREE_MODE else name

    return b"".join(b"%s %s\0%s" % (entries[name][0], name, entries[name][1]) for name in sorted(entries, key=place))


def _message(patch: Patch, note: str) -> bytes:
    body = patch.body.strip("\n")
    parts = [patch.subject.strip() or "(no subject)", body, note.strip()]
    if note and body and patch.trailers:
        parts = [parts[0], f"{body}\n{note.strip()}"]
    return _raw("\n\n".join(part for part in parts if part) + "\n").replace(b"\0", b"")


def _person(author: str) -> bytes:
    match = _PERSON.match(author) or _PERSON.match(UNKNOWN_AUTHOR)
    name, mail = ("", "") if match is None else (match.group("name").strip(' "'), match.group("mail"))
    clean = (re.sub(r"[<>\n\r\0]", "", part).strip() for part in (name or mail, mail))
    return b"%s <%s>" % tuple(_raw(part) for part in clean)


def _stamp(date: str, parent: pygit2.Commit) -> bytes:
    """Seconds and zone of a mail's date; the parent's commit date when it has none that can be read."""
    try:
        when: datetime | None = parsedate_to_datetime(date)
        when = when.replace(tzinfo=when.tzinfo or UTC) if when else None
    except (ValueError, TypeError, OverflowError):
        when = None
    if when is None or when.timestamp() < 0:
        return b"%d +0000" % parent.commit_time
    zone = (when.strftime("%z") or "+0000")[:5]
    return b"%d %s" % (int(when.timestamp()), zone.encode())


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _point(repo: pygit2.Repository, ref: str, tip: pygit2.Commit) -> None:
    for attempt in range(REF_ATTEMPTS):
        try:
            repo.references.create(ref, tip.id, force=True)
        except (pygit2.GitError, OSError, ValueError) as error:
            if attempt == REF_ATTEMPTS - 1:
                raise GitError("ref-busy", "Another process holds this result's ref; try again in a minute.") from error
            _drop_stale_lock(Path(repo.path) / f"{ref}.lock")
            time.sleep(REF_WAIT_SECONDS * (attempt + 1))
        else:
            return


def _drop_stale_lock(lock: Path) -> None:
    """A killed worker leaves its lock behind; no living one holds a ref for this long."""
    with contextlib.suppress(OSError):
        if time.time() - lock.stat().st_mtime > STALE_LOCK_SECONDS:
            lock.unlink()
