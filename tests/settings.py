"""The server's settings on a data folder of the test session's own, whatever the caller's environment names."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def _remove(folder: str, maker: int) -> None:
    # A forked child ends too, and must leave it.
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


if "TESTS_DATA" not in os.environ:
    os.environ["TESTS_DATA"] = tempfile.mkdtemp(prefix="backports-tests-")
    # The database's account must be able to pass through.
    Path(os.environ["TESTS_DATA"]).chmod(0o711)
    atexit.register(_remove, os.environ["TESTS_DATA"], os.getpid())
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if _WORKER and os.environ.get("TESTS_DATA_WORKER") != _WORKER:
    # Each of several test processes has a database of its own; what it starts finds that one.
    os.environ["TESTS_DATA_WORKER"] = _WORKER
    os.environ["TESTS_DATA"] = str(Path(os.environ["TESTS_DATA"]) / _WORKER)
    Path(os.environ["TESTS_DATA"]).mkdir(mode=0o711)
os.environ["DATA"] = os.environ["TESTS_DATA"]
_DROPPED = ("DATABASE_URL", "DATABASE_OWNER_URL", "DEBUG", "PRODUCTION")
_DROPPED += ("EMAIL_URL", "MAIL_FROM", "OIDC_PROVIDERS", "PUBLIC_URL", "TRUSTED_PROXIES")
for _name in _DROPPED:
    os.environ.pop(_name, None)
# Tests of the brokers name theirs to the processes that they start.
if "TESTS_BROKER_URL" in os.environ:
    os.environ["BROKER_URL"] = os.environ["TESTS_BROKER_URL"]
else:
    os.environ.pop("BROKER_URL", None)

from backports.settings import *  # noqa: E402, F403

# WhiteNoise warns of a missing folder; tests collect nothing.
(Path(os.environ["DATA"]) / "static").mkdir(exist_ok=True)
# The tests ask faster than any reader may; those of the rates set their own.
API_RATES = {"read": 1_000_000, "change": 1_000_000}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
