"""The file of compile commands, and the worker that runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.apps import apps
from django.utils import timezone

from backports import env
from backports.runtime import health, programs

KINDS = {"command": str, "seconds": int, "paths": list}


def tables(file: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    monkeypatch.setenv("COMPILE_COMMANDS", str(file))
    return env.tables("COMPILE_COMMANDS", KINDS, needed="command")


def test_tables_keep_the_order_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "compile.toml"
    file.write_text('["xen/4.1[0-7]"]\ncommand = "make"\nseconds = 60\n["xen/*"]\ncommand = "true"\npaths = ["/opt"]\n')
    found = tables(file, monkeypatch)
    assert list(found) == ["xen/4.1[0-7]", "xen/*"]
    assert found["xen/4.1[0-7]"] == {"command": "make", "seconds": 60}


def test_without_the_variable_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPILE_COMMANDS", raising=False)
    assert env.tables("COMPILE_COMMANDS", KINDS, needed="command") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "a TOML file that can be read"),
        ('command = "make"', r"\[command\] must be a table with command"),
        ("[xen]\nseconds = 5", r"\[xen\] must be a table with command"),
        ('[xen]\ncommand = "make"\nsecond = 5', "second, which means nothing; there may be command, seconds, paths"),
        ('[xen]\ncommand = "make"\nseconds = "5"', "seconds must be of the kind int"),
        ('[xen]\ncommand = "make"\nseconds = true', "seconds must be of the kind int"),
    ],
)
def test_a_mistake_is_told_with_its_place(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "compile.toml"
    file.write_text(text)
    with pytest.raises(env.BadSetting, match=told):
        tables(file, monkeypatch)


def test_a_file_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(env.BadSetting, match="No such file"):
        tables(tmp_path / "none.toml", monkeypatch)


def test_only_a_worker_of_its_own_compiles() -> None:
    usual = programs.programs(8000, 2)
    more = programs.programs(8000, 2, compiles=True)
    assert [part.name for part in more] == [*(part.name for part in usual), "compiler"]
    assert "--queues=compile" in more[-1].command
    assert not any("compile" in word for part in usual for word in part.command)


def test_a_server_whose_only_worker_compiles_is_not_well(db: None) -> None:
    heartbeat = apps.get_model("backports", "Heartbeat")
    for name in ("compile@here", "scheduler"):
        heartbeat.objects.create(name=name, seen_at=timezone.now())
    assert health.report()[1]["parts"]["worker"] == "fail"  # type: ignore[index]
    heartbeat.objects.create(name="worker@here", seen_at=timezone.now())
    assert health.report()[1]["parts"]["worker"] == "ok"  # type: ignore[index]
