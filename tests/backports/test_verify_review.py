"""The shipped command that checks a signed review, with gpg, ssh-keygen and git, and no server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backports.models import Review
from backports.services import reviewing, signing
from backports.services.reviewing import Said
from tests.backports.conftest import Workshop
from tests.backports.rooms import Room, own, room_in
from tests.signing import OpenPgp, ssh_key, ssh_sign

TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_review"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenPgp]:
    made = OpenPgp(tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def room(workshop: Workshop) -> Room:
    return room_in(workshop)


def signed(room: Room, path: Path, sign: Any) -> Path:
    """The file of a review that was signed over what the server says."""
    version = room.shared()
    signature = sign(signing.text_to_sign(version, "tested", "4.1 here").encode())
    said = Said("tested", tested_on="4.1 here", signature=signature)
    row = reviewing.give(room.reviewer, version=version, organisation=own(room.reviewer), said=said)
    assert isinstance(row, Review)
    path.write_bytes(signing.review_file(row, ("EMBARGOED",)))
    return path


def verify(*arguments: object, **changed: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(TOOL), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def change(path: Path, **columns: Any) -> Path:
    other = path.with_name("changed.json")
    other.write_text(json.dumps(json.loads(path.read_text()) | columns))
    return other


def test_openpgp(room: Room, key: OpenPgp, tmp_path: Path) -> None:
    file, public = signed(room, tmp_path / "signed.json", key.sign), tmp_path / "key.asc"
    public.write_text(key.public)
    status, told = verify(file, "--key", public, "--repo", room.workshop.toy.path)
    assert status == 0, told
    assert f"good, by OpenPGP key {key.fingerprint}" in told
    assert "says: tested on 4.1 here, of XSA-500 on 4.1" in told and "tree: " in told
    text = json.loads(file.read_text())["text"]
    for columns in (
        {"text": text.replace("tested\n", "approve\n", 1)},
        {"patches": [json.loads(file.read_text())["patches"][0].replace("-1", "-2")]},
        {"text": text.replace("tree: ", "tree: 0")},
    ):
        assert verify(change(file, **columns), "--key", public)[0] == 1
    swapped = text.replace("branch: 4.1", "branch: 4.2")
    assert verify(change(file, text=swapped), "--key", public)[0] == 1


def test_a_key_that_is_not_at_hand_proves_nothing(room: Room, key: OpenPgp, tmp_path: Path) -> None:
    file = signed(room, tmp_path / "signed.json", key.sign)
    other = tmp_path / "other.asc"
    other.write_text(room_key(tmp_path))
    status, told = verify(file, "--key", other)
    assert (status, "not at hand" in told) == (2, True)


def room_key(folder: Path) -> str:
    """Somebody else's key."""
    from xsa.formats.signature import make_demo_key

    return make_demo_key("Other", "other@example.org")[1].decode()


def test_ssh(room: Room, tmp_path: Path) -> None:
    key = ssh_key(tmp_path)
    file = signed(room, tmp_path / "signed.json", lambda text: ssh_sign(key, text))
    allowed = tmp_path / "allowed"
    allowed.write_text(f"reviewer@example.org {Path(f'{key}.pub').read_text()}")
    whose = ("--allowed-signers", allowed, "--identity")
    status, told = verify(file, *whose, "reviewer@example.org", "--repo", room.workshop.toy.path)
    assert status == 0, told
    status, told = verify(file, *whose, "reviewer@example.org", "--repo", tmp_path)
    assert (status, "good, by reviewer@example.org" in told, "cannot tell" in told) == (2, True, True)
    assert verify(file, *whose, "other@example.org")[0] == 1
    assert verify(file)[0] == 2 and "intact, by the key SHA256:" in verify(file)[1]
    changed = json.loads(file.read_text())["text"].replace("4.1 here", "4.1 there")
    assert verify(change(file, text=changed), *whose, "reviewer@example.org")[0] == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "other"}', "\0"])
def test_what_is_no_signed_review_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    status, told = verify(path)
    assert (status, "no signed review" in told) == (2, True)
    assert verify(tmp_path / "missing")[0] == 2
