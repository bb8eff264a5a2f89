"""Fair play: which objects of a store a row's engine may see, and a repository that holds no others.

A repository without refs does not hide what is in its object store, and a corpus comes from a store
that holds the answers too. So each row gets a repository of its own whose object store is asked
through `Window`: it gives the row's commits, their ancestors, and what their trees hold; anything
else does not exist there, by full id, by abbreviation or by listing. It takes no objects either.

Method: an object is in the history of a commit exactly when a commit of that history brought it in,
that is, has it in its tree while its first parent does not. One pass of `git log --raw -t` tells who
brought in what; one pass over the commits, children first, tells which heads have a commit behind them.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pygit2
from pygit2.enums import ObjectType

from backports.git.runner import run_git

LOG = ("log", "--stdin", "--topo-order", "--raw", "-r", "-t", "-z", "--no-abbrev", "--no-renames", "--no-color")
LOG_TIMEOUT = 1800.0
LOG_LIMIT = 1 << 32
NOTHING = bytes(20)
TREES_KEPT = 40_000  # about 1 kB each


class Reach:
    """What each of some commits (`heads`) has behind it."""

    def __init__(self, heads: Sequence[str]) -> None:
        self._bits = {oid: 1 << place for place, oid in enumerate(heads)}
        self._masks: list[int] = []
        self._numbers: dict[bytes, int] = {}
        self._brought_by: dict[bytes, tuple[int, ...]] = {}
        self.trees: dict[bytes, tuple[int, bytes]] = {}

    @classmethod
    def load(cls, path: Path, heads: Sequence[str]) -> Reach:
        """Reads the history of `heads`, which must be in the repository at `path`. Raises GitError."""
        reach = cls(heads)
        if heads:
            wanted = "".join(f"{oid}\n" for oid in heads).encode()
            options = (*LOG, "--diff-merges=first-parent", "--format=%H %T %P")
            reach._read(run_git(options, git_dir=path, input=wanted, timeout=LOG_TIMEOUT, output_limit=LOG_LIMIT))
        return reach

    def bits(self, heads: Iterable[str]) -> int:
        """The heads as a set of bits; one that is unknown adds nothing."""
        found = 0
        for oid in heads:
            found |= self._bits.get(oid, 0)
        return found

    def keep(self, oid: pygit2.Oid, kind: int, data: bytes) -> tuple[int, bytes]:
        """The object; if it is a tree, kept at hand for other rows, as libgit2 does for a store of its own."""
        found = int(kind), data
        if kind == ObjectType.TREE:
            if len(self.trees) >= TREES_KEPT:
                self.trees.clear()
            self.trees[oid.raw] = found
        return found

    def sees(self, bits: int, oid: bytes) -> bool:
        """Whether the object with these 20 bytes as its id is in the history of any of the heads."""
        number = self._numbers.get(oid)
        if number is not None:
            return bool(self._masks[number] & bits)
        return any(self._masks[number] & bits for number in self._brought_by.get(oid, ()))

    def starting_with(self, bits: int, prefix: str) -> list[bytes]:
        """The ids in the history of the heads that start with these hex digits."""
        even = prefix if len(prefix) % 2 == 0 else prefix + "0"
        place = bisect.bisect_left(self._sorted, bytes.fromhex(even))
        found = []
        while place < len(self._sorted) and self._sorted[place].hex().startswith(prefix):
            if self.sees(bits, self._sorted[place]):
                found.append(self._sorted[place])
            place += 1
        return found

    @functools.cached_property
    def _sorted(self) -> list[bytes]:
        return sorted({*self._numbers, *self._brought_by})

    def _read(self, log: bytes) -> None:
        parents: list[list[bytes]] = []
        tokens = iter(log.split(b"\0"))
        for token in tokens:
            if token.lstrip(b"\n").startswith(b":"):
                self._bring(bytes.fromhex(token.split(b" ", 4)[3].decode()), len(parents) - 1)
                next(tokens)
            elif token:
                oid, tree, *above = (bytes.fromhex(part.decode()) for part in token.split())
                self._numbers[oid] = len(parents)
                parents.append(above)
                self._bring(tree, len(parents) - 1)
        self._hand_down(parents)

    def _bring(self, oid: bytes, number: int) -> None:
        if oid == NOTHING:
            return
        known = self._brought_by.get(oid, ())
        if number not in known[-1:]:
            self._brought_by[oid] = (*known, number)

    def _hand_down(self, parents: Sequence[Sequence[bytes]]) -> None:
        self._masks = [0] * len(parents)
        for oid, number in self._numbers.items():
            self._masks[number] |= self._bits.get(oid.hex(), 0)
        for number, above in enumerate(parents):
            for parent in above:
                if parent in self._numbers:
                    self._masks[self._numbers[parent]] |= self._masks[number]


class Window(pygit2.OdbBackend):
    """An object store that holds what `reach` shows to the heads in `bits`, read from `store`."""

    def __init__(self, store: pygit2.Odb, reach: Reach, bits: int) -> None:
        super().__init__()
        self._store, self._reach, self._bits = store, reach, bits

    def _check(self, oid: pygit2.Oid) -> pygit2.Oid:
        if not self._reach.sees(self._bits, oid.raw):
            raise KeyError(str(oid))
        return oid

    def _only(self, prefix: str) -> pygit2.Oid:
        if len(prefix) == 40:
            return self._check(pygit2.Oid(hex=prefix))
        found = self._reach.starting_with(self._bits, prefix)
        if not found:
            raise KeyError(prefix)
        if len(found) > 1:
            raise ValueError(f"ambiguous: {prefix}")
        return pygit2.Oid(raw=found[0])

    def read_cb(self, oid: pygit2.Oid) -> tuple[int, bytes]:
        """libgit2's hook: type and content of an object."""
        self._check(oid)
        return self._reach.trees.get(oid.raw) or self._reach.keep(oid, *self._store.read(oid))

    def read_header_cb(self, oid: pygit2.Oid) -> tuple[int, int]:
        """libgit2's hook: type and size of an object."""
        return self._store.read_header(self._check(oid))

    def read_prefix_cb(self, prefix: str) -> tuple[int, bytes, pygit2.Oid]:
        """libgit2's hook: an object by the start of its id."""
        oid = self._only(prefix)
        return (*self._store.read(oid), oid)

    def exists_cb(self, oid: pygit2.Oid) -> bool:
        """libgit2's hook: whether the object is there."""
        return self._reach.sees(self._bits, oid.raw) and oid in self._store

    def exists_prefix_cb(self, prefix: str) -> pygit2.Oid:
        """libgit2's hook: the full id of an object."""
        return self._only(prefix)

    def refresh_cb(self) -> None:
        """libgit2's hook: nothing new ever comes."""

    def __iter__(self) -> Iterator[pygit2.Oid]:
        return iter(())


def row_repository(empty: Path, store: pygit2.Odb, reach: Reach, heads: Iterable[str]) -> pygit2.Repository:
    """A repository without refs that holds the history of `heads` and nothing else, and can only be read.

    `empty` is an empty bare repository, which is all that is found at the repository's path.
    """
    repo = pygit2.Repository(str(empty))
    window = pygit2.Odb()
    window.add_backend(Window(store, reach, reach.bits(heads)), 1)
    repo.set_odb(window)
    return repo
