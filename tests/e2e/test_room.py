"""A backport's way through the room in a real browser: uploaded, confirmed, shared, read, begun with, finished.

Pictures go to `tests/e2e/shots/`, as for the other pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.e2e.server import Server
from tests.e2e.test_membership import log_in, person, shoot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

FOUND = """
from xsa.identity import everything
from backports.models import Attempt
with everything("command"):
    rows = Attempt.objects.filter(current=True, branch__repository__name="demo")
    applied = rows.filter(outcome="applied", confidence="high", advisory__disclosed_at=None, prerequisites=[])
    one = applied.order_by("advisory__number", "branch__rank").first()
    partly = rows.filter(outcome="partly-applied", evidence__has_key="conflicts").order_by("advisory__number").first()
    print(one.pk, one.advisory.number, one.branch.name, partly.pk)
"""


@pytest.fixture
def pages(browser: Browser, server: Server) -> Iterator[tuple[Page, Page]]:
    """A page of each of two organisations; neither may complain."""
    complaints: list[str] = []
    one, two = person(browser, server, complaints), person(browser, server, complaints)
    yield one[1], two[1]
    one[0].close()
    two[0].close()
    assert complaints == []


def test_uploaded_confirmed_shared_read_and_begun_with(pages: tuple[Page, Page], server: Server) -> None:
    one, two = pages
    attempt, number, branch, _ = server.manage("shell", "--verbosity=0", "--command", FOUND).split()
    log_in(one, server, "member-one")
    log_in(two, server, "member-two")
    data = one.request.get(f"/attempts/{attempt}/result.patch").body()
    upload(one, number, branch, data)
    address = one.url
    two.goto(address)
    expect(two.get_by_role("heading", name="There is nothing here")).to_be_visible()
    one.get_by_role("button", name="Share with the room").click()
    expect(one.get_by_text("The room reads it now.")).to_be_visible()
    expect(one.get_by_role("button", name="Share with the room")).to_be_disabled()
    second_version(one, data)
    reads(two, number)
    begins(two, number)


def test_the_demo_has_a_backport_that_was_reviewed_and_a_claim(pages: tuple[Page, Page], server: Server) -> None:
    page, _ = pages
    log_in(page, server, "member-two")
    page.goto("/advisories/915/")
    page.get_by_role("link", name="Example Distribution v2").click()
    for text in ("1 of 2 other organisations approve", "needs changes v1", "Does 4.1 need more than this?"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.goto("/advisories/914/")
    expect(page.get_by_role("region", name="Claims").get_by_text("Example Hosting Provider").first).to_be_visible()


def test_finished_by_hand_refused_and_kept(pages: tuple[Page, Page], server: Server) -> None:
    page, _ = pages
    *_, partly = server.manage("shell", "--verbosity=0", "--command", FOUND).split()
    log_in(page, server, "member-one")
    finishes(page, partly)
    cannot_be_read(page)
    keeps(page)


def upload(page: Page, number: str, branch: str, data: bytes) -> None:
    page.goto(f"/advisories/{number}/")
    page.get_by_role("link", name="Upload a backport").click()
    file = FilePayload(name=f"xsa{number}-{branch}.patch", mimeType="text/plain", buffer=data)
    page.get_by_label("Files: drop them here").set_input_files(file)
    shoot(page, "upload")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("heading", name="What is it for?")).to_be_visible()
    expect(page.get_by_label("Advisory")).to_have_value(number)
    expect(page.get_by_label("Branch")).not_to_have_value("")
    page.get_by_label("Note for those who read it").fill("As we ship it.")
    shoot(page, "upload-confirm")
    page.get_by_role("button", name="Keep it as a draft").click()
    expect(page.get_by_text("Kept as a draft of your organisation.")).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("applied")
    shoot(page, "backport-draft")


def second_version(page: Page, data: bytes) -> None:
    page.get_by_role("link", name="Upload a new version").click()
    lines = data.decode().split("\n")
    at = next(
        at for at, line in enumerate(lines) if line.startswith("+") and line[1:].strip(" {}") and line[:2] != "++"
    )
    lines[at] += " /* ours */"
    page.get_by_label("Or paste a patch").fill("\n".join(lines))
    page.get_by_role("button", name="Send it").click()
    page.get_by_role("button", name="Keep it as a draft").click()
    expect(page.locator("#verdict")).to_contain_text("v2")
    page.get_by_role("link", name="compare with v2").click()
    expect(page.locator("#interdiff ~ .patch .line.add")).not_to_have_count(0)
    shoot(page, "comparison")


def reads(page: Page, number: str) -> None:
    page.goto(f"/advisories/{number}/")
    shoot(page, "advisory-room")
    page.get_by_role("link", name=re.compile(r"Example Distribution v2")).click()
    expect(page.get_by_role("heading", name="Backport of Example Distribution")).to_be_visible()
    expect(page.locator("#patches ~ .patch .line.add").first).to_be_visible()
    expect(page.get_by_role("button", name="Withdraw")).to_be_disabled()
    page.get_by_role("link", name="Side by side, as git range-diff tells it").click()
    expect(page.get_by_role("heading", name="Hunk by hunk")).to_be_visible()
    shoot(page, "comparison-official")
    page.go_back()


def begins(page: Page, number: str) -> None:
    page.get_by_role("button", name="Begin a backport with v2").click()
    expect(page.get_by_text("Begun with")).to_be_visible()
    page.get_by_label("Branch").select_option(label="demo 4.3")
    page.get_by_role("button", name="Keep it as a draft").click()
    expect(page.locator(".lineage svg")).to_be_visible()
    expect(page.locator("#lineage-list")).to_contain_text("begun with")
    shoot(page, "backport-lineage")
    with page.expect_download() as download:
        page.get_by_role("link", name="quilt tar", exact=True).click()
    assert download.value.suggested_filename == f"xsa{number}-4.3-v1.tar"


def keeps(page: Page) -> None:
    """An organisation's own repositories: the page, and an address that the server must not ask."""
    page.goto("/organisation/")
    page.get_by_role("link", name="Repositories", exact=True).nth(1).click()
    page.get_by_label("Name").first.fill("ours")
    page.get_by_label("Address").fill("https://127.0.0.1/x.git")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("That machine is not on the public network.")).to_be_visible()
    shoot(page, "own-repositories")


def finishes(page: Page, attempt: str) -> None:
    page.goto(f"/attempts/{attempt}/")
    page.get_by_role("link", name="Finish it by hand").click()
    for choice in page.get_by_label("Theirs: take what the fix leaves").all():
        choice.check()
    shoot(page, "finish")
    page.get_by_role("button", name="Try it and keep it as a draft").click()
    expect(page.get_by_text("Kept as a draft of your organisation.")).to_be_visible()
    shoot(page, "finished")


def cannot_be_read(page: Page) -> None:
    page.goto("/uploads/")
    page.get_by_label("Or paste a patch").fill("These are no lines of a patch.")
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_role("heading", name="It cannot be read")).to_be_visible()
    shoot(page, "upload-unread")
