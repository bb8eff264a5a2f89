"""What the target's tree calls names that it lacks, learned from other files than the fix touches.

Method: the commits between source and target that renamed something did so in every file that used it. So a name
that the source's tree has and the target's lacks is looked up in the files that hold it in the source's tree, and
these are compared with the target's files of the same paths, as `dialect.learn` compares a pair. What most of the
files say is taken when it is a rename by the trees as well: the target's tree has the other name, used in the same
way (as a call with as many arguments), and the source's does not. The files' own history is not asked: it says the
same, and takes far longer. Motivated by XSA-492 (an option of the configuration with another name) and XSA-475.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from .dialect import CONSISTENT, learn
from .guards.ccode import MAX_ARGUMENTS
from .guards.symbols import Symbols
from .merge import BaseMap
from .scan import split_lines
from .tree import LineDiffer

MAX_NAMES = 40  # of a series
MAX_FILES = 6  # that are compared for one name; the nearest are asked
MAX_BYTES = 1_000_000  # of one file
FORMS = tuple(b"/%d" % count for count in range(MAX_ARGUMENTS + 1))


class Renames:
    """The names of two trees; what was found out is kept."""

    def __init__(self, symbols: Symbols, differ: LineDiffer) -> None:
        self._symbols, self._differ = symbols, differ
        self._known: dict[bytes, bytes] = {}

    def of(self, names: Collection[bytes], path: str) -> dict[bytes, bytes]:
        """The target's names for those of `names` that it has others for; each is one that its tree lacks."""
        new = [name for name in sorted(names) if name not in self._known][: max(0, MAX_NAMES - len(self._known))]
        if new:
            self._known.update(dict.fromkeys(new, b""))
            self._known.update(self._ask(new, path))
        return {name: other for name in names if (other := self._known.get(name, b""))}

    def _ask(self, names: Sequence[bytes], path: str) -> Iterator[tuple[bytes, bytes]]:
        """What most files say of these names, where it is a rename by the trees as well."""
        files: dict[str, set[bytes]] = defaultdict(set)
        votes: dict[bytes, Counter[bytes]] = defaultdict(Counter)
        for name in names:
            for file in islice(self._symbols.source.holding(name, path), MAX_FILES):
                files[file].add(name)
        for file, held in files.items():
            pair = self._pair(file)
            for name, other in learn(frozenset(held), pair, self._differ).items() if pair else ():
                votes[name][other] += 1
        for name, counts in votes.items():
            other, count = counts.most_common(1)[0]
            if count >= CONSISTENT * counts.total() and self._is_renamed(name, other, path):
                yield name, other

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
