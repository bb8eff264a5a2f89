"""What the fuzzer starts from: the 150 small cases in the form that each target reads."""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import cases
from tests.engine.helpers import unified
from tests.fuzz.targets import CUT, ENVELOPE

MESSAGE = (
    b"From: Security Engineer One <one@example.org>\nDate: Mon, 1 Jun 2026 10:00:00 +0000\n"
    b"Subject: [PATCH 1/2] =?utf-8?q?mend_the_harbour?=\n\nThe berth was taken twice.\n\n"
    b"Signed-off-by: Security Engineer One <one@example.org>\n---\n port/berth.c | 2 +-\n 1 file changed\n\n"
)


def patches() -> Iterator[bytes]:
    """The patch of every case, and a few of other shapes."""
    for case in cases.all_cases():
        yield b"".join(unified(case.base[path], case.source[path], path) for path in sorted(case.base))
    yield from SHAPES


def mails() -> Iterator[bytes]:
    """Two mails each."""
    known = list(patches())
    for one, other in zip(known[::10], known[5::10], strict=False):
        yield MESSAGE + one + b"-- \n2.39.5\n\n" + CUT + MESSAGE.replace(b"1/2", b"2/2") + other


def files() -> Iterator[bytes]:
    """Base, fixed and target of every case's files, and an edit of the patch for some."""
    for number, case in enumerate(cases.all_cases()):
        for path, target in zip(sorted(case.base), sorted(case.target), strict=False):
            if case.base[path] != case.source[path]:
                program = bytes([number % 10, 0, number % 40]) * (number % 3)
                yield CUT.join([case.base[path], case.source[path], case.target[target], program])


SHAPES = (
    (
        b"diff --git a/old.c b/new.c\nsimilarity index 90%\nrename from old.c\nrename to new.c\nindex 1234567..89abcde 100644\n"
        b"--- a/old.c\n+++ b/new.c\n@@ -1,2 +1,2 @@ int f(void)\n a\n-b\n+c\n"
    ),
    (
        b"diff --git a/new.c b/new.c\nnew file mode 100755\nindex 0000000..89abcde\n--- /dev/null\n+++ b/new.c\n@@ -0,0 +1 @@\n+a\n"
        b"\\ No newline at end of file\n"
    ),
    b"diff --git a/old.c b/old.c\ndeleted file mode 100644\nindex 89abcde..0000000\n--- a/old.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
    b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n",
    (
        b"Index: port/berth.c\n===================================================================\n--- port.orig/berth.c\n"
        b"+++ port/berth.c\n@@ -1,3 +1,2 @@\n a\n-b\n c\n"
    ),
    (
        b"# HG changeset patch\n# User Security Engineer One <one@example.org>\n# Date 1300000000 -3600\nMend it\n\n"
        b"diff -r 0123456789ab berth.c\n--- a/berth.c\tMon Jun 01 10:00:00 2026 +0000\n+++ b/berth.c\tMon Jun 01 10:00:01 2026 +0000\n"
        b"@@ -1,1 +1,1 @@\n-a\n+b\n"
    ),
    b'diff --git "a/b\\303\\251.c" "b/b\\303\\251.c"\n--- "a/b\\303\\251.c"\n+++ "b/b\\303\\251.c"\n@@ -1 +1 @@\n-a\n+b\n',
    b"diff --git a/logo.png b/logo.png\nindex 1234567..89abcde 100644\nGIT binary patch\nliteral 3\nKcmZQzU|?imfB*md00\n\n",
    ENVELOPE + MESSAGE + b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n-- \n2.39.5\n\n",
)
SEEDS = {"parser": patches, "mail": mails, "ladder": files}
