"""What the production's own settings do to cookies, transport and errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client

from backports.runtime.embedded import CODE_DIR
from tests import factories

PRINTED = """
import json
from backports import settings
names = [name for name in dir(settings) if name.startswith(("SECURE_", "SESSION_COOKIE_", "CSRF_")) or name == "DEBUG"]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a process that is started for production, as far as cookies and transport go."""
    own = {"PRODUCTION": "1", "ALLOWED_HOSTS": "room.example", "SECRET_KEY": "k" * 50}
    data = {"DATA": str(tmp_path_factory.mktemp("data")), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", PRINTED], cwd=CODE_DIR, env=own | data, capture_output=True, check=True, timeout=60
    )
    return dict(json.loads(done.stdout))


@pytest.fixture
def production(printed: dict[str, Any], settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["room.example"]
    for name, value in printed.items():
        setattr(settings, name, value)


@pytest.mark.usefixtures("production")
def test_every_cookie_is_this_hosts_alone_and_out_of_scripts_reach(db: None) -> None:
    client = Client(headers={"host": "room.example"})
    cookies = dict(client.get("/login/", secure=True).cookies)
    factories.person("engineer")
    form = {"login": "engineer", "password": "a long enough password"}
    cookies |= dict(client.post("/login/", form, secure=True).cookies)
    assert set(cookies) == {"__Host-csrftoken", "__Host-sessionid"}
    for cookie in cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
        assert cookie["samesite"] == "Lax"


@pytest.mark.usefixtures("production")
def test_browsers_are_told_to_come_by_tls_for_a_year_and_led_there(db: None) -> None:
    client = Client(headers={"host": "room.example"})
    told = client.get("/", secure=True)["Strict-Transport-Security"]
    assert told == "max-age=31536000; includeSubDomains; preload"
    answer = client.get("/advisories/")
    assert (answer.status_code, answer["Location"]) == (301, "https://room.example/advisories/")


def test_production_shows_no_traces(printed: dict[str, Any]) -> None:
    assert printed["DEBUG"] is False
