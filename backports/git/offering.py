"""What a reader may fetch, as a repository made for one answer: it holds the objects of these refs, and no other's.

It borrows from the mirrors of repositories that the reader may see; of results it holds copies of what the refs reach.
Nothing that hangs on another ref is in it, so asking for it by its id answers as asking for what does not exist.
git speaks the first version of its protocol: in the second a reader may ask for any object.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import packets
from .errors import GitError
from .results import open_results
from .runner import run_git, stream_git
from .scratch import roomy_memory
from .store import open_repository

FETCH, PUSH = "git-upload-pack", "git-receive-pack"
AT_ONCE = 2  # of one server's process, whose other threads answer pages meanwhile
WAIT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
FETCH_SECONDS = 900.0
FETCH_BYTES = 2 * 1024 * 1024 * 1024
MEMORY_BYTES = 1024 * 1024 * 1024
_CONFIG = """\
[pack]
\tthreads = 1
[receive]
\tadvertiseAtomic = false
\tadvertisePushOptions = false
"""
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Part:
    """What is offered of one repository: `heads` are refs at commits of the mirror, `made` at commits of the results.

    `made` tells of each the commit of the mirror that it was made on.
    """

    mirror: Path
    results: Path
    heads: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@contextmanager
def offered(parts: Sequence[Part], head: str = "") -> Iterator[Path]:
    """A bare repository of these refs, gone at the end; `head` is what a clone checks out.

    Refs whose objects are gone are left out. Raises GitError `busy` when too many are being answered.
    """
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise GitError("busy", "Too many are fetching or pushing just now; try again in a minute.")
    try:
        with tempfile.TemporaryDirectory(prefix="offered-", dir=roomy_memory()) as folder:
            path = Path(folder) / "offered.git"
            _make(path, [part for part in parts if (part.mirror / "objects").is_dir()], head)
            yield path
    finally:
        _turns.release()


def _make(path: Path, parts: Sequence[Part], head: str) -> None:
    run_git(["init", "--quiet", "--bare", "--template=", str(path)])
    with (path / "config").open("a") as config:
        config.write(_CONFIG)
    (path / "objects" / "info").mkdir(exist_ok=True)
    borrowed = "".join(f"{part.mirror.absolute().resolve() / 'objects'}\n" for part in parts)
    (path / "objects" / "info" / "alternates").write_text(borrowed)
    refs: dict[str, str] = {}
    for part in parts:
        refs |= {**part.heads, **_copied(path, part)}
    _point(path, refs, head)


def _copied(path: Path, part: Part) -> dict[str, str]:
    """The refs at results, with everything that they reach and the mirror has not, as a pack of its own."""
    if not part.made:
        return {}
    results = open_results(part.results, part.mirror)
    made = {name: pair for name, pair in part.made.items() if all(oid in results for oid in pair)}
    tips = {oid for oid, _ in made.values()}
    bases = {base for _, base in made.values()} | {oid for oid in part.heads.values() if oid in results}
    asked = "\n".join([*sorted(tips), "--not", *sorted(bases), ""]).encode()
    pack = run_git(["pack-objects", "--quiet", "--revs", "--stdout"], git_dir=part.results, input=asked)
    run_git(["index-pack", "--stdin"], git_dir=path, input=pack)
    return {name: oid for name, (oid, _) in made.items()}


def _point(path: Path, refs: Mapping[str, str], head: str) -> None:
    repo = open_repository(path)
    held = sorted((name, oid) for name, oid in refs.items() if oid in repo)
    repo.free()
    lines = ["# pack-refs with: peeled fully-peeled sorted ", *(f"{oid} {name}" for name, oid in held), ""]
    (path / "packed-refs").write_text("\n".join(lines))
    if head in refs:
        (path / "HEAD").write_text(f"ref: {head}\n")


def advertise(path: Path, service: str) -> bytes:
    """The refs of an offered repository, as `service` tells them by HTTP. Raises GitError."""
    command = [service.removeprefix("git-"), "--stateless-rpc", "--advertise-refs", str(path)]
    return packets.announced(service, [run_git(command, timeout=ANSWER_SECONDS)])


def fetched(parts: Sequence[Part], head: str, asked: bytes) -> Iterator[bytes]:
    """The answer to what a fetch asked for, in pieces; the first is empty, and comes once it is sure to be answered.

    Raises GitError.
    """
    with offered(parts, head) as path:
        yield b""
        command = ["upload-pack", "--stateless-rpc", str(path)]
        yield from stream_git(command, git_dir=path, data=asked, timeout=FETCH_SECONDS, output_limit=FETCH_BYTES)
