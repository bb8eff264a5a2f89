"""What the target's tree calls names that it lacks, learned from other files than the fix touches.

Method: the commits between source and target that renamed something did so in every file that used it. So a name
that the source's tree has and the target's lacks is looked up in the files that hold it in the source's tree, and
these are compared with the target's files of the same paths, as `dialect.learn` compares a pair. What most of the
files say is taken when it is a rename by the trees as well: the target's tree has the other name, used in the same
way (as a call with as many arguments), and the source's does not. The files' own history is not asked: it says the
same, and takes far longer. Motivated by XSA-492 (an option of the configuration with another name) and XSA-475.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from .dialect import CONSISTENT, learn
from .guards.ccode import MAX_ARGUMENTS
from .guards.symbols import Symbols
from .merge import BaseMap
from .scan import split_lines
from .tree import LineDiffer

MAX_NAMES = 20
MAX_FILES = 12
MAX_BYTES = 1_000_000  # of one file
FORMS = tuple(b"/%d" % count for count in range(MAX_ARGUMENTS + 1))


class Renames:
    """The names of two trees; what was found out is kept."""

    def __init__(self, symbols: Symbols, differ: LineDiffer) -> None:
        self._symbols, self._differ = symbols, differ
        self._known: dict[bytes, bytes] = {}
        self._pairs: dict[str, BaseMap | None] = {}

    def of(self, names: Collection[bytes], path: str) -> dict[bytes, bytes]:
        """The target's names for those of `names` that it has others for; each is one that its tree lacks."""
        for name in sorted(names)[:MAX_NAMES]:
            if name not in self._known:
                self._known[name] = self._told(name, path)
        return {name: other for name in names if (other := self._known.get(name, b""))}

    def _told(self, name: bytes, path: str) -> bytes:
        votes: Counter[bytes] = Counter()
        for pair in self._holding(name, path):
            votes.update(learn({name}, pair, self._differ).values())
        if not votes:
            return b""
        other, count = votes.most_common(1)[0]
        agreed = count >= CONSISTENT * votes.total()
        return other if agreed and self._is_renamed(name, other, path) else b""

    def _holding(self, name: bytes, path: str) -> Iterator[BaseMap]:
        """The files that hold the name in the source's tree, beside the target's of the same paths."""
        for file in self._symbols.source.holding(name, path)[:MAX_FILES]:
            if file not in self._pairs:
                self._pairs[file] = self._pair(file)
            pair = self._pairs[file]
            if pair is not None:
                yield pair

    def _pair(self, file: str) -> BaseMap | None:
        old, new = self._symbols.source.read(file), self._symbols.target.read(file)
        if not old or not new or old == new or max(len(old), len(new)) > MAX_BYTES:
            return None
        return BaseMap(split_lines(old), split_lines(new), self._differ(old, new))

    def _is_renamed(self, name: bytes, other: bytes, path: str) -> bool:
        source, target = self._symbols.source, self._symbols.target
        called = source.present([name + form for form in FORMS], path)
        wanted = [other + form for form in FORMS if name + form in called] or [other]
        return bool(target.present(wanted, path)) and not source.present(wanted, path)
