"""The runner: what it starts, what it refuses, and what its errors say."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest

from backports.git.errors import GitError
from backports.git.runner import refuse_option, run_git, without_credentials, without_paths


def test_output_comes_back_as_bytes(project) -> None:
    oid = project.commit("first")
    assert run_git(["rev-parse", "refs/heads/master"], git_dir=project.path) == oid.encode() + b"\n"


def test_a_large_input_and_a_large_output_do_not_block_each_other(project) -> None:
    oid = project.commit("first", {"big": b"x" * 1000})
    asked = f"{oid}\n".encode() * 8_000
    answer = run_git(["cat-file", "--batch-check"], git_dir=project.path, input=asked)
    assert answer.count(b"\n") == 8_000


def test_a_folder_that_is_no_repository_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        run_git(["log"], git_dir=tmp_path)
    assert caught.value.code == "not-a-repository"


def test_an_unknown_commit_is_named_so(project) -> None:
    project.commit("first")
    with pytest.raises(GitError) as caught:
        run_git(["log", "0123456789" * 4], git_dir=project.path)
    assert caught.value.code == "no-such-commit"


def test_a_slow_git_is_stopped_with_all_that_it_started(project, tmp_path: Path) -> None:
    project.commit("first")
    seen = tmp_path / "pid"
    with pytest.raises(GitError) as caught:
        run_git(["-c", f"alias.wait=!echo $$ > '{seen}'; sleep 600", "wait"], git_dir=project.path, timeout=1.0)
    assert caught.value.code == "timeout"
    assert not _is_running(int(seen.read_text()))


def _is_running(pid: int) -> bool:
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.05)
    return True


def test_too_much_output_is_an_error_and_not_memory(project) -> None:
    project.commit("first", {"big": b"x" * 200_000})
    with pytest.raises(GitError) as caught:
        run_git(["cat-file", "blob", "master:big"], git_dir=project.path, output_limit=100_000)
    assert caught.value.code == "too-large"


def test_the_callers_environment_and_configuration_do_not_reach_git(project, tmp_path, monkeypatch) -> None:
    config = tmp_path / "config"
    config.write_text("[user]\n\tname = Somebody\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Somebody else\n")
    listed = run_git(["config", "--list"], git_dir=project.path)
    assert b"user.name" not in listed
    assert b"core.hookspath=/dev/null" in listed


def test_hooks_of_a_repository_do_not_run(project, tmp_path: Path) -> None:
    project.commit("first")
    hooks, mark = project.path / "hooks", tmp_path / "ran"
    hooks.mkdir(exist_ok=True)
    (hooks / "reference-transaction").write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    (hooks / "reference-transaction").chmod(0o755)
    run_git(["update-ref", "refs/heads/other", "refs/heads/master"], git_dir=project.path)
    assert not mark.exists()


@pytest.mark.parametrize("value", ["", "--upload-pack=touch x", "-h", "a\nb", "a\x00b", "a\x7f"])
def test_what_git_would_take_for_an_option_is_refused(value: str) -> None:
    with pytest.raises(GitError) as caught:
        refuse_option(value, "address")
    assert caught.value.code == "bad-name"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("fatal: https://me:secret@example.org/x.git", "fatal: https://example.org/x.git"),
        ("https://token@example.org/x", "https://example.org/x"),
        ("https://me:p@ss@example.org/x", "https://example.org/x"),
        ("ssh://git@example.org/x?key=secret", "ssh://example.org/x"),
        ("git://example.org/x", "git://example.org/x"),
    ],
)
def test_credentials_never_get_into_a_sentence(text: str, clean: str) -> None:
    assert without_credentials(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("fatal: unable to read tree at /srv/data/git/x.git", "fatal: unable to read tree at …"),
        ("fatal: '/srv/a/b.git': no space", "fatal: '…': no space"),
        ("error: file:///srv/a is odd", "error: … is odd"),
        ("fatal: --git-dir=/srv/a, then", "fatal: --git-dir=…, then"),
        ("fatal: https://example.org/x/y of a/b/c and ../d", "fatal: https://example.org/x/y of a/b/c and ../d"),
    ],
)
def test_the_servers_own_paths_never_get_into_a_sentence(text: str, clean: str) -> None:
    assert without_paths(text) == clean


def test_what_git_says_of_a_broken_store_names_no_path(project, tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        run_git(["archive", "--output", str(tmp_path / "no" / "x.tar"), "refs/heads/master"], git_dir=project.path)
    assert caught.value.code == "git-failed"
    assert str(tmp_path) not in caught.value.sentence and "…" in caught.value.sentence


def test_an_error_survives_a_process_boundary() -> None:
    error = pickle.loads(pickle.dumps(GitError("timeout", "Too slow.")))  # noqa: S301 - our own bytes
    assert (error.code, error.sentence) == ("timeout", "Too slow.")


def test_a_missing_git_program_is_named_so(project, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(GitError) as caught:
        run_git(["version"])
    assert caught.value.code == "git-missing"
