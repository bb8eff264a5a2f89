"""One server with the demo, and one browser, for all tests here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.server import Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--metrics-recording-only",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Stopped by Ctrl-C at the end, which must end it well."""
    folder = Path(tempfile.mkdtemp(prefix="backports-e2e-"))
    folder.chmod(0o711)
    running = Server(folder / "data", folder / "output.txt")
    running.start()
    try:
        running.wait_until_loaded()
        yield running
    finally:
        status = running.stop()
        output = running.output.read_text()
        shutil.rmtree(folder, ignore_errors=True)
    assert status == 0, output


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; none is ever downloaded."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "There is no Chromium. Install it: apt-get install --no-install-recommends chromium"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*QUIET, *sandbox])
        yield started
        started.close()
