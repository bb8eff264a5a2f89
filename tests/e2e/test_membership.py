"""A person's way through the room in a real browser: invited, in, reading what is secret, removed, and out.

Pictures go to `tests/e2e/shots/`, as for the other pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.e2e.server import App, Server, wait_until

SHOTS = Path(__file__).parent / "shots"
ADDRESS = "engineer@member.example"
NAME = "new-engineer"
PASSWORD = "a password of four words"
NUMBER = 932
SIZES = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def person(browser: Browser, server: Server, complaints: list[str]) -> tuple[BrowserContext, Page]:
    """A browser of one's own; what its pages complain of is kept."""
    size = {"width": 1280, "height": 900}
    # Colours that change slowly would be pictured half way.
    context = browser.new_context(base_url=server.address, viewport=size, reduced_motion="reduce")
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if _complains(message) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return context, page


def _complains(message: ConsoleMessage) -> bool:
    return message.type in ("error", "warning") and not message.text.startswith("Failed to load resource")


@pytest.fixture
def pages(browser: Browser, server: Server) -> Iterator[tuple[Page, Page]]:
    """The security team's page and the newcomer's; neither may complain."""
    complaints: list[str] = []
    team, newcomer = person(browser, server, complaints), person(browser, server, complaints)
    yield team[1], newcomer[1]
    team[0].close()
    newcomer[0].close()
    assert complaints == []


def shoot(page: Page, name: str) -> None:
    """In both widths and both schemes; nothing may scroll sideways."""
    SHOTS.mkdir(exist_ok=True)
    for width, scheme in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} scrolls sideways at {width}"
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def log_in(page: Page, server: Server, username: str) -> None:
    page.goto("/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(server.password(username))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
    page.get_by_label("Code").fill(server.code(username))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def mailed_link(server: Server) -> str:
    """The link in the newest mail to the newcomer."""
    folder = server.data / "mail"
    found: list[str] = []

    def arrived() -> bool:
        texts = [path.read_text() for path in sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime)]
        found.extend(
            link for text in texts if ADDRESS in text for link in re.findall(r"http://\S+/invitation/\S+", text)
        )
        return bool(found)

    wait_until(arrived, "the invitation is mailed", 30)
    assert oct(folder.stat().st_mode)[-3:] == "700"
    return found[-1]


def embargoed(server: Server) -> str:
    """The address of an embargoed advisory of the demo, which strangers do not find."""
    numbers = server.manage("shell", "--verbosity=0", "--command", EMBARGOED).split()
    path = f"/advisories/{numbers[-1]}/"
    assert server.get(path)[0] == 404
    return path


EMBARGOED = """
from xsa.identity import everything
from xsa.models import Advisory
with everything("command"):
    print(Advisory.objects.filter(disclosed_at=None).latest("number").number)
"""


def test_invited_enrolled_reading_removed(pages: tuple[Page, Page], server: Server) -> None:
    team, newcomer = pages
    secret = embargoed(server)
    title = invite(team, server)
    enrol(newcomer, mailed_link(server))
    newcomer.goto(secret)
    heading = newcomer.get_by_role("heading", level=1)
    expect(heading).to_be_visible()
    shown = heading.inner_text()
    shoot(newcomer, "member-reads")
    remove(team, title)
    finds_nothing(newcomer, server, secret, shown)


def invite(team: Page, server: Server) -> str:
    log_in(team, server, "security-team")
    team.goto("/organisations/")
    shoot(team, "organisations")
    team.get_by_role("link", name="Example Distribution").click()
    team.get_by_label("Mail address").fill(ADDRESS)
    team.get_by_label("Security contact: sees").check()
    team.get_by_role("button", name="Invite", exact=True).click()
    expect(team.get_by_text(f"An invitation goes to {ADDRESS}.")).to_be_visible()
    shoot(team, "organisation-people")
    reachable(team, "Remove member-one")
    return team.url


def reachable(page: Page, name: str) -> None:
    """What is done in a row of a table stands on a narrow screen, and not beyond its edge."""
    page.set_viewport_size({"width": 390, "height": 900})
    box = page.get_by_role("button", name=name).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def enrol(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_role("heading", name="Invitation")).to_be_visible()
    shoot(page, "invitation")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Open the account").click()
    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
    expect(page.get_by_text("You proved no second factor")).to_be_visible()
    shoot(page, "second-factor")
    app = App(page.locator("code.key").inner_text())
    page.get_by_label("Code from your app").fill(app.code())
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".codes li")).to_have_count(10)
    shoot(page, "recovery-codes")
    page.goto("/account/")
    shoot(page, "account")
    for name in ("sessions", "password"):
        page.goto(f"/account/{name}/")
        shoot(page, name)
    page.goto("/tokens/")
    page.get_by_label("Name").fill("nightly")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("it is shown this once")).to_be_visible()
    shoot(page, "tokens")
    reachable(page, "End now nightly")


def remove(team: Page, address: str) -> None:
    team.goto(address)
    team.get_by_role("button", name=f"Remove {NAME}").click()
    expect(team.get_by_text(f"{NAME} was removed")).to_be_visible()


def finds_nothing(page: Page, server: Server, secret: str, title: str) -> None:
    page.goto(secret)
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    assert title not in page.content()
    page.goto("/login/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()


def test_a_passkey_is_a_second_factor(pages: tuple[Page, Page], server: Server) -> None:
    _, page = pages
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    ready = {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, **ready}})
    server_by_name = server.address.replace("127.0.0.1", "localhost")
    page.goto(f"{server_by_name}/login/")
    page.get_by_label("Username").fill("public-only")
    page.get_by_label("Password").fill(server.password("public-only"))
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code").fill(server.code("public-only"))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.goto(f"{server_by_name}/account/keys/add/")
    page.get_by_label("Code").fill(server.code("public-only"))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Name")).to_have_value("Passkey 1")
    shoot(page, "passkey")
    page.get_by_role("button", name="Add it").click()
    expect(page).to_have_url(re.compile("/account/"))
    page.get_by_role("button", name="Log out").click()
    page.goto(f"{server_by_name}/login/")
    page.get_by_label("Username").fill("public-only")
    page.get_by_label("Password").fill(server.password("public-only"))
    page.get_by_role("button", name="Log in").click()
    shoot(page, "login-second-factor")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.get_by_text("You proved no second factor")).to_have_count(0)


def test_an_announced_advisory_is_rehearsed_and_opened_to_everyone(pages: tuple[Page, Page], server: Server) -> None:
    team, stranger = pages
    stranger.goto("/advisories/")
    stranger.locator("section.take").get_by_role("link").click()
    expect(stranger.get_by_text("Disclosure is planned for")).to_be_visible()
    shoot(stranger, "announced")
    log_in(team, server, "security-team")
    need_to_know(team)
    team.goto(stranger.url)
    title = team.get_by_role("heading", level=1).inner_text()
    assert title not in stranger.content()
    state(team)
    team.get_by_role("link", name="Rehearse or make the disclosure").click()
    expect(team.get_by_role("heading", name="Disclosure: a rehearsal")).to_be_visible()
    expect(team.get_by_role("button", name="Disclose now")).to_be_disabled()
    shoot(team, "disclosure")
    team.get_by_label("Where it is public").fill("posted to a public list")
    team.get_by_role("button", name="Disclose what is public").click()
    expect(team.get_by_text("What is public stays public")).to_be_visible()
    shoot(team, "disclosed")
    stranger.reload()
    expect(stranger.get_by_role("heading", level=1)).to_have_text(title)
    expect(stranger.get_by_text("How far members are")).to_have_count(0)


def need_to_know(team: Page) -> None:
    team.goto("/organisations/")
    team.get_by_role("link", name="Example Distribution").click()
    team.get_by_role("link", name="Need to know").click()
    expect(team.get_by_role("heading", name="Need to know", level=1)).to_be_visible()
    shoot(team, "need-to-know")


def state(team: Page) -> None:
    """The security team is no member of the list: it reads what members say, and they have said nothing."""
    expect(team.get_by_role("heading", name="How far members are")).to_be_visible()
    expect(team.get_by_text("has said nothing").first).to_be_visible()
    shoot(team, "advisory-embargoed")
