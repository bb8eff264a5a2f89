"""Small advisories of our own, in the layout that Xen publishes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

PATCH = b"""From: Security Engineer One <one@example.org>
Subject: toy: check the index

diff --git a/common/table.c b/common/table.c
--- a/common/table.c
+++ b/common/table.c
@@ -1,3 +1,5 @@
 int pick(int i)
 {
+    if ( i < 0 )
+        return -1;
     return table[i];
"""


def advisory(
    number: int = 950,
    *,
    version: int = 1,
    title: str = "guest may pick outside the table",
    lines: str = "xsa950.patch    xen-unstable, Xen 4.8.x",
    files: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """The files of one advisory: its unsigned text with true hashes, and its patches."""
    patches = {f"xsa{number}.patch": PATCH} if files is None else dict(files)
    digests = "\n".join(f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in patches.items())
    stamp = f"                          version {version}\n\n" if version > 1 else ""
    text = (
        f"            Xen Security Advisory CVE-2099-0{number} / XSA-{number}\n{stamp}\n"
        f"             {title}\n\nISSUE DESCRIPTION\n=================\n\nAn index is not checked.\n\n"
        f"RESOLUTION\n==========\n\nApply the patch.\n\n{lines}\n\n$ sha256sum xsa{number}*\n{digests}\n$\n"
    )
    return {f"advisory-{number}.txt": text.encode(), **patches}
