"""A patch of many lines."""

from __future__ import annotations

HUNK_LINES = 20


def long_diff(lines: int) -> bytes:
    """A patch with so many lines in its hunks, over a few files, with some characters that must be told apart."""
    out = []
    for at in range(max(1, lines // HUNK_LINES)):
        if at % 50 == 0:
            out.append(f"--- a/xen/arch/file{at}.c\n+++ b/xen/arch/file{at}.c\n")
        start = 1 + at % 50 * 40
        body = [
            " \tif ( page_get_owner(page) != d && a < b )",
            "-\t\treturn \u2018old\u2019;",
            "+\t\treturn -EINVAL; /* & */",
        ]
        body += [f' \tcontext_line({number}, "text");' for number in range(HUNK_LINES - len(body))]
        out.append(
            f"@@ -{start},{HUNK_LINES - 1} +{start},{HUNK_LINES - 1} @@ static int f{at}(void)\n"
            + "\n".join(body)
            + "\n"
        )
    return "".join(out).encode()
