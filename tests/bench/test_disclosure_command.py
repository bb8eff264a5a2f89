"""`manage.py bench_disclosure` on a small room: what it says of a stranger's sight is asked of the real pages."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backports.bench import room
from tests import factories
from xsa.models import Advisory, AuditRecord


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, committed_db: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    monkeypatch.setattr("backports.services.disclosing.replan_disclosed.delay", lambda _: None)
    monkeypatch.setattr(room, "BRANCHES", 2)
    monkeypatch.setattr(room, "ORGANISATIONS", 2)


@pytest.mark.usefixtures("small")
def test_the_fault_before_the_end_opens_nothing_and_the_second_time_opens_all() -> None:
    out = StringIO()
    call_command("bench_disclosure", attempts=5, stdout=out)
    lines = [line for line in out.getvalue().splitlines() if line.startswith("a stranger")]
    assert lines == [f"a stranger gets {status} at its page and at its attempts" for status in (404, 200)]
    assert "5 attempts, 4 statements" in out.getvalue()
    assert Advisory.objects.get().disclosed_at is not None
    assert AuditRecord.objects.filter(verb="disclosed").count() == 1


@pytest.mark.usefixtures("small")
def test_it_measures_on_nobodys_data() -> None:
    factories.advisory(1)
    with pytest.raises(CommandError, match="not-empty"):
        call_command("bench_disclosure", attempts=1, stdout=StringIO())
    assert Advisory.objects.count() == 1
