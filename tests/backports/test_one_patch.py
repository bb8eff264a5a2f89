"""One patch on one branch from the shell: what it was made on is found, and used."""

from __future__ import annotations

import json
from pathlib import Path

from backports.services.one_patch import try_file
from tests.backports.toy import Edits, Toy, guard

PULL: Edits = {"common/queue.c": [("toy_trace(toy, TRACE_QUEUE_PULL, queue_pull_index);", "toy_trace_pull(toy);")]}


def written(tmp_path: Path, patch: bytes) -> Path:
    path = tmp_path / "a.patch"
    path.write_bytes(b"".join(line for line in patch.splitlines(keepends=True) if not line.startswith(b"index ")))
    return path


def test_a_patch_without_ids_is_merged_with_the_base_that_fits(toy: Toy, tmp_path: Path, git_root: Path) -> None:
    answer = try_file(written(tmp_path, toy.patch("master", PULL, "x")), repository=str(toy.path), branch="4.1")
    assert answer.base is not None
    assert answer.base.oid == toy.tip("master")
    assert answer.result is not None
    assert (answer.outcome, answer.result.rung) == ("applied", "three-way")
    assert json.loads(answer.as_json())["base"]["how"] == "fit"
    assert answer.base.sentence in answer.as_text()


def test_a_patch_that_fits_nowhere_is_tried_without_a_base(toy: Toy, tmp_path: Path, git_root: Path) -> None:
    patch = toy.patch("master", {"common/table.c": [guard("table_pick")]}, "x").replace(b"toy->", b"no->")
    answer = try_file(written(tmp_path, patch), repository=str(toy.path), branch="4.1")
    assert (answer.outcome, answer.base) == ("conflict", None)
