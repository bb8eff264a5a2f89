from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backports.runtime import commands, loading, processes, programs


def _child(folder: Path, source: str, stop_seconds: float = 5.0) -> tuple[programs.Child, list[str]]:
    said: list[str] = []
    program = programs.Program("part", (sys.executable, "-c", source), stop_seconds)
    return programs.Child(program, folder, said.append), said


def _watch_for(child: programs.Child, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        child.watch()
        time.sleep(0.02)


def test_a_program_that_always_dies_is_given_up_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_LONGEST_PAUSE", 0.05)
    child, said = _child(tmp_path, "print('the reason'); raise SystemExit(3)")
    with pytest.raises(programs.GiveUp, match=r"(?s)ended 5 times in a row \(exit status 3\).*the reason"):
        _watch_for(child, 20)
    assert len(said) == 4


def test_a_killed_program_starts_again_and_its_children_do_not_outlive_it(tmp_path: Path) -> None:
    source = (
        "import subprocess, sys, time, pathlib\n"
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(tmp_path / 'grandchild')!r}).write_text(str(one.pid))\n"
        "time.sleep(60)"
    )
    child, said = _child(tmp_path, source)
    child.watch()
    assert processes.wait_until(lambda: _number(tmp_path / "grandchild") > 0, 10)
    grandchild = _number(tmp_path / "grandchild")
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    assert processes.wait_until(lambda: not processes.is_alive(first), 5)
    _watch_for(child, 1.5)
    assert processes.wait_until(lambda: not processes.is_alive(grandchild), 5)
    assert child.process is not None
    assert child.process.pid != first
    assert "signal 9" in said[0]
    child.stop(at_once=lambda: False)


def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    source = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    child, said = _child(tmp_path, source, stop_seconds=0.3)
    child.watch()
    assert processes.wait_until(lambda: "deaf" in child.log.read_text(), 10)
    assert child.process is not None
    pid = child.process.pid
    child.stop(at_once=lambda: False)
    assert not processes.is_alive(pid)
    assert said == ["part: killed, it did not end by itself."]


def test_programs_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    source = (
        "import pathlib, subprocess, sys, time\n"
        "from backports.runtime import processes\n"
        "child = processes.start([sys.executable, '-c', 'import time; time.sleep(60)'],\n"
        "    output=subprocess.DEVNULL, cwd=pathlib.Path('/'))\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, cwd=programs.CODE_DIR)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert processes.wait_until(lambda: not processes.is_alive(pid), 5)


def _number(path: Path) -> int:
    text = path.read_text() if path.exists() else ""
    return int(text) if text else 0


def test_what_is_loaded_once_is_not_loaded_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    first = loading.jobs(tmp_path, demo=True, xen_git="/a/clone")
    assert [job.name for job in first] == ["demo", "xen"]
    assert first[1].commands == (("add_repository", "xen", "/a/clone"), ("mine_advisories", "xen"))
    for job in first:
        job.mark.write_text(job.value + "\n")
    assert loading.jobs(tmp_path, demo=True, xen_git="/a/clone") == []
    assert [job.name for job in loading.jobs(tmp_path, demo=True, xen_git="/another")] == ["xen"]
    assert loading.jobs(tmp_path, demo=False, xen_git="") == []


def test_a_job_that_fails_is_named_and_stays_undone(tmp_path: Path) -> None:
    said: list[str] = []
    done: list[loading.Job] = []
    job = loading.Job("odd", (("no_such_command",), ("never_reached",)), tmp_path / "mark", "1")
    loader = loading.Loader([job], said.append, done.append)

    def finished() -> bool:
        loader.step()
        return any("failed" in line for line in said)

    assert processes.wait_until(finished, 60)
    assert done == []
    assert not job.is_done()
    assert not any("never_reached" in line for line in said)


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        ([], False),
        (["help"], False),
        (["migrate", "--help"], False),
        (["check", "--deploy"], False),
        (["try_patch", "a.patch"], False),
        (["serve"], False),
        (["migrate"], True),
        (["load_demo"], True),
        (["shell"], True),
    ],
)
def test_which_commands_need_the_database(arguments: list[str], needed: bool) -> None:
    assert commands.needs_database(arguments) is needed
