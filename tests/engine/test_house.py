"""The engine stands alone, and stays quick on large input."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time

from backports.engine import diff, ladder
from backports.engine.result import Outcome
from tests.engine.helpers import DictTree, apply, unified

FOREIGN = ("django", "celery", "kombu")


def test_engine_and_git_load_neither_django_nor_celery() -> None:
    names = ["backports.engine.ladder", "backports.engine.render"]
    if importlib.util.find_spec("backports.git.tree"):
        names.append("backports.git.tree")
    script = f"import sys, {', '.join(names)}; print([name for name in {FOREIGN!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_engine_alone_does_not_load_pygit2() -> None:
    script = "import sys, backports.engine.ladder; print('pygit2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def big(lines: int, every: int) -> tuple[bytes, bytes]:
    old = [b"    value_%d = compute(%d);\n" % (n, n) for n in range(lines)]
    new = [line.replace(b"compute", b"check") if n % every == 9 else line for n, line in enumerate(old)]
    return b"".join(old), b"".join(new)


def hunks_of(old: bytes, new: bytes) -> bytes:
    """As `unified`, for texts of one length that differ in single lines far apart."""
    a, b = old.split(b"\n"), new.split(b"\n")
    out = [b"--- a/lib/shop.c\n+++ b/lib/shop.c\n"]
    for at in (at for at in range(len(a)) if a[at] != b[at]):
        lines = (
            [b" " + line for line in a[at - 3 : at]]
            + [b"-" + a[at], b"+" + b[at]]
            + [b" " + line for line in a[at + 1 : at + 4]]
        )
        out.append(b"@@ -%d,7 +%d,7 @@\n" % (at - 2, at - 2) + b"\n".join(lines) + b"\n")
    return b"".join(out)


def test_ten_thousand_hunks_on_two_hundred_thousand_lines() -> None:
    old, new = big(200_000, 20)
    data = hunks_of(old, new)
    started = time.process_time()
    patches = diff.parse_series(data)
    result = ladder.apply_series(patches, DictTree({"lib/shop.c": b"/* one more */\n" * 7 + old}))
    assert time.process_time() - started < 20
    assert (result.outcome, len(patches[0].files[0].hunks)) == (Outcome.APPLIED, 10_000)
    assert result.patches[0].changes["lib/shop.c"].data == b"/* one more */\n" * 7 + new


def test_ten_thousand_hunks_that_fit_nowhere() -> None:
    old, new = big(200_000, 20)
    started = time.process_time()
    result = apply(hunks_of(old, new), old.replace(b"compute", b"reckon"))
    assert time.process_time() - started < 20
    assert result.outcome is Outcome.CONFLICT


def test_a_file_of_equal_lines_is_no_trap() -> None:
    old = b"x\n" * 60_000
    patch = b"--- a/lib/shop.c\n+++ b/lib/shop.c\n" + b"".join(
        b"@@ -%d,5 +%d,6 @@\n x\n x\n+y\n x\n x\n x\n" % (30 * n + 1, 31 * n + 1) for n in range(1_500)
    )
    started = time.process_time()
    apply(patch, b"z\n" + old)
    assert time.process_time() - started < 20


def test_growth_is_about_linear() -> None:
    times = []
    for count in (20_000, 80_000):
        old, new = big(count, 20)
        data, target = hunks_of(old, new), b"/* one more */\n" + old
        started = time.process_time()
        apply(data, target)
        times.append(time.process_time() - started)
    assert times[1] < 10 * max(times[0], 0.05), f"four times the input took {times[1] / times[0]:.1f} times as long"


def test_sections_of_the_helper_are_those_of_git() -> None:
    assert b"@@ -1,3 +1,3 @@\n" in unified(b"a\nb\nc\n", b"a\nx\nc\n")
