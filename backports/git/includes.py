"""The headers of a tree, found by what `#include` lines call them, and the names that come in with them.

No build is looked at: a header is any file whose folder ends as the line says (`<xen/list.h>` is in a folder
that ends in `xen`), within the reach of the code that includes it. A folder `asm-x86` counts as `asm`.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence

import pygit2

from backports.engine.guards import ccode

from .store import Recent

ALWAYS = (b"xen/config.h",)  # what Xen's makefiles have the compiler include by itself
INCLUDES_KEPT = 50_000
MOST_HEADERS = 1_500  # that are followed for one question
_ASM = re.compile(r"(^|/)asm-\w+(?=/|$)")
_INCLUDED: Recent[str, tuple[bytes, ...]] = Recent(INCLUDES_KEPT)
Place = tuple[str, str]
"""A path, and the oid of what is there."""


class Headers:
    """The headers that code in one reach can include: those in `folders`, nearest first."""

    def __init__(self, repo: pygit2.Repository, folders: Sequence[Place]) -> None:
        self._repo, self._folders = repo, folders
        self._by_end: defaultdict[str, list[Place]] = defaultdict(list)
        for path, oid in folders:
            self._by_end[plain(path).rpartition("/")[2]].append((path, oid))
        self._found: dict[tuple[bytes, str], tuple[Place, ...]] = {}

    def find(self, name: bytes, home: str) -> tuple[Place, ...]:
        """The files that an `#include` of `name` in folder `home` can mean: the one beside it, or else all."""
        folder, _, base = name.rpartition(b"/")
        key = name, home if not folder or folder.startswith(b".") else ""
        if key not in self._found:
            self._found[key] = tuple(self._find(folder.decode("latin-1"), base.decode("latin-1"), home))
        return self._found[key]

    def _find(self, folder: str, base: str, home: str) -> Iterator[Place]:
        beside = posixpath.normpath(posixpath.join(home, folder)) if not folder or folder[:1] == "." else ""
        own = [place for place in self._folders if beside and place[0] == beside]
        here = list(self._in(own, base))
        if here or folder[:1] == ".":
            yield from here
        elif folder:
            yield from self._in(self._ending(folder), base)
        else:
            yield from self._in(self._folders, base)

    def _ending(self, folder: str) -> Iterable[Place]:
        end = f"/{plain(folder)}"
        return (place for place in self._by_end[end.rpartition("/")[2]] if f"/{plain(place[0])}".endswith(end))

    def _in(self, folders: Iterable[Place], base: str) -> Iterator[Place]:
        for path, oid in folders:
            tree = self._repo[oid].peel(pygit2.Tree)
            if base in tree and isinstance(tree[base], pygit2.Blob):
                yield f"{path}/{base}".lstrip("/"), str(tree[base].id)

    def brought(self, names: Collection[bytes], path: str, includes: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the names that stand in the headers `includes` themselves, for code at `path`."""
        home = path.rpartition("/")[0]
        texts = [self._repo[oid].peel(pygit2.Blob).data for name in includes for _, oid in self.find(name, home)]
        return frozenset(name for name in names if any(ccode.has_word(text, name) for text in texts))

    def reached(self, names: Collection[bytes], path: str, includes: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the names that stand in the headers `includes`, or in what those include, for code at `path`."""
        left: set[bytes] = set(names)
        seen: set[str] = set()
        queue = deque((name, path) for name in (*includes, *ALWAYS))
        while queue and left and len(seen) < MOST_HEADERS:
            name, user = queue.popleft()
            for found, oid in self.find(name, user.rpartition("/")[0]):
                if found not in seen:
                    seen.add(found)
                    data = self._repo[oid].peel(pygit2.Blob).data
                    left = {one for one in left if not ccode.has_word(data, one)}
                    queue.extend((inner, found) for inner in _included(oid, data))
        return frozenset(names) - left


def plain(folder: str) -> str:
    """The folder with one name for the architectures' headers: `asm-x86/hvm` is `asm/hvm`."""
    return _ASM.sub(r"\1asm", folder)


def _included(oid: str, data: bytes) -> tuple[bytes, ...]:
    return _INCLUDED.get(oid, lambda: tuple(dict.fromkeys(ccode.included(data))))
