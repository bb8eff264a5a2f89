"""What somebody sends, read into ordered patches, or refused with a sentence."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import quopri
import tarfile
import unicodedata
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backports.engine import intake, suspects
from backports.engine.diff import MAX_BYTES
from backports.engine.intake import Kind, Refused, archive, quilt
from tests.engine.helpers import FIXED, SHOP, unified

DIFF = unified(SHOP, FIXED)
SECOND = unified(FIXED, FIXED.replace(b"used = 0;", b"used = 0; /* empty */"))
THIRD = unified(SHOP, SHOP.replace(b"-1", b"-ENOENT"), "lib/other.c")


def mail(subject: str, diff: bytes = DIFF, *, body: str = "Why.\n", more: str = "") -> bytes:
    head = (
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
        "From: Security Engineer One <one@example.org>\nDate: Tue, 1 Mar 2011 12:00:00 +0000\n"
        f"Subject: {subject}\n{more}\n{body}---\n\n"
    )
    return head.encode() + diff + b"-- \n2.39\n\n"


def tar(members: dict[str, bytes | str], *, mode: str = "w") -> bytes:
    """An archive; a member that is a text is a link to that name."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as made:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            if isinstance(data, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, data
                made.addfile(entry)
            else:
                entry.size = len(data)
                made.addfile(entry, io.BytesIO(data))
    return held.getvalue()


def refusal(name: str, data: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        intake.read(name, data)
    assert caught.value.sentence.endswith(".")
    return caught.value


def names(found: intake.Intake) -> list[str]:
    return [one.name for one in found.patches]


def changed(found: intake.Intake) -> list[bytes]:
    return [
        b"".join(line.text for line in one.patch.files[0].hunks[0].lines if line.tag == "+") for one in found.patches
    ]


def test_one_patch_is_kept_to_the_byte() -> None:
    found = intake.read("xsa500-4.8.patch", DIFF)
    assert (found.kind, names(found), found.patches[0].data) == (Kind.PATCH, ["xsa500-4.8.patch"], DIFF)
    assert (found.notes, found.suspects) == ((), ())


def test_a_plain_diff_without_prefixes_is_read_at_the_level_that_was_told() -> None:
    data = DIFF.replace(b"a/lib", b"lib").replace(b"b/lib", b"lib")
    plain = b"".join(line for line in data.splitlines(keepends=True) if not line.startswith((b"diff", b"index")))
    assert intake.read("x.diff", plain).parsed[0].files[0].path == "lib/shop.c"
    assert intake.read("x.diff", plain, strip=1).parsed[0].files[0].path == "shop.c"


def test_mails_stand_in_the_order_that_their_subjects_count() -> None:
    cover = mail("[PATCH XSA-500 4.8 v2 0/3] shop: three fixes", b"")
    box = mail("[PATCH v2 3/3] c", THIRD) + cover + mail("[PATCH v2 1/3] a") + mail("[PATCH v2 2/3] b", SECOND)
    found = intake.read("fixes.mbox", box)
    assert found.kind is Kind.MBOX
    assert [one.patch.subject for one in found.patches] == ["a", "b", "c"]
    assert [one.tag for one in found.patches] == ["PATCH v2 1/3", "PATCH v2 2/3", "PATCH v2 3/3"]
    assert found.notes == ()


def test_a_mail_that_came_twice_counts_once_and_one_that_did_not_come_is_named() -> None:
    twice = mail("[PATCH 1/3] a")
    found = intake.read("m", twice + mail("[PATCH 3/3] c", THIRD) + twice.replace(b"12:00:00", b"12:00:07"))
    assert [one.patch.subject for one in found.patches] == ["a", "c"]
    assert [note.code for note in found.notes] == ["patch-missing"]
    assert found.notes[0].sentence == "Of 3 patches that the subjects count, these are not here: 2."


def test_two_versions_or_two_seconds_in_one_mailbox_are_refused() -> None:
    assert refusal("m", mail("[PATCH 1/1] a") + mail("[PATCH v2 1/1] a", SECOND)).code == "several-versions"
    assert refusal("m", mail("[PATCH 1/2] a") + mail("[PATCH 1/2] b", SECOND)).code == "same-number-twice"


def test_an_encoded_mail_is_the_patch_that_was_written() -> None:
    plain = mail("[PATCH] a", more="Content-Transfer-Encoding: 8bit\n")
    head, _, body = plain.partition(b"\n\n")
    for name, code in (("base64", base64.encodebytes), ("quoted-printable", quopri.encodestring)):
        sent = head.replace(b"8bit", name.encode()) + b"\n\n" + code(body)
        assert intake.read("m", sent).parsed == intake.read("m", plain).parsed


def test_a_patch_that_is_attached_to_a_mail_is_found() -> None:
    edge = b"--edge\nContent-Type: "
    parts = edge + b"text/plain\n\nSee the patch.\n" + edge + b"text/x-patch\nContent-Transfer-Encoding: base64\n\n"
    head = b"From: One <one@example.org>\nSubject: the fix\nMIME-Version: 1.0\n"
    sent = (
        head + b'Content-Type: multipart/mixed; boundary="edge"\n\n' + parts + base64.encodebytes(DIFF) + b"--edge--\n"
    )
    found = intake.read("m", sent)
    assert found.parsed[0].files == intake.read("d", DIFF).parsed[0].files
    assert found.parsed[0].subject == "the fix"


def test_two_changesets_without_an_mbox_line_are_two_patches_with_their_own_bytes() -> None:
    one, two = (
        b"# HG changeset patch\n# User One <one@example.org>\n%s\n\n" % name + diff
        for name, diff in ((b"first", DIFF), (b"second", SECOND))
    )
    found = intake.read("x", one + two)
    assert [one.data for one in found.patches] == [one, two]
    assert [one.patch.subject for one in found.patches] == ["first", "second"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_is_read_in_the_order_of_its_names_whatever_packed_it(pack) -> None:
    data = pack(tar({"p/10-c.patch": THIRD, "p/2-b.patch": SECOND, "p/1-a.patch": DIFF, "p/README": b"Hello.\n"}))
    found = intake.read("p.tar.gz", data)
    assert (found.kind, names(found)) == (Kind.TAR, ["p/1-a.patch", "p/2-b.patch", "p/10-c.patch"])
    assert [note.code for note in found.notes] == ["order-by-name", "left-out"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_patch_is_read_as_the_patch(pack) -> None:
    found = intake.read("xsa500.patch.xz", pack(DIFF))
    assert (names(found), found.patches[0].data) == (["xsa500.patch"], DIFF)
    two = intake.read("two.patch.gz", pack(mail("[PATCH 1/2] a")) + pack(mail("[PATCH 2/2] b", SECOND)))
    assert [one.patch.subject for one in two.patches] == ["a", "b"]


def test_a_quilt_series_says_order_and_level() -> None:
    bare = DIFF.replace(b" a/lib", b" lib").replace(b" b/lib", b" lib")
    series = b"# the shop\n\nsecond.patch\nsub/first.patch -p0 # why not\n"
    data = tar(
        {
            "patches/sub/first.patch": bare,
            "patches/second.patch": SECOND,
            "patches/series": series,
            "patches/unused.patch": THIRD,
        }
    )
    found = intake.read("q.tar", data)
    assert (found.kind, names(found)) == (Kind.QUILT, ["patches/second.patch", "patches/sub/first.patch"])
    assert [one.strip for one in found.patches] == [None, 0]
    assert [one.patch.files[0].path for one in found.patches] == ["lib/shop.c", "lib/shop.c"]
    assert found.notes[0].sentence.endswith("were left out: patches/unused.patch.")


def test_a_debian_package_gives_its_patches_and_its_links_hurt_nobody() -> None:
    data = tar(
        {
            "debian/shop.init": "../elsewhere",
            "debian/control": b"Source: shop\n",
            "debian/patches/series": b"a\n",
            "debian/patches/a": DIFF,
        },
        mode="w:xz",
    )
    found = intake.read("shop_4.8.5-1.debian.tar.xz", data)
    assert (found.kind, names(found)) == (Kind.DEBIAN, ["debian/patches/a"])
    linked = tar({"debian/patches/series": b"a\n", "debian/patches/a": "/etc/passwd"})
    assert refusal("d", linked).code == "link-in-archive"
    assert refusal("d", tar({"debian/control": b"x"})).code == "no-patches"


@pytest.mark.parametrize(
    ("series", "code"),
    [
        (b"a\nb\n", "missing-file"),
        (b"a -R\n", "reversed-patch"),
        (b"a --fuzz=9\n", "unknown-option"),
        (b"../a\n", "unsafe-path"),
        (b"/a\n", "unsafe-path"),
        (b"a\na\n", "named-twice"),
        (b"# nothing\n", "no-patches"),
        (b"series\n", "missing-file"),
    ],
)
def test_a_series_that_cannot_be_followed_is_refused(series: bytes, code: str) -> None:
    assert refusal("q.tar", tar({"series": series, "a": DIFF})).code == code


def test_a_missing_file_is_named_with_its_line() -> None:
    sentence = refusal("q.tar", tar({"series": b"# x\na\nb\n", "a": DIFF})).sentence
    assert sentence.startswith("Line 3 of the series names b, which is not in the archive.")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"../a.patch": DIFF}, "unsafe-path"),
        ({"/etc/a.patch": DIFF}, "unsafe-path"),
        ({"p/../../a.patch": DIFF}, "unsafe-path"),
        ({"p\\..\\a.patch": DIFF}, "unsafe-path"),
        ({"C:\\a.patch": DIFF}, "unsafe-path"),
        ({"p/a.patch": DIFF, "p/b.patch": "a.patch"}, "link-in-archive"),
        ({"a/series": b"x\n", "b/series": b"x\n"}, "several-series"),
        ({"README": b"Hello.\n"}, "no-patches"),
        ({"a.patch": gzip.compress(DIFF)}, "compressed-member"),
        ({"a.patch": b"x" * (MAX_BYTES + 1)}, "too-large"),
        ({"a.patch": DIFF, "b.patch": b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n"}, "bad-hunk"),
        ({f"{at}.patch": b"" for at in range(archive.MAX_MEMBERS + 1)}, "too-many-members"),
        ({f"{at}.patch": DIFF for at in range(quilt.MAX_PATCHES + 1)}, "too-many"),
    ],
)
def test_a_hostile_archive_is_refused(members, code: str) -> None:
    assert refusal("p.tar", tar(members)).code == code


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE])
def test_devices_and_hard_links_are_refused(kind: bytes) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        entry = tarfile.TarInfo("a.patch")
        entry.type, entry.linkname = kind, "b.patch"
        made.addfile(entry)
    assert refusal("p.tar", held.getvalue()).code == ("link-in-archive" if kind == tarfile.LNKTYPE else "special-file")


@pytest.mark.parametrize(("name", "code"), [("a.patch", "too-large"), ("debian/control", "expands-too-far")])
def test_an_archive_that_grows_to_gigabytes_is_left_at_the_limit(name: str, code: str) -> None:
    packer, zeros = zlib.compressobj(wbits=31), bytes(1 << 20)
    entry = tarfile.TarInfo(name)
    entry.size = 2 << 30
    data = packer.compress(entry.tobuf()) + b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()
    assert refusal("p.tar.gz", data).code == code
    assert refusal("p.patch.gz", gzip.compress(b"\n" * (64 << 20))).code == "expands-too-far"


def test_a_cut_file_says_where_it_ends() -> None:
    whole = tar({"a.patch": DIFF, "b.patch": SECOND + b"x" * 9000})
    plain = refusal("p.tar", whole[:3000])
    assert plain.code == "truncated"
    assert "it ends after 3000 bytes of what it holds; the last file that it names is b.patch" in plain.sentence
    assert refusal("p.tar", whole[:2048]).code == "truncated"
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        assert refusal("p.tar.x", pack(whole)[:-20]).code in ("truncated", "damaged-archive")
    assert refusal("p.patch.gz", gzip.compress(DIFF)[:-12]).code == "truncated"


def test_a_damaged_header_in_the_middle_is_not_taken_for_the_end() -> None:
    whole = bytearray(tar({"a.patch": b"x" * 512, "b.patch": DIFF}))
    whole[1024 + 150] ^= 1
    assert refusal("p.tar", bytes(whole)).code == "damaged-archive"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"Hello.\n", "no-diff"),
        (b"\x7fELF\x02\x01\x00\x00", "binary-file"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x28\xb5\x2f\xfdrest", "zstd"),
        ("--- a".encode("utf-16"), "utf-16"),
        (b"\n<!DOCTYPE html><p>Log in", "web-page"),
        (gzip.compress(b""), "empty"),
        (gzip.compress(gzip.compress(DIFF)), "binary-file"),
        (DIFF[:-60], "bad-hunk"),
        (b"--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", "unsafe-path"),
        (b"diff --git a/x b/x\nindex 1111111..2222222\nGIT binary patch\nliteral 1\nIcmZQz\n\n", "binary-patch"),
        (b"\x1f\x8b\x08garbage, and no deflate at all", "damaged-archive"),
        (b"x" * (intake.MAX_UPLOAD + 1), "too-large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_what_is_no_patch_is_refused(data: bytes, code: str) -> None:
    assert refusal("x.patch", data).code == code


def test_binary_parts_beside_text_and_odd_bytes_are_told() -> None:
    binary = b"diff --git a/x.bin b/x.bin\nindex 1111111..2222222\nGIT binary patch\nliteral 1\nIcmZQz\n\n"
    odd = unified(SHOP, SHOP.replace(b"one table", b"one t\xe9ble"))
    found = intake.read("x", odd + binary)
    assert [note.code for note in found.notes] == ["binary-parts", "not-utf-8"]
    assert found.notes[1].sentence.startswith("Line 7 of x is no UTF-8")
    assert found.patches[0].data == odd + binary
    assert found.suspects == ()


def test_the_same_change_twice_is_told() -> None:
    found = intake.read("p.tar", tar({"1.patch": DIFF, "2.patch": DIFF}))
    assert found.notes[-1].sentence == "2.patch changes the same as 1.patch."


def suspicious(text: str, *, tag: bytes = b"+") -> tuple[suspects.Suspect, ...]:
    data = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n" + tag + text.encode() + b"\n"
    return suspects.find(data)


def test_controls_that_reorder_are_found_with_their_line() -> None:
    found = suspicious('if (level != "user\u202e \u2066// admin\u2069 \u2066") {')
    assert [(one.why, one.line, one.code_point) for one in found] == [
        (suspects.Why.BIDI, 5, f"U+{ord(char):04X}") for char in "\u202e\u2066\u2069\u2066"
    ]
    assert found[0].sentence == (
        "Line 5: U+202E right-to-left override changes the order in which its neighbours are shown."
    )


def test_every_control_of_the_bidirectional_algorithm_is_known() -> None:
    for code in range(0x110000):
        if unicodedata.bidirectional(chr(code)) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}:
            assert suspicious(f"a{chr(code)}b")[0].why is suspects.Why.BIDI


@pytest.mark.parametrize(
    ("text", "reads_as"),
    [
        ("return is_\u0430dmin;", "is_admin"),
        ("\u0441\u043e\u0440\u0443_page();", "copy_page"),
        ("x = 1\u037e", ";"),
        ("\uff42\uff41\uff44 = 1;", "bad"),
        ("if (ok\u01c3 = 1)", "ok!"),
    ],
)
def test_letters_that_look_like_others_are_found_in_added_lines_only(text: str, reads_as: str) -> None:
    assert suspicious(text)[0].reads_as == reads_as
    assert suspicious(text, tag=b"-") == ()


@pytest.mark.parametrize(
    "text", ["/* naïve – it’s fine */", "/* \u043f\u0440\u0438\u0432\u0435\u0442 */", "\tplain();\f"]
)
def test_ordinary_writing_is_not_suspected(text: str) -> None:
    assert suspicious(text) == ()


def test_what_cannot_be_seen_is_found() -> None:
    found = suspicious("a\u200bb\u00a0c\u00add\x07\rover")
    assert [one.code_point for one in found] == ["U+200B", "U+00A0", "U+00AD", "U+0007", "U+000D"]
    assert {one.why for one in found} == {suspects.Why.HIDDEN}


def test_findings_of_a_series_name_their_file() -> None:
    bad = unified(SHOP, SHOP.replace(b"used = 0", "us\u0435d = 0".encode()))
    found = intake.read("p.tar", tar({"1.patch": DIFF, "2.patch": bad}))
    assert [(one.file, one.reads_as) for one in found.suspects] == [("2.patch", "used")]


REAL = [
    DIFF,
    mail("[PATCH 1/2] a") + mail("[PATCH 2/2] b", SECOND),
    tar({"patches/series": b"a\nb -p1\n", "patches/a": DIFF, "patches/b": SECOND}),
    tar({"a.patch": DIFF, "x" * 150 + ".patch": SECOND}, mode="w:gz"),
    tar({"debian/patches/series": b"a\n", "debian/patches/a": DIFF}, mode="w:xz"),
]


def test_the_inputs_of_the_properties_are_read() -> None:
    assert [len(intake.read("x", data).patches) for data in REAL] == [1, 2, 2, 2, 1]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(REAL), st.integers(0, 20_000), st.binary(min_size=1, max_size=9))
def test_damaged_input_is_read_or_refused_and_nothing_else(data: bytes, at: int, junk: bytes) -> None:
    at %= len(data)
    for damaged in (data[:at] + junk + data[at + len(junk) :], data[:at], data[:at] + data[at + len(junk) :]):
        try:
            found = intake.read("x", damaged)
        except Refused as refused:
            assert refused.code
            assert refused.sentence.endswith(".")
        else:
            assert found.patches


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(1, 6)), st.lists(st.integers(0, 4), max_size=3))
def test_the_order_of_arrival_never_counts(order: list[int], again: list[int]) -> None:
    def numbered(place: int) -> bytes:
        text = SHOP.replace(b"used = 0;", b"used = %d;" % place)
        return mail(f"[PATCH {place}/5] change {place}", unified(SHOP, text))

    box = b"".join(numbered(place) for place in [*order, *(order[at] for at in again)])
    found = intake.read("m", box)
    assert [one.patch.subject for one in found.patches] == [f"change {place}" for place in range(1, 6)]
    assert found.notes == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([DIFF, SECOND, THIRD]), min_size=1, max_size=6), st.randoms())
def test_a_series_keeps_its_order_however_the_archive_stores_it(diffs: list[bytes], random) -> None:
    listed = [f"{random.randrange(10**6)}-{at}" for at in range(len(diffs))]
    members = [(f"p/{name}", diff) for name, diff in zip(listed, diffs, strict=True)]
    random.shuffle(members)
    members.insert(random.randrange(len(members) + 1), ("p/series", "\n".join(listed).encode()))
    found = intake.read("p.tar", tar(dict(members)))
    assert names(found) == [f"p/{name}" for name in listed]
    assert [one.data for one in found.patches] == diffs
