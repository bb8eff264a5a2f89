"""What happened to a few files between two commits, commit by commit, from one `git log -p`.

With the commit graph and its path filters, which every mirror has, the 220 changes to one file of
6,500 lines between two releases ten years apart take half a second; blaming lines takes as
long and does not tell who removed what is no longer there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .runner import refuse_option, run_git
from .store import Recent

LOG_LIMIT = 48 * 1024 * 1024
FORKS_KEPT = 4096
LOG_TIMEOUT = 20.0
_OPTIONS = (
    "log",
    "--no-merges",
    "--topo-order",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--encoding=UTF-8",
    "--unified=0",
    "--inter-hunk-context=0",
    "--find-renames",
    "--patch",
    "--format=%x00%H%x1f%s",
)
_RECORD = re.compile(rb"(?:^|(?<=\n))\0([0-9a-f]{40})\x1f([^\n]*)\n")
_FORKS: Recent[tuple[str, str], str] = Recent(FORKS_KEPT)


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring lines that a commit replaced in one file, under git's section heading."""

    section: bytes
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Logged:
    """A commit and what it changed in the files that were asked for."""

    oid: str
    subject: str
    blocks: tuple[Block, ...]


def fork_of(git_dir: Path | str, one: str, other: str, *, timeout: float = LOG_TIMEOUT) -> str | None:
    """The best common ancestor of two commits, or None. Raises GitError `bad-name`, `no-such-commit`, `timeout`."""
    key = (min(one, other), max(one, other))

    def find() -> str:
        args = ["merge-base", *(refuse_option(oid, "commit") for oid in key)]
        return run_git(args, git_dir=git_dir, timeout=timeout, ok_codes=(0, 1)).decode().strip()

    return _FORKS.get(key, find) or None


def file_log(
    git_dir: Path | str, since: str, until: str, paths: Iterable[str], *, timeout: float = LOG_TIMEOUT
) -> tuple[Logged, ...]:
    """The commits in `until` and not in `since` that change one of `paths`, newest first, merges left out.

    Give every name that a file had, or the commit that moved it seems to have written all of it. `timeout`
    is in seconds. Raises GitError `bad-name`, `no-such-commit`, `timeout`, `too-large`.
    """
    wanted = [f":(literal){path}" for path in sorted(set(paths)) if path]
    if since == until or not wanted:
        return ()
    ends = [refuse_option(until, "commit"), f"^{refuse_option(since, 'commit')}"]
    out = run_git([*_OPTIONS, *ends, "--", *wanted], git_dir=git_dir, timeout=timeout, output_limit=LOG_LIMIT)
    return tuple(_records(out))


def _records(out: bytes) -> Iterator[Logged]:
    heads = list(_RECORD.finditer(out))
    ends = [head.start() for head in heads[1:]] + [len(out)]
    for head, end in zip(heads, ends, strict=False):
        text = out[head.end() : end]
        subject = head.group(2).decode("utf-8", "replace")
        yield Logged(head.group(1).decode(), subject, tuple(_blocks(text.split(b"\n"))))


def _blocks(lines: Sequence[bytes]) -> Iterator[Block]:
    """Without context every block is a heading, the removed lines, then the added ones."""
    at = 0
    while at < len(lines):
        if not lines[at].startswith(b"@@ -"):
            at += 1
            continue
        section = lines[at].split(b"@@", 2)[-1].strip()
        start = at = at + 1
        while at < len(lines) and lines[at][:1] in (b"-", b"+", b"\\"):
            at += 1
        body = lines[start:at]
        yield Block(section, _tagged(body, b"-"), _tagged(body, b"+"))


def _tagged(lines: Iterable[bytes], tag: bytes) -> tuple[bytes, ...]:
    return tuple(line[1:] for line in lines if line.startswith(tag))
