"""Every button that is not for the reader stands there disabled, and says why in the same words as the refusal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import engines

from xsa.permissions import Allowed, Answer, Denied

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# Disabled for another reason than that somebody may not: nothing is new, somebody asked already, a field of a form.
OTHERWISE = {"timeline/page.html", "advisories/disclosure.html", "attempts/detail.html", "review/_quorum.html"}


def drawn(may: Answer, rest: str = "") -> str:
    template = engines["django"].from_string('{% button "End it" may "end" ' + rest + " %}")
    return template.render({"may": may, "name": 'a "name"'})


def test_whoever_may_gets_a_button_that_works() -> None:
    button = drawn(Allowed(), 'step="end" tone="secondary" of=name').strip()
    attributes = 'type="submit" name="step" value="end" class="secondary" aria-label="End it a &quot;name&quot;"'
    assert button == f"<button {attributes}>End it</button>"


def test_whoever_may_not_reads_the_reason_and_so_does_a_screen_reader() -> None:
    found = drawn(Denied("Not <you>."))
    assert ' disabled aria-describedby="why-not-end">End it</button>' in found
    assert '<span class="help" id="why-not-end">Not &lt;you&gt;.</span>' in found


def test_a_page_that_tells_the_reason_itself_has_it_once() -> None:
    assert "Not you" not in drawn(Denied("Not you."), "below=True")


def test_a_title_ends_with_its_number() -> None:
    assert ">End it7</button>" in drawn(Allowed(), "number=7")


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=str)
def test_no_template_spells_it_anew(path: Path) -> None:
    name = str(path.relative_to(TEMPLATES))
    found = re.findall(r"<button[^>]*\bdisabled\b", re.sub(r"\{%[^%]*%\}", "", path.read_text()))
    assert not found or name in OTHERWISE | {"parts/_button.html"}
