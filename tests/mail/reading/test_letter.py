"""Mails are taken apart within limits, whatever their bytes."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backports.mail.reading import MAX_MAIL, Letter, Unreadable, read
from backports.mail.reading.letter import MAX_DEPTH, MAX_PARTS
from tests.mail.letters import mail

_WORDS = st.sampled_from(
    [
        b"From: a@b.example\n",
        b"Subject: =?utf-8?b?4pyT?=\n",
        b"Content-Type: multipart/mixed; boundary=x\n",
        b"Content-Type: message/rfc822\n",
        b"Content-Type: te\0xt/pl\xffain\n",
        b"Content-Type: text/plain; charset=\xff\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: quoted-printable\n",
        b"Content-Disposition: attachment; filename*0*=utf-8''%ff; filename*1=b\n",
        b"Date: Mon, 99 Foo 20240 99:99 +9999\n",
        b"\n",
        b"--x\n",
        b"--x--\n",
        b"-----BEGIN PGP MESSAGE-----\n",
        b"=\n",
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.binary(max_size=2_000), st.lists(st.one_of(_WORDS, st.binary(max_size=30)), max_size=40).map(b"".join))
)
def test_any_bytes_are_a_mail_or_refused_with_a_reason(raw: bytes) -> None:
    try:
        letter = read(raw)
    except Unreadable as error:
        assert error.code
        assert error.sentence.endswith(".")
    else:
        assert isinstance(letter, Letter)
        assert all(part.text is not None and ".." not in part.name.split("/") for part in letter.parts)
        assert all(part.kind.isprintable() and part.name.isprintable() for part in letter.parts)
        assert letter.head.date is None or letter.head.date.tzinfo
        assert all(value.isprintable() for _, value in letter.head.fields)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("xsa493/xsa493-01.patch", "xsa493/xsa493-01.patch"),
        ("xsa196-0001-x86-\n emul.patch", "xsa196-0001-x86-emul.patch"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a\\..\\b.patch", "a/b.patch"),
        ("~root/x", "x"),
        ("..", "unnamed"),
        ("a\0b.patch", "a_b.patch"),
    ],
)
def test_names_of_files_stay_inside(told: str, name: str) -> None:
    raw = mail(files={"NAME": b"x"}).replace(b'filename="NAME"', f'filename="{told}"'.encode())
    assert [part.name for part in read(raw).parts if part.attached] == [name]


def test_a_wrong_character_set_makes_odd_characters_and_no_error() -> None:
    raw = mail("plain\n").replace(b'charset="utf-8"', b'charset="no-such-thing"')
    assert read(raw).text == "plain\n"
    (part,) = read(raw.replace(b"plain", b"pl\xe4in")).parts
    assert part.text == "pläin\n"


def test_what_is_encoded_is_undone_byte_for_byte() -> None:
    data = bytes(range(256))
    (part,) = [one for one in read(mail(files={"a.bin": data})).parts if one.attached]
    assert part.data == data
    assert base64.b64encode(data)[:20] in mail(files={"a.bin": data})


def _nested(depth: int) -> bytes:
    head = b"From: a@b.example\n"
    open_parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(depth))
    return (
        head
        + open_parts
        + b"Content-Type: text/plain\n\nx\n"
        + b"".join(b"--b%d--\n" % at for at in reversed(range(depth)))
    )


def _many(count: int) -> bytes:
    parts = b"".join(b"--b\nContent-Type: text/plain\n\nx\n" for _ in range(count))
    return b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" + parts + b"--b--\n"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty-mail"),
        (b"a: b\n\n" + b"x" * MAX_MAIL, "too-large"),
        (b"a: " + b"b" * 300_000 + b"\n\nx", "long-headers"),
        (b"a: b\n" * 600 + b"\nx", "long-headers"),
        (_nested(MAX_DEPTH + 1), "nested-too-deep"),
        (_nested(5_000), "too-many-parts"),
        (_many(MAX_PARTS + 1), "too-many-parts"),
        (_many(100_000), "too-many-parts"),
        (b"From: a@b.example\nFrom: c@d.example\n\nx", "doubled-header"),
        (b"Subject: one\nSubject: two\n\nx", "doubled-header"),
    ],
    ids=["empty", "large", "long-header", "headers", "deep", "deeper", "parts", "bomb", "two-from", "two-subject"],
)
def test_what_is_too_much_is_refused_by_name(raw: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(raw)
    assert refused.value.code == code


def test_within_the_limits_it_is_read() -> None:
    assert len(read(_nested(MAX_DEPTH - 1)).parts) == 1
    assert len(read(_many(MAX_PARTS)).parts) == MAX_PARTS


def test_from_several_is_from_nobody() -> None:
    raw = mail(sender="one@member.example, two@other.example")
    assert read(raw).head.address == ""
    assert read(mail()).head.address == "engineer@member.example"


def test_a_header_cannot_bring_another_along() -> None:
    raw = b"From: a@b.example\nSubject: =?utf-8?q?x=0ABcc=3A_everybody=40else.example?=\n\nx"
    head = read(raw).head
    assert head.get("bcc") == ""
    assert "\n" not in head.subject
