"""A fix made on one small project, applied on another: what the guards' tests are built from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from backports.engine import diff, ladder
from backports.engine.guards import Symbols, ccode
from backports.engine.result import SeriesResult
from tests.engine.helpers import DictTree, unified


class TreeNames:
    """The names of a few files, read on the spot: the same answers as the index of a real tree gives."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.named: set[bytes] = set()
        self.all: set[bytes] = set()
        for path, data in files.items():
            found = ccode.tokens(data) if ccode.is_c(path) else set()
            self.all |= found
            self.named |= found if ccode.is_header(path) else set()

    def declared(self, names: Collection[bytes], path: str) -> frozenset[bytes]:  # noqa: ARG002
        return frozenset(self.named & set(names))

    def present(self, names: Collection[bytes], path: str) -> frozenset[bytes]:  # noqa: ARG002
        return frozenset(self.all & set(names))

    def holding(self, name: bytes, path: str) -> Iterator[str]:  # noqa: ARG002
        return (path for path, data in self.files.items() if ccode.is_c(path) and ccode.has_word(data, name))

    def read(self, path: str) -> bytes:
        return self.files.get(path, b"")

    def headers(self, names: Collection[bytes], path: str) -> frozenset[bytes]:  # noqa: ARG002
        return frozenset(name for name in names if self._called(name))

    def brought(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:  # noqa: ARG002
        texts = [data for name in includes for data in self._called(name)]
        return frozenset(name for name in names if any(ccode.has_word(text, name) for text in texts))

    def reached(self, names: Collection[bytes], path: str, includes: Collection[bytes]) -> frozenset[bytes]:
        texts = [data for name in includes for data in self._called(name)]
        inner = [self.reached(names, path, ccode.included(text)) for text in texts]
        return frozenset(name for name in names if any(ccode.has_word(text, name) for text in texts)).union(*inner)

    def _called(self, name: bytes) -> list[bytes]:
        return [data for path, data in self.files.items() if f"/{path}".endswith("/" + name.decode())]


def port(
    source: Mapping[str, bytes], fixed: Mapping[str, bytes], target: Mapping[str, bytes], *, names: bool = True
) -> SeriesResult:
    """Applies what turns `source` into `fixed` on `target`; the store knows the source's files."""
    patch = b"".join(unified(source[path], fixed[path], path) for path in fixed if fixed[path] != source[path])
    tree = DictTree(target, store=list(source.values()))
    symbols = Symbols(TreeNames(target), TreeNames(source)) if names else None
    return ladder.apply_series(diff.parse_series(patch), tree, symbols=symbols)


def codes(result: SeriesResult) -> list[str]:
    """The codes of the flags, in order."""
    return [flag.code for flag in result.flags]
