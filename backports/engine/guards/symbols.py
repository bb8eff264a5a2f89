"""What the guards ask of an index of identifiers, as protocols; `backports.git.symbols` implements them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol


class SymbolReader(Protocol):
    """The names of one tree's C files.

    A name is an identifier, `.member`, `.outer.inner`, `name/2` (a call with two arguments) or
    `%pv` (a printf extension). The methods give the names of `names` that they find; `path` is the file that
    wants to use them, since one program's or architecture's names do not help another's.
    """

    def declared(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those that some header in reach of `path` holds."""

    def present(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those that any C file in reach of `path` holds."""

    def holding(self, name: bytes, path: str) -> Iterator[str]:
        """The C files in reach of `path` that hold the identifier, likeliest first; none when it is all over."""

    def read(self, path: str) -> bytes:
        """The tree's file at `path`, or b"" where there is none."""

    def headers(self, names: Collection[bytes], path: str) -> frozenset[bytes]:
        """Those that an `#include` at `path` would find; these names are as such a line has them (`xen/list.h`)."""

    def brought(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:
        """Those identifiers that stand in the headers `includes` themselves."""

    def reached(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:
        """Those identifiers that stand in the headers `includes`, or in what those include."""


@dataclass(frozen=True, slots=True)
class Symbols:
    """The names of the tree that the fix goes to, and of the tree that it was made on."""

    target: SymbolReader
    source: SymbolReader
