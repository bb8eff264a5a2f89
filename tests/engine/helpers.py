"""Trees in memory and patches made on the spot."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from backports.engine import diff, ladder
from backports.engine.result import SeriesResult
from backports.engine.scan import split_lines
from backports.engine.series import blob_oid
from backports.engine.tree import REGULAR, Blob


class DictTree:
    """A tree of paths and bytes.

    `store` holds further blobs by content, `moves` what moved_to answers, `homes` what home_of answers.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        *,
        store: Sequence[bytes] = (),
        moves: Mapping[str, Sequence[str]] | None = None,
        modes: Mapping[str, int] | None = None,
        homes: Mapping[str, str] | None = None,
    ) -> None:
        modes = modes or {}
        self.files = {path: Blob(blob_oid(data), modes.get(path, REGULAR), data) for path, data in files.items()}
        self.store = {blob_oid(data): Blob(blob_oid(data), REGULAR, data) for data in [*files.values(), *store]}
        self.moves = moves or {}
        self.homes = homes or {}

    def read(self, path: str) -> Blob | None:
        return self.files.get(path)

    def blob(self, oid: str) -> Blob | None:
        found = [blob for name, blob in self.store.items() if name.startswith(oid)]
        return found[0] if len(found) == 1 else None

    def moved_to(self, path: str, base: Blob | None) -> Sequence[str]:  # noqa: ARG002
        return self.moves.get(path, [])

    def home_of(self, path: str) -> str:
        return self.homes.get(path, path)


def unified(old: bytes, new: bytes, path: str = "lib/shop.c", *, context: int = 3, index: bool = True) -> bytes:
    """A git-style diff of two texts, sections included, empty when they are equal."""
    a, b = split_lines(old), split_lines(new)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    out: list[bytes] = []
    for group in matcher.get_grouped_opcodes(context):
        out += _hunk(group, a, b)
    if not out:
        return b""
    head = [b"diff --git a/%s b/%s\n" % (path.encode(), path.encode())]
    if index:
        head.append(b"index %s..%s 100644\n" % (blob_oid(old).encode(), blob_oid(new).encode()))
    head += [b"--- a/%s\n" % path.encode(), b"+++ b/%s\n" % path.encode()]
    return b"".join(head + out)


def _hunk(group: list[tuple[str, int, int, int, int]], a: list[bytes], b: list[bytes]) -> list[bytes]:
    i1, i2, j1, j2 = group[0][1], group[-1][2], group[0][3], group[-1][4]
    section = next((line.rstrip() for line in reversed(a[:i1]) if line[:1].isalpha()), b"")
    start_old, start_new = (i1 + 1 if i2 > i1 else i1), (j1 + 1 if j2 > j1 else j1)
    head = b"@@ -%d,%d +%d,%d @@" % (start_old, i2 - i1, start_new, j2 - j1)
    out = [head + (b" " + section[:80] if section else b"") + b"\n"]
    for tag, x1, x2, y1, y2 in group:
        if tag == "equal":
            out += [_line(b" ", line) for line in a[x1:x2]]
            continue
        out += [_line(b"-", line) for line in a[x1:x2]]
        out += [_line(b"+", line) for line in b[y1:y2]]
    return out


def _line(tag: bytes, line: bytes) -> bytes:
    return tag + line if line.endswith(b"\n") else tag + line + b"\n\\ No newline at end of file\n"


def apply(patch: bytes, tree: DictTree | bytes, path: str = "lib/shop.c") -> SeriesResult:
    """Applies a patch file on a tree, or on the one file of a tree."""
    if isinstance(tree, bytes):
        tree = DictTree({path: tree})
    return ladder.apply_series(diff.parse_series(patch), tree)


def after(result: SeriesResult, path: str = "lib/shop.c") -> bytes | None:
    """What the path holds after the whole series; None when nothing wrote it."""
    data = None
    for patch in result.patches:
        if path in patch.changes:
            data = patch.changes[path].data
    return data


def hunk_results(result: SeriesResult, file: int = 0) -> list[object]:
    """The hunk results of one file of the first patch."""
    return list(result.patches[0].files[file].hunks)


SHOP = b"""\
/* The shop keeps its stock in one table. */
#include "shop.h"
#include "stock.h"

#define MAX_STOCK 64

static struct stock table[MAX_STOCK];
static int used;

int shop_find(const char *name)
{
    int i;

    for (i = 0; i < used; i++)
        if (!strcmp(table[i].name, name))
            return i;

    return -1;
}

int shop_add(const char *name, int count)
{
    int slot = shop_find(name);

    if (slot < 0)
        slot = used++;

    table[slot].count += count;
    table[slot].name = name;

    return slot;
}

int shop_take(const char *name, int count)
{
    int slot = shop_find(name);

    if (slot < 0)
        return -ENOENT;

    table[slot].count -= count;

    return table[slot].count;
}

void shop_report(FILE *out)
{
    int i;

    for (i = 0; i < used; i++)
        fprintf(out, "%s: %d\\n", table[i].name, table[i].count);
}

void shop_close(void)
{
    used = 0;
    memset(table, 0, sizeof(table));
}
"""

FIXED = SHOP.replace(
    b"    if (slot < 0)\n        slot = used++;\n",
    b"    if (slot < 0 && used >= MAX_STOCK)\n        return -ENOSPC;\n    if (slot < 0)\n        slot = used++;\n",
)
