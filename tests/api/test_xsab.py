"""The client, run as a program against a server that listens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backports.models import BackportVersion, Repository
from backports.services import repositories
from tests import factories
from tests.api.listening import listening
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent
from tests.backports.toy import Toy
from tests.permissions.world import KNOWN, SECRET, hide, publish
from xsa.models import Advisory, ApiToken, PatchFile
from xsa.services.tokens import create_token, end_token

__all__ = ["git_root", "toy", "toy_original", "unsent"]
PROGRAM = Path(__file__).resolve().parents[2] / "tools" / "xsab"
Xsab = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def known(committed_db: None, toy: Toy, git_root: Path, unsent: list[str]) -> Advisory:
    return publish(Workshop(toy, repositories.add_repository(None, name="toy", url=str(toy.path)), unsent))


@pytest.fixture
def address(known: Advisory) -> Iterator[str]:
    """A server over what is committed."""
    with listening() as found:
        yield found


@pytest.fixture
def token(known: Advisory) -> tuple[ApiToken, str]:
    person = factories.person("porter", listed=True)
    end = timezone.now() + timedelta(days=1)
    return create_token(
        person,
        organisation=person.memberships.get().organisation,
        name="xsab",
        expires_at=end,
        verbs=["read", "upload"],
    )


@pytest.fixture
def xsab(address: str, token: tuple[ApiToken, str], tmp_path: Path) -> Xsab:
    """`xsab(words…)` runs the program as somebody who logged in."""
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(f"{token[1]}\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PROGRAM), *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    done = run("login", address, "--token-file", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    return run


def test_from_what_is_missing_to_a_backport_that_is_there(known: Advisory, xsab: Xsab, tmp_path: Path) -> None:
    assert (tmp_path / "config" / "xsab.json").stat().st_mode & 0o777 == 0o600
    rows = [line.split("\t") for line in xsab("missing", "--branch", "4.1").stdout.splitlines()]
    assert [row[:3] for row in rows] == [[f"XSA-{KNOWN}", "toy/4.1", "applied"]]
    result = xsab("get", f"XSA-{KNOWN}", "4.1", "--output", "result.mbox")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "result.mbox").read_bytes().startswith(b"From ")
    (tmp_path / f"xsa{KNOWN}-4.1.patch").write_bytes(
        bytes(PatchFile.objects.get(version__advisory=known, kind="patch").data)
    )
    first = xsab("upload", f"xsa{KNOWN}-4.1.patch", "--note", "as upstream has it")
    assert first.returncode == 0, first.stderr
    assert f"XSA-{KNOWN} toy/4.1 v1 (new, draft): applied" in first.stdout
    again = xsab("upload", f"xsa{KNOWN}-4.1.patch", "--advisory", str(KNOWN), "--branch", "4.1")
    assert "(there already, draft)" in again.stdout, again.stderr
    version = BackportVersion.objects.get(backport__organisation__name="Example porter")
    assert (version.note, version.came_by) == ("as upstream has it", "rest")


def test_a_backport_is_got_in_every_form_and_reviewed(
    known: Advisory, xsab: Xsab, token: tuple[ApiToken, str], tmp_path: Path, toy: Toy, unsent: list[str]
) -> None:
    hide(Workshop(toy, Repository.objects.get(name="toy"), unsent))
    reaching = {"verbs": ["read", "review"], "embargoed": True, "advisories": [SECRET], "name": "for it"}
    end = timezone.now() + timedelta(days=1)
    person = token[0].user
    person.cleared = True
    made = create_token(person, organisation=token[0].organisation, expires_at=end, **reaching)
    (tmp_path / "token").write_text(f"{made[1]}\n")
    version = BackportVersion.objects.get(backport__advisory__number=SECRET, backport__branch__name="4.1")
    listed = [line.split("\t") for line in xsab("backports", str(SECRET), "--branch", "4.1").stdout.splitlines()]
    assert [row[-1] for row in listed] == [str(version.pk)]
    quilt = xsab("get", str(SECRET), "4.1", "--backport", "--format", "quilt", "--output", "one.tar")
    assert quilt.returncode == 0, quilt.stderr
    with tarfile.open(tmp_path / "one.tar") as tar:
        assert "patches/series" in tar.getnames()
    said = xsab("review", str(version.pk), "tested", "--tested-on", "4.1 on a board")
    assert said.returncode == 0, said.stderr
    assert "tested by Example porter (counts towards the quorum)" in said.stdout
    told = json.loads(xsab("get", str(SECRET), "4.1", "--backport", "--format", "p0", "--manifest").stdout)
    assert ("Example porter", "tested") in [(one["organisation"], one["verdict"]) for one in told["reviews"]]
    refused = xsab("review", str(version.pk), "needs-changes")
    assert (refused.returncode, "422 says-nothing" in refused.stderr) == (3, True)
    everything = json.loads(xsab("take", "4.1", "--manifest").stdout)
    assert [one["advisory"] for one in everything["series"]] == [f"XSA-{SECRET}"]


def test_what_happens_is_watched(known: Advisory, xsab: Xsab) -> None:
    done = xsab("watch", "--from-start", "--once", "--kind", "advisory.version")
    assert [line.split("\t")[1:3] for line in done.stdout.splitlines()] == [[f"XSA-{KNOWN}", "advisory.version"]]
    assert xsab("watch", "--once").stdout == ""


def test_refusals_are_told_by_code_and_sentence(xsab: Xsab, tmp_path: Path) -> None:
    (tmp_path / "none.patch").write_text("nothing in it\n")
    done = xsab("upload", "none.patch", "--advisory", str(KNOWN), "--branch", "4.1")
    assert done.returncode == 3
    assert "422 " in done.stderr
    done = xsab("upload", "none.patch", "--advisory", "9999", "--branch", "4.1")
    assert (done.returncode, done.stderr[:21]) == (3, "xsab: 404 not-found: ")


def test_a_token_that_ended_is_refused(xsab: Xsab, token: tuple[ApiToken, str]) -> None:
    end_token(token[0].user, token=token[0])
    done = xsab("missing", "--all")
    assert (done.returncode, "401 bad-token" in done.stderr) == (3, True)


def test_a_token_that_others_can_read_is_not_used(xsab: Xsab, tmp_path: Path) -> None:
    (tmp_path / "token").chmod(0o644)
    done = xsab("missing", "--all")
    assert (done.returncode, "chmod 600" in done.stderr) == (2, True)


def test_a_token_is_sent_to_no_server_without_tls(xsab: Xsab, tmp_path: Path) -> None:
    done = xsab("login", "http://xsa.example.org", "--token-file", "token")
    assert (done.returncode, "https alone" in done.stderr) == (2, True)


def test_the_manual_names_every_command_and_option(xsab: Xsab) -> None:
    manual = (PROGRAM.parent.parent / "docs" / "xsab.md").read_text()
    for verb in ("login", "missing", "get", "upload", "watch"):
        words = xsab(verb, "--help").stdout.replace("[", " ").replace("]", " ").split()
        options = {word.rstrip(",") for word in words if word.startswith("--") and word != "--help"}
        assert f"**{verb}**" in manual
        assert [option for option in options if option not in manual] == []
