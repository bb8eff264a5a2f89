"""The readers stand alone."""

from __future__ import annotations

import subprocess
import sys


def test_the_readers_load_neither_django_nor_celery_nor_the_other_half_of_the_house():
    others = ["django", "celery", "kombu", "psycopg2", "pygit2", "backports"]
    code = (
        f"import sys, xsa.formats.bundle, xsa.formats.index\nprint([name for name in {others} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
