"""From ingest to download in a real browser, on the server that `make run` starts.

Pictures of the pages go to `tests/e2e/shots/`; the README's is one of them:
`cp tests/e2e/shots/matrix-1280-light.png docs/img/matrix.png`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

from tests.backports.toy import git, replaced
from tests.e2e.server import Server
from tests.xsa.samples import advisory

NUMBER, NOBODYS = 930, 931
TITLE = "length of no text at all"
FILE = "common/lib.c"
LINE = "    while (length < limit && text[length])\n"
FIX = (LINE, f"    if (!text)\n        return 0;\n\n{LINE}")
SHOTS = Path(__file__).parent / "shots"
LIVE_MS = 20_000
PAGES = {"matrix": "/", "branch": "/r/demo/branches/4.1/", "queue": "/queue/", "advisory": "/advisories/901/"}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=server.address, viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that must not complain: no script error, nothing that the content policy had to stop."""
    complaints: list[str] = []
    made = context.new_page()
    made.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("response", lambda answer: complaints.append(answer.url) if is_broken_part(answer) else None)
    yield made
    assert complaints == []


def is_complaint(message: ConsoleMessage) -> bool:
    """Pages that a test must not get are told as failed resources too."""
    return message.type in ("error", "warning") and not message.text.startswith("Failed to load resource")


def is_broken_part(answer: Response) -> bool:
    """A style, script or fragment that the page asked for and did not get."""
    return answer.status >= 400 and answer.request.resource_type != "document"


@pytest.fixture
def clone(server: Server, tmp_path: Path) -> Path:
    """A distribution's own clone of the demo project, on its 4.1 branch."""
    git(tmp_path, "clone", "--quiet", "--branch", "stable-4.1", str(server.data / "demo" / "project.git"), "clone")
    return tmp_path / "clone"


def new_advisory(clone: Path, folder: Path) -> Path:
    """An advisory of our own about the demo project, in the published layout, in a directory."""
    folder.mkdir()
    git(clone, "checkout", "--quiet", "--detach", "origin/master")
    source = clone / FILE
    source.write_text(replaced(source.read_text(), [FIX]))
    author = ("-c", "user.name=Security Engineer One", "-c", "user.email=one@example.org")
    git(clone, *author, "commit", "--quiet", "--all", "--message", "lib: measure no text\n\nIt has no length.")
    name = f"xsa{NUMBER}.patch"
    files = {name: git(clone, "format-patch", "--stdout", "-1")}
    git(clone, "checkout", "--quiet", "stable-4.1")
    for path, data in advisory(NUMBER, title=TITLE, lines=f"{name}    xen-unstable", files=files).items():
        (folder / path).write_bytes(data)
    return folder


def log_in(page: Page, server: Server, username: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(server.password(username))
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code").fill(server.code(username))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text(username)).to_be_visible()


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def test_an_embargoed_advisory_from_ingest_to_download(page: Page, server: Server, clone: Path, tmp_path: Path) -> None:
    directory = new_advisory(clone, tmp_path / "in")
    log_in(page, server, "member-one")
    with server.workers_asleep():
        said = server.manage("ingest", str(directory), "--project", "demo", "--planned", "2031-12-01T12:00Z")
        assert f"XSA-{NUMBER} v1: new" in said
        page.goto("/")
        cell = page.locator(f"#c{NUMBER}-401")
        waiting = cell.inner_text()
        page.evaluate("window.stays = true")
        shoot(page, "matrix-waiting")
    expect(cell).not_to_have_text(waiting, timeout=LIVE_MS)
    expect(cell).to_contain_text(re.compile("exact|offset"))
    expect(page.locator("#progress")).not_to_have_attribute("hx-get", re.compile("."), timeout=LIVE_MS)
    assert page.evaluate("window.stays"), "the page was loaded anew; it should have filled by itself"
    shoot(page, "matrix-filled")

    cell.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.locator("#attempt")).to_contain_text("applied")
    shoot(page, "attempt")
    attempt = page.url.removeprefix(server.address)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the patch").click()
    patch = tmp_path / download.value.suggested_filename
    download.value.save_as(patch)
    assert patch.name == f"xsa{NUMBER}-4.1.patch"
    before = (clone / FILE).read_text()
    git(clone, "am", "--quiet", str(patch))
    assert (clone / FILE).read_text() == replaced(before, [FIX])
    assert b"Security Engineer One" in git(clone, "log", "-1", "--format=%an")

    page.get_by_role("link", name=f"XSA-{NUMBER}", exact=True).first.click()
    expect(page.locator(".strip li")).to_have_count(8)
    page.get_by_role("link", name="4.1", exact=True).first.click()
    expect(page.get_by_role("link", name=f"XSA-{NUMBER}", exact=True)).to_be_visible()
    shoot(page, "branch-member")

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    strangers_see_nothing(page, server, attempt, hashlib.sha256(patch.read_bytes()).hexdigest())


def strangers_see_nothing(page: Page, server: Server, attempt: str, digest: str) -> None:
    for path in (
        "/",
        "/r/demo/",
        "/r/demo/?text=length",
        "/r/demo/branches/4.1/",
        "/advisories/",
        "/queue/",
        "/files/unread/",
    ):
        page.goto(path)
        shown = page.content()
        assert f"XSA-{NUMBER}" not in shown, path
        assert TITLE not in shown, path
        assert digest not in shown, path
    random = "00000000-0000-4000-8000-000000000000"
    known = attempt.strip("/").rpartition("/")[2]
    pairs = (
        (f"/advisories/{NUMBER}/", f"/advisories/{NOBODYS}/"),
        (attempt, attempt.replace(known, random)),
        (f"{attempt}result.patch", f"{attempt}result.patch".replace(known, random)),
    )
    for secret, nobodys in pairs:
        assert server.get(secret) == server.get(nobodys), secret
        assert server.get(secret)[0] == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_wide_and_narrow_in_light_and_dark(browser: Browser, server: Server, width: int, scheme: str) -> None:
    context = browser.new_context(
        base_url=server.address,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=1,
    )
    page = context.new_page()
    for name, path in PAGES.items():
        answer = page.goto(path)
        assert answer is not None
        assert answer.ok, path
        shoot(page, f"{name}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls sideways"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3
    assert (lightness < 128) == (scheme == "dark"), background
    context.close()


def test_the_demo_shows_every_outcome_of_this_ladder_to_a_member(page: Page, server: Server) -> None:
    log_in(page, server, "member-one")
    for outcome in (
        "fixed-upstream",
        "already-applied",
        "applied",
        "partly-applied",
        "not-affected",
        "needs-prerequisite",
        "conflict",
        "malformed",
    ):
        page.goto(f"/r/demo/?outcome={outcome}")
        expect(page.locator("table.matrix tbody tr").first).to_be_visible()


def test_every_page_is_useful_without_script(browser: Browser, server: Server) -> None:
    context = browser.new_context(base_url=server.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Number, title or CVE").fill("901")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("table.matrix tbody tr")).to_have_count(1)
    page.locator("#c901-401 a").click()
    expect(page.locator("#attempt")).to_be_visible()
    context.close()
