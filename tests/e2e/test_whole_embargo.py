"""A whole embargo in real browsers: two organisations and the security team, and a stranger who looks at each step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import embargo
from tests.e2e.embargo import CONFLICT, OTHER, Stranger
from tests.e2e.server import Server
from tests.e2e.test_membership import log_in, person, shoot

NUMBER = 940
LIVE_MS = 60_000
ONE, TWO, TEAM, TEAM_TOO = "member-one", "member-two", "security-team", "security-two"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass
class Room:
    """Who takes part, each with a browser of their own, and who does not."""

    server: Server
    pages: dict[str, Page]
    stranger: Stranger

    def page(self, name: str, path: str) -> Page:
        """A person's page, at an address."""
        self.pages[name].goto(path)
        return self.pages[name]

    def advisory(self, name: str) -> Page:
        """The advisory's page, as a person has it."""
        return self.page(name, f"/advisories/{self.stranger.number}/")

    def path(self, page: Page) -> str:
        """Where a page is, without the server's name."""
        return page.url.removeprefix(self.server.address).split("#")[0].split("?")[0]


@pytest.fixture
def room(browser: Browser, server: Server) -> Iterator[Room]:
    """Nobody's page may complain."""
    embargo.colleague(server, TEAM_TOO)
    complaints: list[str] = []
    people = {name: person(browser, server, complaints) for name in (ONE, TWO, TEAM, TEAM_TOO)}
    for name, (_, page) in people.items():
        log_in(page, server, name)
    yield Room(server, {name: page for name, (_, page) in people.items()}, Stranger(server, NUMBER))
    for context, _ in people.values():
        context.close()
    assert complaints == []


def test_from_the_arrival_to_what_everyone_reads(room: Room, tmp_path: Path) -> None:
    embargo.arrive(room.server, tmp_path, NUMBER)
    attempt = tried(room)
    claimed(room)
    finished = finish(room, attempt)
    backport = uploaded(room, finished)
    shared(room, finished, backport)
    reviewed(room, backport, "Needs changes", "The length is looked at too late.", "0 of 2")
    renewed(room, backport)
    checked(room, backport)
    agreed(room, backport)
    disclosed(room, (attempt, finished, backport))
    public(room, finished, backport)


def tried(room: Room) -> str:
    """The advisory arrived; its cells fill while a member looks. Returns the attempt that left a conflict."""
    page = room.page(ONE, "/r/demo/")
    cell = page.locator(f"#c{NUMBER}-{CONFLICT.replace('.', '0')}")
    expect(cell).to_contain_text(re.compile("1/2|needs|after"), timeout=LIVE_MS)
    cell.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(embargo.TITLE)
    expect(page.get_by_role("link", name="Finish it by hand")).to_be_visible()
    room.stranger.finds_nothing(room.path(page), f"{room.path(page)}result.patch")
    return room.path(page)


def claimed(room: Room) -> None:
    """One organisation is on two branches; the other sees that, and that it is not alone before it begins."""
    for name in (ONE, TWO):
        form = room.advisory(name).get_by_role("form", name="Say that you are on it")
        form.get_by_label("From").select_option(label=f"demo {OTHER}")
        form.get_by_label("To", exact=True).select_option(label=f"demo {CONFLICT}")
        form.get_by_label("Until, UTC").fill(embargo.in_two_days())
        form.get_by_role("button", name="We are on it").click()
    page = room.pages[TWO]
    expect(page.get_by_role("heading", name="Others are on it")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Example Distribution")
    shoot(page, "claim-taken")
    page.get_by_role("link", name="Leave it to them").click()
    expect(page.get_by_role("region", name="Claims")).to_contain_text("Example Distribution")
    shoot(page, "claims")
    room.stranger.finds_nothing()


def finish(room: Room, attempt: str) -> str:
    """The conflict is answered in one's own words; returns the draft, which nobody else finds."""
    page = room.page(ONE, attempt)
    page.get_by_role("link", name="Finish it by hand").click()
    page.get_by_label("As written below").check()
    page.get_by_label("The lines, to write them yourself").fill(embargo.FINISHED)
    page.get_by_role("button", name="Try it and keep it as a draft").click()
    expect(page.get_by_text("Kept as a draft of your organisation.")).to_be_visible()
    expect(page.locator("#verdict")).to_contain_text("applied")
    draft = room.path(page)
    hidden(room, draft)
    return draft


def hidden(room: Room, *paths: str) -> None:
    """Another organisation finds a draft no more than a stranger does."""
    room.stranger.finds_nothing(*paths)
    for path in paths:
        expect(room.page(TWO, path).get_by_role("heading", name="There is nothing here")).to_be_visible()


def patch_of(room: Room, backport: str) -> str:
    """The patch of a backport's newest version, as its page offers it."""
    page = room.page(ONE, backport)
    link = page.locator("#take ~ dl.downloads a.button").first.get_attribute("href")
    return page.request.get(str(link)).text()


def uploaded(room: Room, finished: str) -> str:
    """What was finished for one branch fits the next; its first version says too little."""
    text = patch_of(room, finished)
    return upload(room, text.replace("+    if (!text)", "+    if (!limit)"), "v1")


def upload(room: Room, text: str, version: str) -> str:
    """A pasted patch, confirmed; returns the backport's page."""
    page = room.page(ONE, f"/uploads/?advisory={NUMBER}")
    page.get_by_label("Or paste a patch").fill(text)
    page.get_by_role("button", name="Send it").click()
    room.stranger.finds_nothing(room.path(page))
    page.get_by_label("Branch").select_option(label=f"demo {OTHER}")
    page.get_by_role("button", name="Keep it as a draft").click()
    expect(page.locator("#verdict")).to_contain_text(version)
    expect(page.locator("#verdict")).to_contain_text("applied")
    return room.path(page).rsplit("v", 1)[0]


def shared(room: Room, finished: str, backport: str) -> None:
    """Shared with the room, and with nobody else; the uploads ended what was claimed."""
    hidden(room, backport)
    for path in (finished, backport):
        room.page(ONE, path).get_by_role("button", name="Share with the room").click()
        expect(room.pages[ONE].get_by_text("The room reads it now.")).to_be_visible()
    page = room.advisory(TWO)
    expect(page.get_by_text("No organisation says that it is on a branch.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Example Distribution v1"))).to_have_count(2)
    shoot(page, "advisory-shared")
    room.stranger.finds_nothing(finished, backport)


def reviewed(room: Room, backport: str, verdict: str, text: str, standing: str, name: str = TWO) -> None:
    page = room.page(name, backport)
    form = page.get_by_role("form", name=re.compile(r"Review v\d"))
    form.get_by_label("Verdict").select_option(label=verdict)
    form.get_by_label("Text").fill(text)
    form.get_by_role("button", name=re.compile("Review v")).click()
    expect(page.get_by_text("The others can read it now.")).to_be_visible()
    expect(page.locator("#reviews + p")).to_contain_text(f"{standing} other organisations approve")
    room.stranger.finds_nothing(backport)


def renewed(room: Room, backport: str) -> None:
    """The second version changes what was reviewed, so that the review is stale."""
    text = patch_of(room, backport).replace("+    if (!limit)", "+    if (!text)")
    assert upload(room, text, "v2") == backport
    page = room.page(TWO, backport)
    expect(page.get_by_text("stale: changed since")).to_be_visible()
    shoot(page, "reviews")


def checked(room: Room, backport: str) -> None:
    """The branch wants a check; a robot with a token for this cell says that it began, then that it passed."""
    page = room.page(TEAM, f"/r/demo/branches/{OTHER}/")
    page.get_by_label("Required checks, one a line").fill("build")
    page.get_by_role("button", name="Require these").click()
    expect(page.get_by_text("Backports on this branch want these checks from now on.")).to_be_visible()
    page = room.page(ONE, backport)
    expect(page.get_by_text(f"Not all that {OTHER} requires passed yet.")).to_be_visible()
    address = f"{room.server.address}/api/v1/versions/{version_of(page)}/checks/"
    token = robot(room.page(ONE, "/tokens/"))
    for state in ("pending", "success"):
        answer = post(page, address, token, {"name": "build", "state": state, "summary": f"{state} on a robot"})
        room.stranger.finds_nothing(f"/checks/{answer}/", f"/checks/{answer}/log.txt")
    page = room.page(TWO, backport)
    expect(page.get_by_text(f"All that {OTHER} requires passed.")).to_be_visible()
    shoot(page, "backport-checked")
    page.get_by_role("region", name="Checks").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Check build")).to_be_visible()
    shoot(page, "check")


def version_of(page: Page) -> str:
    """The id of the version that a page shows."""
    href = page.locator("#take ~ dl.downloads a.button").first.get_attribute("href") or ""
    return href.split("/")[2]


def robot(page: Page) -> str:
    """A token that reports checks of this one cell; it is shown once."""
    page.get_by_label("Name", exact=True).fill("builder")
    page.get_by_label("Used by").select_option(label="a robot")
    page.get_by_label("report checks").check()
    page.get_by_label("Advisories").fill(str(NUMBER))
    page.get_by_label("Branches").fill(OTHER)
    page.get_by_label("Embargoed material too").check()
    page.get_by_role("button", name="Make the token").click()
    return page.locator("code.key").inner_text()


def post(page: Page, address: str, token: str, fields: dict[str, str]) -> str:
    """A check with a log, by a program that has no session; returns the check's id."""
    log = {"name": "build.log", "mimeType": "text/plain", "buffer": f"cc -c lib.c: {fields['state']}\n".encode()}
    with_token = page.context.browser.new_context()  # type: ignore[union-attr] # it is the fixture's
    answer = with_token.request.post(
        address, headers={"Authorization": f"Token {token}"}, multipart={**fields, "log": log}
    )
    assert answer.status == 201, answer.text()
    body = answer.json()
    with_token.close()
    return str(body["id"])


def agreed(room: Room, backport: str) -> None:
    """Two other organisations approve."""
    reviewed(room, backport, "Approve", "Builds and boots.", "1 of 2")
    expect(room.pages[TWO].get_by_text("Not enough yet")).to_be_visible()
    reviewed(room, backport, "Approve", "Reads right.", "2 of 2", TEAM)
    expect(room.pages[TEAM].get_by_text("Enough approve")).to_be_visible()
    page = room.page(TWO, f"/advisories/{NUMBER}/timeline/")
    expect(page.locator("ol.timeline")).to_contain_text("Example Hosting Provider says of v2: approves")
    shoot(page, "timeline")
    page.get_by_role("button", name="I have seen this").click()
    expect(page.get_by_text("Nothing is new since you last looked.")).to_be_visible()


def disclosed(room: Room, paths: tuple[str, ...]) -> None:
    """One of the security team asks, and cannot confirm; until another one does, nothing is open."""
    step = f"/advisories/{NUMBER}/disclosure/"
    page = room.page(TEAM, step)
    page.get_by_label("Reason").first.fill("the planned day")
    page.get_by_role("button", name="Ask another person to confirm").click()
    expect(page.get_by_role("button", name="Confirm: disclose now")).to_be_disabled()
    room.stranger.finds_nothing(step, *paths)
    page = room.page(TEAM_TOO, step)
    page.get_by_role("button", name="Confirm: disclose now").click()
    expect(page.get_by_text(f"XSA-{NUMBER} is disclosed.")).to_be_visible()


def public(room: Room, finished: str, backport: str) -> None:
    """Everyone reads the advisory, both backports, and takes them away; what was said among members stays there."""
    room.stranger.reads(f"/advisories/{NUMBER}/", embargo.TITLE, "Example Distribution")
    for path in (finished, backport):
        body = room.stranger.reads(path, embargo.TITLE, "Take v")
        assert b"Withdraw" not in body
    context, page = person(room.pages[ONE].context.browser, room.server, [])  # type: ignore[arg-type]
    page.goto(f"/advisories/{NUMBER}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(embargo.TITLE)
    expect(page.get_by_role("heading", name="Who is on it")).to_have_count(0)
    page.get_by_role("link", name=re.compile("Example Distribution v2")).click()
    expect(page.locator("#patches ~ .patch .line.add").first).to_be_visible()
    with page.expect_download() as download:
        page.locator("#take ~ dl.downloads a.button").first.click()
    assert "if (!text)" in Path(download.value.path()).read_text()
    shoot(page, "backport-public")
    context.close()
