"""Packs that are pushed: what is damaged, too much, or leans on what is not there is refused before it is looked at."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from backports.git.errors import GitError
from backports.git.offering import AT_ONCE, Part, advertise, fetched, offered
from backports.git.packets import FLUSH, packet, read_push, report
from backports.git.pushed import EXPANDED_BYTES, MOST_OBJECTS, new_commits, take
from tests.backports.toy import Toy, git

BLOB, OFFSET_DELTA = 3, 6


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy.build(tmp_path / "toy.git")


@pytest.fixture
def part(toy: Toy, tmp_path: Path) -> Part:
    heads = {f"refs/heads/toy/{name}": toy.tip(name) for name in ("4.1", "4.2", "master")}
    return Part(toy.path, tmp_path / "results.git", heads)


@pytest.fixture
def room(part: Part) -> Iterator[Path]:
    with offered([part], "refs/heads/toy/master") as path:
        yield path


def code_of(room: Path, pack: bytes) -> str:
    with pytest.raises(GitError) as caught:
        take(room, pack)
    return caught.value.code


def packed(toy: Toy, tip: str, *without: str, thin: bool = False) -> bytes:
    asked = "\n".join([tip, *(f"^{oid}" for oid in without), ""]).encode()
    return git(toy.path, "pack-objects", "--revs", "--stdout", *(["--thin"] if thin else []), data=asked)


def pack_of(*entries: bytes, count: int = 0) -> bytes:
    body = b"PACK" + (2).to_bytes(4, "big") + (count or len(entries)).to_bytes(4, "big") + b"".join(entries)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def number(value: int) -> bytes:
    """Seven bits in a byte, the least first."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def entry(kind: int, size: int, data: bytes, between: bytes = b"") -> bytes:
    first, rest = kind << 4 | size & 15, size >> 4
    head = bytes([first | 128]) + number(rest) if rest else bytes([first])
    return head + between + zlib.compress(data)


def test_what_is_whole_is_taken(toy: Toy, room: Path) -> None:
    tip = toy.commit("refs/unseen/one", {"docs/notes.txt": "Another toy.\n"}, "notes: say more", on="4.1")
    take(room, packed(toy, tip, toy.tip("4.1"), thin=True))
    assert new_commits(room, tip, on=[toy.tip("4.1")]) == [tip]


def test_a_damaged_pack_is_refused(toy: Toy, room: Path) -> None:
    tip = toy.commit("refs/unseen/one", {"docs/notes.txt": "Another toy.\n"}, "notes: say more", on="4.1")
    pack = packed(toy, tip, toy.tip("4.1"))
    for broken in (b"", b"PAC", b"GIF89a", pack[:-1], pack[:40], pack + b"x", pack[:30] + b"\0" + pack[31:]):
        assert code_of(room, broken) == "bad-pack", broken


def test_what_leans_on_something_that_is_not_offered_is_refused(toy: Toy, tmp_path: Path, room: Path) -> None:
    """A delta against a hidden file, and a commit on a hidden one: as against something that there is not."""
    other = Toy.build(tmp_path / "hidden.git")
    base = other.commit("4.1", {"common/table.c": other.text("4.1", "common/table.c") * 40}, "hidden: grow")
    tip = other.commit("4.1", {"common/table.c": other.text("4.1", "common/table.c") + "/* x */\n"}, "hidden: more")
    assert code_of(room, packed(other, tip, base, thin=True)) == "bad-pack"
    assert code_of(room, packed(other, tip, base)) == "bad-pack"


def test_a_path_out_of_the_tree_is_refused(toy: Toy, room: Path) -> None:
    blob = toy.repo.create_blob(b"x\n")
    for name in (b"..", b".git", b".GIT", b"a/b"):
        tree = git(toy.path, "hash-object", "-t", "tree", "-w", "--literally", "--stdin",
                   data=b"100644 " + name + b"\0" + blob.raw).decode().strip()  # fmt: skip
        tip = git(toy.path, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", tree, "-p",
                  toy.tip("4.1"), "-m", "out").decode().strip()  # fmt: skip
        assert code_of(room, packed(toy, tip, toy.tip("4.1"))) == "bad-pack", name


def test_too_much_is_refused_before_it_takes_any_room(room: Path) -> None:
    assert code_of(room, pack_of(count=MOST_OBJECTS + 1)) == "too-many-objects"
    size = EXPANDED_BYTES + 1
    long = pack_of(entry(BLOB, size, bytes(size)))
    assert len(long) < 1_000_000
    assert code_of(room, long) == "too-large"


def test_a_delta_that_says_itself_again_and_again_ends_at_the_limit(room: Path) -> None:
    """Four gigabytes in some kilobytes."""
    whole = 1 << 20
    times = 4096
    base = entry(BLOB, whole, os.urandom(64) * (whole // 64))
    copy = b"\xc0" + (whole >> 16).to_bytes(1, "big")  # from its start, that many times 64 KiB
    delta = number(whole) + number(whole * times) + copy * times
    pack = pack_of(base, entry(OFFSET_DELTA, len(delta), delta, _back(len(base))))
    assert len(pack) < 100_000
    assert code_of(room, pack) in ("bad-pack", "too-large")


def _back(offset: int) -> bytes:
    """How far back the base begins, as packs write it."""
    found = [offset & 127]
    while offset := offset >> 7:
        offset -= 1
        found.insert(0, offset & 127 | 128)
    return bytes(found)


def test_refs_whose_objects_are_gone_are_left_out(part: Part) -> None:
    gone = Part(part.mirror, part.results, {**part.heads, "refs/heads/toy/9.9": "9" * 40})
    with offered([gone], "refs/heads/toy/master") as path:
        told = advertise(path, "git-upload-pack")
    assert b"refs/heads/toy/4.1" in told
    assert b"9.9" not in told


def test_a_place_is_given_back_however_an_answer_ends(part: Part) -> None:
    asked = packet(f"want {part.heads['refs/heads/toy/4.1']}\n".encode()) + FLUSH + packet(b"done\n")
    for _ in range(2 * AT_ONCE):
        pieces = fetched([part], "", asked)
        assert next(pieces) == b""
        pieces.close()
    assert b"PACK" in b"".join(fetched([part], "", asked))


OID = "1" * 40
COMMAND = f"{'0' * 40} {OID} refs/for/4.1".encode()


def test_a_push_is_read_as_git_sends_it() -> None:
    body = packet(COMMAND + b"\0 report-status side-band-64k\n") + packet(b"shallow " + OID.encode()) + FLUSH + b"PACK"
    push = read_push(body)
    assert [(one.name, one.new) for one in push.commands] == [(b"refs/for/4.1", OID)]
    assert (push.pack, push.capabilities) == (b"PACK", {b"report-status", b"side-band-64k"})
    told = report(push, unpacked="ok", codes={b"refs/for/4.1": "no"}, lines=["why"])
    assert told == b"0009\x02why\n" + b"002e\x01000eunpack ok\n0017ng refs/for/4.1 no\n00000000"


@pytest.mark.parametrize(
    "body",
    [b"", b"000", b"zzzz", b"0003", b"0004", b"00ffx", packet(b"x") + FLUSH, packet(COMMAND), b"-001",
     packet(COMMAND.replace(b"refs/for/4.1", b"refs/a b")) + FLUSH, (packet(COMMAND) * 51) + FLUSH],
)  # fmt: skip
def test_what_git_does_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(GitError) as caught:
        read_push(body)
    assert caught.value.code == "bad-request"
