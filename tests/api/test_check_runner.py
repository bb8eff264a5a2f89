"""The sample robot, run as a program against a server that listens, with a plain command as its build."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

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


@pytest.mark.parametrize("elsewhere", ["http://reviews.example", "file:///etc/passwd", "reviews.example"])
def test_its_token_is_sent_by_tls_alone(toy: Toy, tmp_path: Path, elsewhere: str) -> None:
    token = tmp_path / "token"
    token.write_text("xbt_00000000_" + "a" * 43)
    done = run(elsewhere, token, toy, "--build", "true")
    assert done.returncode == 1
    assert done.stderr == f"check_runner: {elsewhere}: a token is sent by https alone\n"


def test_its_token_follows_no_redirect(toy: Toy, tmp_path: Path) -> None:
    """A server that leads elsewhere is answered by nobody there."""
    asked: list[str] = []
    token = tmp_path / "token"
    token.write_text("xbt_00000000_" + "a" * 43)
    with leading_elsewhere(asked) as lost:
        done = run(lost, token, toy, "--build", "true")
    assert "the server answered 302" in done.stderr
    assert len(asked) == 1


@contextmanager
def leading_elsewhere(asked: list[str]) -> Iterator[str]:
    """A server that sends everybody to another address of its own, and notes what it was asked for."""

    class Leads(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Leads) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
