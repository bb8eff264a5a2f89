"""Files that look like C, for properties: functions with repeated blocks, and edits of whole statements."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st

# `make fuzz` sets it; the normal run takes seconds.
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "60"))
CALM = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 60)
LABEL = b"out:\n"  # what a statement here may go to; no edit takes it away
STATEMENTS = (
    b"    spin_lock(&d->lock);\n",
    b"    spin_unlock(&d->lock);\n",
    b"    if ( rc )\n        goto out;\n",
    b"    if ( !d )\n        return -EINVAL;\n",
    b"    rc = 0;\n",
    b"\n",
    b"    /* Nothing to do. */\n",
    b"    for ( i = 0; i < MAX; i++ )\n    {\n        put(i);\n    }\n",
)


@st.composite
def statements(draw: st.DrawFn) -> bytes:
    """One statement, from the few that every function has or one of its own."""
    if draw(st.booleans()):
        return draw(st.sampled_from(STATEMENTS))
    number = draw(st.integers(0, 999))
    return b"    rc = step_%d(d, %d);\n" % (number, number)


@st.composite
def functions(draw: st.DrawFn, number: int) -> bytes:
    """A function whose name only its number makes, left by way of its label."""
    body = b"".join(draw(st.lists(statements(), min_size=2, max_size=10)))
    head = b"static int part_%d(struct domain *d)\n{\n    int rc, i;\n\n" % number
    return head + body + b"\n" + LABEL + b"    return rc;\n}\n\n"


@st.composite
def sources(draw: st.DrawFn) -> bytes:
    """A C-like file of some functions."""
    count = draw(st.integers(1, 6))
    return b"#include <port/shop.h>\n\n" + b"".join(draw(functions(number)) for number in range(count))


@st.composite
def fixes(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A file and the same after some statements came, went or changed."""
    old = draw(sources())
    lines = old.splitlines(keepends=True)
    for number in range(draw(st.integers(1, 4))):
        at = draw(st.integers(3, max(3, len(lines) - 1)))
        new = [b"    mended_%d(d);\n" % number] * draw(st.integers(0, 2)) + [draw(statements())]
        stop = at + draw(st.integers(0, 2))
        lines[at:stop] = [*new, *(line for line in lines[at:stop] if line == LABEL)]
    return old, b"".join(lines)
