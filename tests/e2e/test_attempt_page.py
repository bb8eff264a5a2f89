"""The page of an attempt in a real browser: by keyboard, without script, wide and narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def open_conflict(page: Page) -> None:
    """The demo's first public attempt of which no hunk landed."""
    page.goto("/r/demo/?outcome=conflict")
    page.locator("table.matrix td a[title^='conflict']").first.click()
    expect(page.get_by_role("heading", name="To look at first")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_what_to_look_at_leads_to_the_hunk_and_its_way_opens_by_keyboard(
    browser: Browser, server: Server, script: bool
) -> None:
    context = browser.new_context(base_url=server.address, java_script_enabled=script)
    page = context.new_page()
    open_conflict(page)
    place = page.locator(".findings a.place").first
    anchor = (place.get_attribute("href") or "").removeprefix("#")
    place.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"#{anchor}$"))
    hunk = page.locator(f"#{anchor}")
    expect(hunk).to_be_in_viewport()
    steps = hunk.locator(".trail ol")
    expect(steps).to_be_hidden()
    hunk.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(steps).to_be_visible()
    expect(steps).to_contain_text("saw no place")
    context.close()


def test_the_sides_of_a_conflict_keep_their_rows_side_by_side(browser: Browser, server: Server) -> None:
    context = browser.new_context(base_url=server.address, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    open_conflict(page)
    columns = page.locator(".sides").first.locator("> div")
    tops = [
        [box["y"] for line in column.locator(".line").all() if (box := line.bounding_box())] for column in columns.all()
    ]
    assert len(tops) == 3
    assert tops[0] == pytest.approx(tops[1], abs=1)
    assert tops[0] == pytest.approx(tops[2], abs=1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_with_every_part_open(browser: Browser, server: Server, width: int, scheme: str) -> None:
    context = browser.new_context(
        base_url=server.address,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    open_conflict(page)
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
