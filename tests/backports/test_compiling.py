"""Results that are compiled in a real sandbox, after their attempts and beside them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backports.models import Attempt, Compilation
from backports.services import compiling
from backports.services.compiling import compile_attempt, sweep_compilations
from backports.services.recipes import recipe_for
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, guard

PICK: Edits = {"common/table.c": [guard("table_pick")]}
SAME = 'echo "common/table.c:9:1: warning: it was always so"'


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(compiling, "message", lambda pk: found.append(str(pk)))
    return found


@pytest.fixture
def commands(settings: Any, tmp_path: Any) -> dict[str, dict[str, Any]]:
    settings.COMPILE_COMMANDS = {"toy/4.1": {"command": "true", "seconds": 60}}
    settings.COMPILE_SCRATCH = tmp_path / "compile"
    return settings.COMPILE_COMMANDS


@pytest.fixture
def applied(workshop: Workshop, sent: list[str], commands: object) -> Attempt:
    """An advisory applied on every branch; only 4.1 has a command."""
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", PICK, "table: check")})
    workshop.work()
    cell = workshop.cell(950, "4.1")
    assert (cell.outcome, cell.confidence) == ("applied", "high")
    return cell


def compiled(attempt: Attempt) -> Attempt:
    sweep_compilations()
    compile_attempt(str(attempt.pk))
    attempt.refresh_from_db()
    return attempt


def first_build_is_fine(what: str) -> str:
    """A command that does `what` in the second build only."""
    return f"{SAME}; if test -e .built; then {what}; fi; touch .built"


def test_only_branches_with_a_command_are_compiled(applied: Attempt, sent: list[str]) -> None:
    assert sweep_compilations() == 1
    assert sent == [str(applied.pk)]
    assert list(Compilation.objects.values_list("attempt", "state")) == [(applied.pk, "waiting")]
    assert sweep_compilations() == 0


def test_without_commands_nothing_is_looked_for(applied: Attempt, sent: list[str], settings: Any) -> None:
    settings.COMPILE_COMMANDS = {}
    assert sweep_compilations() == 0
    assert not Compilation.objects.exists()
    assert compile_attempt(str(applied.pk)) == ""


def test_a_result_that_compiles_stays_as_it_was(applied: Attempt, commands: dict[str, Any]) -> None:
    commands["toy/4.1"]["command"] = SAME
    before = (applied.confidence, applied.reasons, applied.evidence.get("flags"))
    found = compiled(applied).evidence["compile"]
    assert (found["state"], found["diagnostics"], found["code"]) == ("clean", [], "")
    assert (applied.confidence, applied.reasons, applied.evidence.get("flags")) == before
    assert Compilation.objects.get(pk=applied.pk).state == "done"


def test_new_diagnostics_are_evidence_a_flag_and_a_reason_to_review(applied: Attempt, commands: dict[str, Any]) -> None:
    commands["toy/4.1"]["command"] = first_build_is_fine("echo 'common/table.c:7:3: error: no member named limit'")
    found = compiled(applied).evidence
    told = {"path": "common/table.c", "line": 7, "kind": "error", "message": "no member named limit"}
    assert found["compile"]["diagnostics"] == [told]
    assert found["compile"]["state"] == "new-diagnostics"
    flag = found["flags"][-1]
    assert (flag["code"], flag["path"], flag["lines"]) == ("does-not-compile", "common/table.c", [7])
    assert applied.confidence == "review"
    assert applied.reasons[-1] == "the compiler gives 1 error with the patch that it does not give without it."
    assert found["patches"]


def test_a_result_that_does_not_compile_is_no_source_for_the_branch_below(
    applied: Attempt, workshop: Workshop, commands: dict[str, Any]
) -> None:
    newer = workshop.cell(950, "4.2")
    built_on = {"above": newer.result, "source_attempt": newer, "confidence": "review"}
    Attempt.objects.filter(pk=applied.pk).update(**built_on)
    commands["toy/4.2"] = {"command": first_build_is_fine("exit 3"), "seconds": 60}
    workshop.sent.clear()
    compiled(newer)
    assert newer.confidence == "review"
    assert (950, "4.1") in workshop.waiting_cells()
    assert str(workshop.cell(950, "4.1").pk) in workshop.sent
    workshop.work()
    assert workshop.cell(950, "4.1").source_attempt_id is None
    assert workshop.waiting_cells() == set()


def test_a_build_that_fails_without_saying_why_is_new_too(applied: Attempt, commands: dict[str, Any]) -> None:
    commands["toy/4.1"]["command"] = first_build_is_fine("echo no reason; exit 3")
    found = compiled(applied).evidence["compile"]
    assert (found["state"], found["diagnostics"]) == ("new-diagnostics", [])
    assert "no reason" in found["last"]
    assert applied.confidence == "review"


@pytest.mark.parametrize(
    ("command", "state", "code"),
    [("exit 3", "failed-before", "fails-already"), ("sleep 60", "not-run", "too-slow")],
)
def test_no_answer_takes_nothing_from_the_result(
    command: str, state: str, code: str, applied: Attempt, commands: dict[str, Any]
) -> None:
    commands["toy/4.1"] |= {"command": command, "seconds": 1}
    found = compiled(applied).evidence["compile"]
    assert (found["state"], found["code"]) == (state, code)
    assert applied.confidence == "high"


def test_a_machine_without_a_sandbox_says_so_and_compiles_nothing(
    applied: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise compiling.GitError("sandbox-forbidden", "The kernel forbids it.")

    monkeypatch.setattr(compiling, "compile_change", refuse)
    found = compiled(applied).evidence["compile"]
    assert (found["state"], found["code"], found["reason"]) == (
        "not-run",
        "sandbox-forbidden",
        "The kernel forbids it.",
    )
    assert applied.confidence == "high"


def test_a_message_that_comes_twice_or_for_an_old_attempt_changes_nothing(applied: Attempt) -> None:
    compiled(applied)
    before = Attempt.objects.filter(pk=applied.pk).values().get()
    assert compile_attempt(str(applied.pk)) == ""
    assert Attempt.objects.filter(pk=applied.pk).values().get() == before
    Compilation.objects.update(state="waiting")
    Attempt.objects.filter(pk=applied.pk).update(current=False)
    assert compile_attempt(str(applied.pk)) == ""
    assert sweep_compilations() == 0


def test_two_workers_cannot_take_the_same_and_a_dead_one_is_not_followed(applied: Attempt, sent: list[str]) -> None:
    sweep_compilations()
    recipe = recipe_for(applied.branch)
    assert recipe is not None
    assert compiling._claim(applied, recipe) is not None
    assert compile_attempt(str(applied.pk)) == ""
    Compilation.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert sweep_compilations() == 0
    applied.refresh_from_db()
    assert applied.evidence["compile"]["code"] == "worker-lost"
    assert Compilation.objects.get(pk=applied.pk).state == "done"


def test_a_lost_message_is_sent_again_after_its_time(applied: Attempt, sent: list[str]) -> None:
    sweep_compilations()
    Compilation.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert sweep_compilations() == 1
    assert sent == [str(applied.pk)] * 2


def test_logs_tell_ids_and_codes_and_nothing_of_a_source(
    applied: Attempt, commands: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    commands["toy/4.1"]["command"] = first_build_is_fine("echo 'common/table.c:7:3: error: secret words'")
    with caplog.at_level(logging.DEBUG, logger="backports"):
        compiled(applied)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert f"attempt={applied.pk} state=new-diagnostics" in told
    assert "secret" not in told
    assert "table.c" not in told


def test_nothing_of_the_tree_is_left_on_the_disk(applied: Attempt, settings: Any) -> None:
    compiled(applied)
    assert list(settings.COMPILE_SCRATCH.iterdir()) == []


def test_the_first_pattern_that_fits_gives_the_command(workshop: Workshop, settings: Any) -> None:
    settings.COMPILE_COMMANDS = {
        "toy/4.[12]": {"command": "old", "seconds": 5, "memory_mb": 100, "paths": ["/opt/old"]},
        "toy/*": {"command": "any"},
        "toy/4.1": {"command": "never"},
    }
    found = {one.name: recipe_for(one) for one in workshop.repository.branches.all()}
    assert {name: recipe.command for name, recipe in found.items() if recipe}["4.1"] == "old"
    assert found["4.3"] is not None
    assert found["4.3"].command == "any"
    assert found["4.1"] is not None
    assert (found["4.1"].limits.seconds, found["4.1"].limits.memory) == (5, 100 << 20)
    assert [str(path) for path in found["4.1"].shown] == ["/opt/old"]
