"""What is encrypted and signed, read by Sequoia; and what Sequoia and GnuPG made, read here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from backports.pgp import Home, PgpError, RoomKey, load_room_key, make_room_key
from backports.pgp.home import MEMORY, PREFIX, sweep
from tests.pgp.keys import CURVE, RSA, Correspondent, ring

TEXT = "Grüße: a text of\nseveral lines\n\n- with dashes\n".encode()


def test_the_second_implementation_reads_and_verifies_what_is_encrypted(room_key: RoomKey) -> None:
    reader = Correspondent()
    with Home(secret=room_key.secret, publics=[reader.public]) as home:
        message = home.encrypt(TEXT, to=reader.fingerprint)
    assert reader.read(message, sender=room_key.public) == (TEXT, [room_key.fingerprint])
    assert b"several" not in message


def test_what_correspondents_send_is_opened_with_what_its_signature_proves(room_key: RoomKey) -> None:
    sender, stranger = Correspondent(), Correspondent("Somebody Else <else@example.org>")
    with ring() as other_room:
        other_room.make(CURVE)
        other_public = other_room.public()
    with Home(secret=room_key.secret, publics=[sender.public]) as home:
        known = home.open(sender.write(TEXT, to=room_key.public))
        unknown = home.open(stranger.write(TEXT, to=room_key.public))
        other = home.open(sender.write(TEXT, to=other_public))
    assert (known.data, known.encrypted, known.seal.state, known.seal.fingerprint) == (
        TEXT,
        True,
        "good",
        sender.fingerprint,
    )
    assert known.seal.made_at
    assert (unknown.data, unknown.seal.state) == (TEXT, "unknown-key")
    assert (other.data, other.code) == (None, "not-for-us")


def test_a_signature_by_sha1_is_told_as_such() -> None:
    with ring() as sender:
        fingerprint = sender.make(RSA.format(bits=2048))
        message = sender.gpg("--digest-algo=SHA1", "--clearsign", data=TEXT)
        public = sender.public()
    with Home(publics=[public]) as home:
        opened = home.open(message)
    assert (opened.encrypted, opened.seal.state, opened.seal.fingerprint) == (False, "sha1", fingerprint)


@pytest.mark.parametrize("at", [120, 200, 300])
def test_what_was_changed_on_its_way_gives_no_data(room_key: RoomKey, at: int) -> None:
    sender = Correspondent()
    message = bytearray(sender.write(TEXT * 20, to=room_key.public))
    message[at] = ord("A") if message[at] != ord("A") else ord("B")
    with Home(secret=room_key.secret, publics=[sender.public]) as home:
        opened = home.open(bytes(message))
    assert opened.data is None
    assert opened.seal.state != "good"


def test_a_changed_text_has_a_bad_signature() -> None:
    with ring() as sender:
        sender.make(CURVE)
        message = sender.gpg("--clearsign", data=TEXT).replace(b"several", b"some")
        public = sender.public()
    with Home(publics=[public]) as home:
        assert home.open(message).seal.state == "bad"


@pytest.mark.parametrize("message", [b"", b"no message", b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n"])
def test_what_is_no_message_gives_no_data(message: bytes, room_key: RoomKey) -> None:
    with Home(secret=room_key.secret) as home:
        opened = home.open(message)
    assert (opened.data, opened.code) == (None, "no-message")


def test_a_message_that_swells_is_not_opened(room_key: RoomKey) -> None:
    with ring() as sender:
        sender.gpg("--import", data=room_key.public.encode())
        bomb = sender.gpg(
            "--encrypt", "--compress-level=9", "--armor", f"--recipient={room_key.fingerprint}", data=bytes(8 << 20)
        )
    assert len(bomb) < 100_000
    with Home(secret=room_key.secret) as home:
        assert home.open(bomb, most=1 << 20).code == "too-large"
        assert home.open(bomb, most=16 << 20).data == bytes(8 << 20)


def test_a_detached_signature(room_key: RoomKey) -> None:
    with Home(secret=room_key.secret) as home:
        made = home.sign(TEXT)
        assert (home.verify(TEXT, made).state, home.verify(TEXT, made).fingerprint) == ("good", room_key.fingerprint)
        assert home.verify(TEXT + b"!", made).state == "bad"
        assert home.verify(TEXT, b"no signature").state == "bad"


def test_nothing_is_encrypted_to_a_key_that_was_not_given_in_full(room_key: RoomKey) -> None:
    reader = Correspondent()
    with Home(secret=room_key.secret, publics=[reader.public]) as home:
        for name in (reader.fingerprint[-16:], "team@example.org", "A" * 40, ""):
            with pytest.raises(PgpError) as caught:
                home.encrypt(TEXT, to=name)
            assert caught.value.code == "no-key"


def test_a_home_is_closed_to_others_and_gone_with_its_agent_at_the_end(room_key: RoomKey) -> None:
    with Home(secret=room_key.secret) as home:
        path = home.path
        assert path.stat().st_mode & 0o777 == 0o700
        assert home.sign(TEXT)
        agents = _agents(path)
        assert agents
    assert not path.exists()
    assert not _agents(path)


def test_a_home_is_gone_when_its_job_fails(room_key: RoomKey) -> None:
    with pytest.raises(ValueError, match="the job"), Home(secret=room_key.secret) as home:
        raise ValueError("the job")
    assert not home.path.exists()
    assert not _agents(home.path)


def _agents(home: Path) -> list[str]:
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes()
        except OSError:
            continue
        if b"gpg-agent" in words and str(home).encode() in words:
            found.append(line.parent.name)
    return found


def test_what_a_killed_process_left_is_swept() -> None:
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, check=True).stdout.decode().strip()
    left, ours = MEMORY / f"{PREFIX}{gone}-left", MEMORY / f"{PREFIX}{os.getpid()}-ours"
    for path in (left, ours):
        path.mkdir(mode=0o700)
    assert sweep() == 1
    assert (left.exists(), ours.exists()) == (False, True)
    ours.rmdir()


def test_the_rooms_key_is_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "room-key.asc"
    made = make_room_key(path, name="Example Room", address="room@example.org")
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_room_key(path).fingerprint == made.fingerprint
    assert "PRIVATE" not in made.public
    with pytest.raises(PgpError, match="has a key already"):
        make_room_key(path, name="Example Room", address="room@example.org")
    path.chmod(0o640)
    with pytest.raises(PgpError, match="Others can read"):
        load_room_key(path)
    with pytest.raises(PgpError, match="no key yet"):
        load_room_key(tmp_path / "none")
