"""Lines and names by which code can be told, and whether a tree has them anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backports.engine.diff import Hunk
from backports.engine.guards.ccode import KEYWORDS
from backports.engine.guards.ccode import WORD as NAME

from .errors import GitError
from .runner import refuse_option, run_git
from .store import Recent

PER_HUNK = 8
GREP_LIMIT = 8 * 1024 * 1024
SEARCHES_KEPT = 64
_MIN_NAME_BYTES = 8


def anchors(hunk: Hunk) -> list[bytes]:
    """Lines by which the hunk's code can be told: the removed ones, then the kept ones, nearest to a change first.

    Without the space around them; at most PER_HUNK, each with names of at least 8 bytes in all.
    """
    tags = [line.tag for line in hunk.lines]
    changes = [at for at, tag in enumerate(tags) if tag != " "]
    near = sorted(
        (at for at, tag in enumerate(tags) if tag != "+"),
        key=lambda at: (tags[at] != "-", min((abs(at - change) for change in changes), default=0)),
    )
    lines = (hunk.lines[at].text.strip() for at in near)
    return [line for line in dict.fromkeys(lines) if _is_telling(line)][:PER_HUNK]


def _is_telling(line: bytes) -> bool:
    names = [name for name in NAME.findall(line) if name not in KEYWORDS]
    return b"\0" not in line and sum(map(len, names)) >= _MIN_NAME_BYTES


@dataclass(frozen=True, slots=True)
class Found:
    """How often each line stands in a tree, whatever the space around it, and which of the names occur in it."""

    lines: Mapping[bytes, int]
    names: frozenset[bytes]


_FOUND: Recent[tuple[str, frozenset[bytes], frozenset[bytes]], Found] = Recent(SEARCHES_KEPT)


def search(
    git_dir: Path | str, tree: str, lines: Iterable[bytes], names: Iterable[bytes] = (), *, seconds: float
) -> Found:
    """Looks for lines and names in every text file of a tree (an oid), by one `git grep`.

    Raises GitError `timeout`, `too-large` (they stand everywhere), `no-such-commit`.
    """
    key = (refuse_option(tree, "tree"), frozenset(lines), frozenset(names))
    return _FOUND.get(key, lambda: _grep(git_dir, *key, seconds=seconds))


def _grep(
    git_dir: Path | str, tree: str, lines: Collection[bytes], names: frozenset[bytes], *, seconds: float
) -> Found:
    if seconds <= 0:
        raise GitError("timeout", "There was no time left to search the tree; try again later.")
    wanted = b"".join(text + b"\n" for text in sorted(names.union(lines)))
    if not wanted:
        return Found({}, frozenset())
    options = ["grep", "-h", "-I", "--no-color", "--fixed-strings", "-f", "-", tree]
    out = run_git(options, git_dir=git_dir, input=wanted, timeout=seconds, output_limit=GREP_LIMIT, ok_codes=(0, 1))
    count = Counter(line.strip() for line in out.split(b"\n"))
    return Found({line: count[line] for line in lines}, names & frozenset(_words(count)))


def _words(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield from NAME.findall(line)


def telling(lines: Iterable[bytes], there: Found) -> tuple[bytes, ...]:
    """The lines that the tree `there` has in one place only."""
    return tuple(line for line in dict.fromkeys(lines) if there.lines.get(line) == 1)


def distinctive(lines: Iterable[bytes], there: Found, here: Found) -> tuple[bytes, ...]:
    """The telling lines; none when the tree `here` has one of those anywhere."""
    told = telling(lines, there)
    return () if any(here.lines.get(line) for line in told) else told
