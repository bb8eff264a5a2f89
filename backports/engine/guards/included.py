"""Headers that the target does not have, and names whose header the target's file does not include.

Motivated by XSA-443 78143c5336c8 on 4.17 (a header that came later), XSA-59 d061d200eb92 on 4.4 (a header of
numbers that had to be added) and XSA-273 9e7d5e266a1b on 4.7 (a type that only other headers bring).
"""

from __future__ import annotations

from collections.abc import Iterator

from backports.engine.result import Flag

from . import ccode
from .changes import Case, FileChange
from .missing import GOTO, brought_by, flag_of, is_generated
from .symbols import Symbols


def look_headers(case: Case) -> Iterator[Flag]:
    """`missing-header`: an added `#include` of a file that the author's tree has, and neither target nor series."""
    if case.symbols is None:
        return
    for file in case.c_files:
        lines = {at: names for at in file.ours.added if (names := ccode.included(file.ours.after.lines[at]))}
        wanted = {name for names in lines.values() for name in names if not _is_brought(name, case)}
        missing = wanted - case.symbols.target.headers(wanted, file.path)
        missing &= case.symbols.source.headers(missing, _source_path(file))
        for at, names in lines.items():
            if not missing.isdisjoint(names):
                sentence = f"the tree has no {names[0].decode('latin-1')}, which is included."
                yield Flag("missing-header", sentence, file.path, (at + 1,))


def look_included(case: Case) -> Iterator[Flag]:
    """`not-included`: a name that is new in the file and in none of the headers that it includes, here.

    Only files are looked at that do not include all that the author's includes.
    """
    if case.symbols is None:
        return
    for file in case.c_files:
        lacking = _left_out(file)
        names = _new_names(file, case) if lacking else set()
        names = set(case.symbols.target.declared(names, file.path)) if names else names
        names = names and _unreached(names, lacking, file, case.symbols)
        if names:
            yield flag_of("not-included", "no header that the file includes declares {names}", file, names)


def _left_out(file: FileChange) -> set[bytes]:
    """What the author's file includes and the target's does not, both after the fix."""
    if file.theirs is None or file.untouched or not file.ours.before.data:
        return set()
    return set(ccode.included(file.theirs.after.data)).difference(ccode.included(file.ours.after.data))


def _new_names(file: FileChange, case: Case) -> set[bytes]:
    """The names in the added lines that the target's file does not hold, and the series does not bring."""
    names = ccode.names(GOTO.sub(b"", file.ours.added_code)) - brought_by(case)
    return {name for name in names if not is_generated(name) and not file.ours.before.has_word(name)}


def _unreached(names: set[bytes], lacking: set[bytes], file: FileChange, symbols: Symbols) -> set[bytes]:
    """Those of the names that come in with no header here, and at the author's stand in one that is left out."""
    theirs = symbols.source.brought(names, _source_path(file), lacking)
    return set(theirs - symbols.target.reached(theirs, file.path, ccode.included(file.ours.after.data)))


def _source_path(file: FileChange) -> str:
    return file.diffs[0].path if file.diffs else file.path


def _is_brought(name: bytes, case: Case) -> bool:
    """Whether the series has a file of this name itself."""
    base = name.decode("latin-1").rpartition("/")[2]
    return any(file.path.rpartition("/")[2] == base for file in case.files)
