"""Markup that every reader can use, and that the content policy allows; text from outside that cannot hurt."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from backports.web.downloads import safe_name
from backports.web.text import plain, visible
from tests import factories
from tests.web.conftest import World

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
PAGES = [
    "/",
    "/?missing=4.11&since=nonsense",
    "/advisories/",
    "/advisories/777/",
    "/advisories/456/",
    "/attempts/{attempt}/",
    "/r/xen/branches/4.11/",
    "/r/xen/branches/master/",
    "/queue/",
    "/repositories/",
    "/files/unread/",
    "/glossary/",
    "/login/",
    "/password/reset/",
    "/account/",
    "/account/app/",
    "/account/sessions/",
    "/account/password/",
    "/account/keys/",
    "/account/keys/add/",
    "/login/again/",
    "/login/with/cancelled/",
    "/login/with/failed/",
    "/password/reset/sent/",
    "/password/reset/done/",
    "/password/reset/0-a-b/",
    "/organisations/",
    "/nope/",
]
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Reader(HTMLParser):
    """Notes the parts of a page that the tests ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.mistakes: list[str] = []
        self.labelled: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "td" and self.stack[-1] == "td":
            self.stack.pop()  # the end tag of a cell may be left out
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self.stack[-1] == "td":
            self.stack.pop()
        if not self.stack or self.stack.pop() != tag:
            self.mistakes.append(f"</{tag}> at {self.getpos()}")

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in names]


def fetch(world: World, client: Client, path: str) -> Reader:
    # Whoever is logged in already is led on from there.
    client = Client() if path == "/login/" else client
    return Reader(client.get(path.format(attempt=world.known_attempt.pk)).content.decode())


@pytest.mark.parametrize("path", PAGES)
def test_tags_close_in_order(world: World, team: Client, path: str) -> None:
    reader = fetch(world, team, path)
    assert reader.mistakes == []
    assert reader.stack == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_inline(world: World, team: Client, path: str) -> None:
    for tag, attrs in fetch(world, team, path).tags:
        assert not {name for name in attrs if name.startswith("on") or name in ("style", "hx-on", "hx-vals")}, tag
        assert tag != "style"
        # Data for a script of ours is no script.
        assert tag != "script" or attrs.get("src") or attrs.get("type") == "application/json"
        for name in ("href", "src", "action", "hx-get"):
            target = attrs.get(name) or ""
            assert not target.lower().startswith(("javascript:", "data:", "http:", "https:", "//")), target


@pytest.mark.parametrize("path", PAGES)
def test_landmarks_headings_labels_and_ids(world: World, team: Client, path: str) -> None:
    reader = fetch(world, team, path)
    assert len(reader.all("main")) == 1
    assert len(reader.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    labels = {attrs.get("for") for attrs in reader.all("label")}
    for attrs in reader.all("input", "select", "textarea"):
        assert attrs.get("type") == "hidden" or attrs["id"] in labels, attrs
    for attrs in reader.all("section", "div"):
        assert attrs.get("role") != "region" or (attrs.get("aria-label") and attrs.get("tabindex") == "0")


@pytest.mark.parametrize("path", PAGES)
def test_tables_have_captions_and_scopes(world: World, team: Client, path: str) -> None:
    reader = fetch(world, team, path)
    assert len(reader.all("table")) == len(reader.all("caption"))
    assert all(attrs.get("scope") in ("col", "row") for attrs in reader.all("th"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_templates_hold_nothing_inline(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<[^>{%]*\s(on\w+|style)\s*=", text)
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|javascript:|\|safe\b|autoescape off", text)
    assert not re.search(r"""(href|src)=["'](https?:)?//""", text)


@pytest.mark.parametrize("path", [*PAGES, "/files/00000000-0000-0000-0000-000000000000/raw"])
def test_every_answer_carries_the_content_policy(world: World, anonymous: Client, path: str) -> None:
    policy = anonymous.get(path.format(attempt=world.known_attempt.pk))["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


HOSTILE = "<script>alert(1)</script>\u202etxt.exe\u2066\u200b\u00ad\u0007 \u2028\u00a0é"


def test_hostile_text_is_shown_and_never_rendered(db: None, anonymous: Client) -> None:
    branch = factories.branch(factories.repository("xen"), "4.11")
    row = factories.advisory(
        9, title=HOSTILE, cves=(HOSTILE[:30],), sections=[[HOSTILE, HOSTILE]], changes=[{"sentence": HOSTILE}]
    )
    problem = {"code": HOSTILE, "sentence": HOSTILE, "file": HOSTILE}
    factories.fix(row, file=factories.patch_file(row, HOSTILE, problems=[problem]))
    proof = factories.evidence(lines=[["+", HOSTILE], [" ", HOSTILE], ["-", HOSTILE]], path=HOSTILE)
    proof["patches"][0] |= {"subject": HOSTILE, "author": HOSTILE}
    proof["patches"][0]["files"][0] |= {"note": HOSTILE}
    proof["patches"][0]["files"][0]["hunks"][1] |= {"header": HOSTILE}
    proof["patches"][0]["files"][0]["hunks"][1]["rejection"] |= {"ours": [HOSTILE], "sentence": HOSTILE}
    told = {"reasons": [HOSTILE], "problem": HOSTILE, "problem_code": "x"}
    attempt = factories.attempt(row, branch, "partly-applied", evidence=proof, **told)
    failed = factories.attempt(
        factories.advisory(8, title=HOSTILE), branch, "malformed", problem=HOSTILE, problem_code="bad"
    )
    for path in ("/", "/advisories/", "/advisories/9/", f"/attempts/{attempt.pk}/", f"/attempts/{failed.pk}/",
                 "/r/xen/branches/4.11/", "/queue/"):  # fmt: skip
        page = anonymous.get(path).content.decode()
        assert "<script>alert" not in page, path
        assert not set("\u202e\u2066\u200b\u00ad\u0007\u2028\u00a0") & set(page), path
        assert "U+202E" in page, path


def test_what_the_reader_typed_comes_back_escaped(world: World, anonymous: Client) -> None:
    for path in ("/", "/advisories/"):
        page = anonymous.get(path, {"text": '"><script>alert(1)</script>'}).content.decode()
        assert "<script>alert" not in page


def test_ordinary_text_stays_as_it_is() -> None:
    assert visible("\tif (a < b && c)") == "\tif (a &lt; b &amp;&amp; c)"
    assert visible("Jürgen Groß 漢字") == "Jürgen Groß 漢字"
    assert plain("a\u202eb") == "a[U+202E]b"
    assert "CR" in visible("windows\r")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("xsa456-4.11.patch", "xsa456-4.11.patch"),
        ("xsa492/xsa492-01.patch", "xsa492-01.patch"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        (".bashrc", "bashrc"),
        ("c:\\windows\\x.exe", "x.exe"),
        ('a"; filename="b\r\nX: y', "a_filename_b_X_y"),
        ("\u202egnp.patch", "_gnp.patch"),
        ("", "file"),
        ("x" * 400, "x" * 120),
    ],
)
def test_names_of_downloads_cannot_hurt(name: str, safe: str) -> None:
    assert safe_name(name) == safe
