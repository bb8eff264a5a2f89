"""Every field of a form says what it is for, and every label is some field's."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.test import Client

from tests import factories
from tests.web.conftest import World

PAGES = (
    "/login/",
    "/password/reset/",
    "/account/password/",
    "/tokens/",
    "/audit/",
    "/organisations/",
    "/advisories/777/",
    "/advisories/777/disclosure/",
    "/",
)
_FIELDS = {"select", "textarea", "input"}
_SILENT = {"hidden", "submit"}


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.labels: list[str | None] = []
        self.fields: dict[str | None, bool] = {}
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.open.append(tag)
        if tag == "label":
            self.labels.append(values.get("for"))
        elif tag in _FIELDS and values.get("type") not in _SILENT:
            self.fields[values.get("id")] = "aria-label" in values

    def handle_endtag(self, tag: str) -> None:
        assert tag != "p" or "p" in self.open, "an end of a paragraph that something inside it had ended"
        while self.open and self.open.pop() != tag:
            pass


@pytest.mark.parametrize("path", PAGES)
def test_every_field_has_a_label_and_every_label_a_field(world: World, path: str) -> None:
    who = Client()
    if path == "/advisories/777/":
        factories.log_in(who, factories.person("contact", listed=True))
    elif path not in ("/login/", "/password/reset/"):
        factories.log_in(who, factories.person("team", security_team=True))
    read = _Form()
    read.feed(who.get(path).content.decode())
    assert [name for name in read.labels if name not in read.fields] == []
    assert [name for name, named in read.fields.items() if not named and name not in read.labels] == []
    assert read.fields


def test_a_list_of_choices_is_named_as_one(world: World) -> None:
    client = factories.log_in(Client(), factories.person("member", listed=True))
    page = client.get("/tokens/").content.decode()
    assert page.count("<fieldset>") == page.count("<legend>May</legend>") == 1
