"""Advisory texts, one oddity at a time."""

from __future__ import annotations

import pytest

from tests.xsa.formats.samples import advisory, header, section
from xsa.formats.advisory import parse_advisory
from xsa.formats.errors import FormatError
from xsa.formats.signature import clear_sign, make_demo_key


def codes(text) -> list[str]:
    return [problem.code for problem in text.problems]


def test_a_plain_advisory_is_read_whole():
    text = parse_advisory(advisory(files={"xsa900.patch": b"x"}))
    assert (text.number, text.version, text.title) == (900, 2, "Kettle boils over")
    assert text.cves == ("CVE-2031-10001",)
    assert [heading for heading, _ in text.sections] == [
        "UPDATES IN VERSION 2",
        "ISSUE DESCRIPTION",
        "RESOLUTION",
        "DEPLOYMENT DURING EMBARGO",
    ]
    assert text.section("ISSUE DESCRIPTION") == "The kettle has no lid."
    assert text.updates == "Public release."
    assert text.deployment == "all-permitted"
    assert [(file.pattern, file.text, file.targets.branches) for file in text.files] == [
        ("xsa900.patch", "xen-unstable", ("master",))
    ]
    assert text.digests == (("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "xsa900.patch"),)
    assert text.problems == ()


@pytest.mark.parametrize(
    ("cves", "expected"),
    [
        ("CVE-2031-10001,CVE-2031-10002", ("CVE-2031-10001", "CVE-2031-10002")),
        ("CVE-2031-10001, CVE-2031-10002", ("CVE-2031-10001", "CVE-2031-10002")),
        (
            "CVE-2031-10001,\n     CVE-2031-10002,CVE-2031-1234567",
            ("CVE-2031-10001", "CVE-2031-10002", "CVE-2031-1234567"),
        ),
        ("", ()),
    ],
)
def test_several_cves_joined_by_a_bare_comma_or_wrapped_or_none(cves, expected):
    text = parse_advisory(advisory(cves=cves))
    assert (text.number, text.cves, text.title) == (900, expected, "Kettle boils over")


def test_no_version_line_means_version_one():
    assert parse_advisory(advisory(version=None)).version == 1


def test_a_cve_alone_is_no_advisory_number():
    with pytest.raises(FormatError) as caught:
        parse_advisory(b"Xen Security Advisory CVE-2031-10001\n\nKettle\n")
    assert caught.value.code == "not-an-advisory"


def test_a_title_of_two_lines_becomes_one():
    assert parse_advisory(advisory(title="Kettle boils\n       over twice")).title == "Kettle boils over twice"


def test_an_embargo_banner_is_no_title():
    data = header(900).replace("Kettle", "*** EMBARGOED UNTIL some day ***\n\n    Kettle").encode()
    assert parse_advisory(data).title == "Kettle boils over"


def test_crlf_and_a_byte_order_mark_change_nothing():
    plain = advisory()
    assert parse_advisory(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")) == parse_advisory(plain)


def test_latin_1_is_read_when_it_is_no_utf_8():
    text = parse_advisory(advisory(title="Caf\u00e9 kettle").decode().encode("latin-1"))
    assert text.title == "Caf\u00e9 kettle"


def test_a_nul_never_reaches_a_column():
    assert "\0" not in parse_advisory(advisory(title="Ket\0tle")).title


def test_dash_escapes_of_clear_signing_are_undone():
    secret, _ = make_demo_key("Security Engineer One", "one@example.org")
    plain = header(900).encode() + section("IMPACT", "- first point\n-- not a point").encode()
    assert parse_advisory(clear_sign(plain, secret)).section("IMPACT") == "- first point\n-- not a point"


def test_text_around_the_signed_part_is_left_out_and_told():
    secret, _ = make_demo_key("Security Engineer One", "one@example.org")
    signed = clear_sign(advisory(), secret)
    around = b"Xen Security Advisory CVE-2031-66666 / XSA-666\n\n" + signed + b"\nlist footer\n"
    text = parse_advisory(around)
    assert text.number == 900
    assert "outside-signature" in codes(text)


def test_underlines_of_another_length_and_indentation_still_head_sections():
    data = header(900) + "  IMPACT\n  ====\n\nBad.\n\nnot a heading\n=============\n"
    text = parse_advisory(data.encode())
    assert text.sections == (("IMPACT", "Bad.\n\nnot a heading\n============="),)


def test_what_is_missing_is_told():
    assert set(codes(parse_advisory(header(900, title="").encode()))) == {
        "no-title",
        "no-sections",
        "no-resolution",
        "no-digests",
    }


def test_targets_that_wrap_and_names_that_stand_alone():
    listing = (
        "xsa900-4.8/*.patch       Xen 4.8.x, 4.7.x,",
        "                         Xen 4.6.x",
        "xsa900-with-a-very-long-name-that-fills-the-line.patch",
        "                         Xen 4.5.x",
        "xsa900-4.4.patch\tXen 4.4.x",
        "xsa900-4.3.patch Xen 4.3.x",
    )
    files = parse_advisory(advisory(listing=listing)).files
    assert [file.targets.branches for file in files] == [("4.8", "4.7", "4.6"), ("4.5",), ("4.4",), ("4.3",)]


def test_prose_about_a_patch_lists_nothing():
    text = parse_advisory(advisory(listing=("xsa900.patch fixes the kettle.", "Use xsa900.patch  with care.")))
    assert text.files == ()


def test_a_file_without_a_target_is_told():
    text = parse_advisory(advisory(listing=("xsa900.patch",)))
    assert [(problem.code, problem.file) for problem in text.problems if problem.file] == [
        ("no-target", "xsa900.patch")
    ]


def test_a_digest_of_the_wrong_length_is_told_and_a_folded_name_is_joined():
    data = header(900) + section(
        "RESOLUTION", f"{'a' * 63}  xsa900.patch\n{'B' * 64}\n  xsa900-long.patch\n$\n{'c' * 64}\n$"
    )
    text = parse_advisory(data.encode())
    assert text.digests == (("b" * 64, "xsa900-long.patch"),)
    assert [problem.file for problem in text.problems if problem.code == "malformed-digest"] == ["xsa900.patch"]


NOTICES = {
    "all-permitted": "Deployment of the patches and/or mitigations described above is\npermitted during the embargo.",
    "patches-only": "Deployment of the patch described above is permitted.\n\n"
    "HOWEVER, deployment of the mitigation is NOT permitted (except by members).",
    "nothing": "Deployment of patches or mitigations is NOT permitted (except where all\nsystems are members').",
    "unknown": "Nothing is said here.",
}


@pytest.mark.parametrize(("expected", "notice"), NOTICES.items())
def test_deployment_classes(expected, notice):
    data = header(900) + section("DEPLOYMENT DURING EMBARGO", notice)
    assert parse_advisory(data.encode()).deployment == expected


@pytest.mark.parametrize("word", ["REGARDING", "ON"])
def test_a_note_on_lack_of_embargo_outranks_a_notice(word):
    data = (
        header(900)
        + section(f"NOTE {word} LACK OF EMBARGO", "It was public.")
        + section("MITIGATION", NOTICES["nothing"])
    )
    assert parse_advisory(data.encode()).deployment == "no-embargo"


def test_of_two_readings_the_stricter_notice_is_taken():
    both = NOTICES["all-permitted"] + "\n\n" + NOTICES["patches-only"]
    assert (
        parse_advisory((header(900) + section("DEPLOYMENT DURING EMBARGO", both)).encode()).deployment == "patches-only"
    )
    vague = NOTICES["all-permitted"] + "\n\nSpecifically, deployment on public systems is NOT permitted."
    assert parse_advisory((header(900) + section("DEPLOYMENT DURING EMBARGO", vague)).encode()).deployment == "nothing"
