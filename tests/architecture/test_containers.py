"""The production shape, as far as it can be told without a container engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_every_part_is_there_and_waits_for_parts_that_are(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {"db", "broker", "migrate", "web", "worker", "scheduler"} <= set(services)
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (ROOT / source).exists()


def test_our_parts_run_as_an_ordinary_user_and_only_migrate_knows_the_owner(compose: dict[str, Any]) -> None:
    for name in ("migrate", "web", "worker", "scheduler"):
        service = compose["services"][name]
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert ("DATABASE_OWNER_URL" in service["environment"]) is (name == "migrate")
    assert "USER backports" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("page", ["mail.md", "mail-in.md"])
def test_what_the_pages_of_mail_tell_to_set_reaches_our_parts(compose: dict[str, Any], page: str) -> None:
    rows = [line.split("|")[1] for line in (ROOT / "docs" / page).read_text().splitlines() if line.startswith("| `")]
    names = {name for cell in rows for name in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", cell)}
    assert len(names) >= 6
    for part in ("web", "worker", "scheduler"):
        given = compose["services"][part]["environment"]
        assert {name for name in names if f"${{{name}" not in str(given.get(name))} == set()


def test_no_secret_is_written_down() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for line in text.splitlines():
        if re.search(r"(PASSWORD|SECRET)\w*:", line):
            assert re.search(r"\$\{\w+:\?", line), line
    assert set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(.)", text)) == {
        (name, ":") for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "OWNER_PASSWORD", "APP_PASSWORD", "BROKER_PASSWORD")
    }
