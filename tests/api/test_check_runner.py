"""The sample robot, run as a program against a server that listens, with a plain command as its build."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from backports.models import Check
from tests import factories
from tests.api.conftest import secret_of
from tests.api.test_xsab import address, git_root, known, toy, toy_original, unsent
from tests.backports.toy import Toy
from xsa.models import Advisory, User

__all__ = ["address", "git_root", "known", "toy", "toy_original", "unsent"]
PROGRAM = Path(__file__).resolve().parents[2] / "tools" / "check_runner"
SEEN = "grep -c toy_check common/table.c; wc -c < common/table.c > size"


@pytest.fixture
def robot(known: Advisory) -> User:
    return factories.person("builder", listed=True)


def run(address: str, token: Path, toy: Toy, *more: str) -> subprocess.CompletedProcess[str]:
    fixed = ["--server", address, "--token", str(token), "--advisory", "456", "--branch", "4.1"]
    command = [sys.executable, str(PROGRAM), *fixed, "--source", str(toy.path), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_builds_the_series_on_its_commit_and_posts_what_came_of_it(
    address: str, robot: User, toy: Toy, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(secret_of(robot, verbs=["read", "check"], advisories=[456], branches=["4.1"]) + "\n")
    done = run(address, token, toy, "--name", "compile", "--build", SEEN, "--artefact", "size")
    assert (done.returncode, done.stderr) == (0, "")
    assert "success" in done.stdout
    rows = list(Check.objects.filter(name="compile").order_by("made_at"))
    assert [row.state for row in rows] == ["pending", "success"]
    assert int(bytes(rows[-1].log)) > 0
    assert len(rows[-1].artefact_sha256) == len(hashlib.sha256().hexdigest())
    assert rows[-1].organisation.name == "Example builder"
    assert run(address, token, toy, "--name", "compile", "--build", SEEN).stdout == ""
    assert "failure" in run(address, token, toy, "--name", "other", "--build", "echo no; exit 3").stdout
    assert bytes(Check.objects.filter(name="other").latest("made_at").log) == b"no\n"


def test_a_token_that_is_no_good_ends_it(address: str, robot: User, toy: Toy, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("xbt_00000000_" + "a" * 43)
    done = run(address, token, toy, "--build", "true")
    assert done.returncode == 1
    assert "the server answered 401" in done.stderr
