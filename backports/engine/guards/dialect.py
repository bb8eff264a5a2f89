"""Words that the target's file says otherwise.

Motivated by XSA-97 b497ecca359 and 89f167e04ed (`-ERESTART` where callers know `-EAGAIN`),
XSA-226 bcbd8b96893 (`bool` before 4.8) and XSA-404 2e82446cb25 (`__ro_after_init`).
"""

from __future__ import annotations

from collections.abc import Iterator

from backports.engine.result import Flag

from . import ccode
from .changes import Case, FileChange

PAIRS: tuple[tuple[bytes, bytes], ...] = (
    (b"ERESTART", b"EAGAIN"),
    (b"bool", b"bool_t"),
    (b"__ro_after_init", b"__read_mostly"),
    (b"X86EMUL_EXCEPTION", b"X86EMUL_PROPAGATE_FAULT"),
)


def look(case: Case) -> Iterator[Flag]:
    """`other-dialect`: an added word that the target's file does not use, where it uses its older counterpart."""
    for file in case.c_files:
        added = ccode.names(file.ours.added_code)
        for new, old in PAIRS:
            if new in added and _says_otherwise(file, new, old):
                sentence = f"the file says {old.decode()} where the added lines say {new.decode()}."
                yield Flag("other-dialect", sentence, file.path, file.ours.where([new]))


def _says_otherwise(file: FileChange, new: bytes, old: bytes) -> bool:
    here, theirs = file.ours.before, file.theirs
    if here.has_word(new) or not here.has_word(old):
        return False
    return theirs is None or theirs.before.has_word(new)
