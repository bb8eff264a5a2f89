"""`manage.py ingest` where a file cannot be read: a sentence, and nothing half taken in."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management.base import CommandError

from backports.management.commands.ingest import read


def test_a_folder_is_read_whole_without_its_links(tmp_path: Path) -> None:
    (tmp_path / "xsa900").mkdir()
    (tmp_path / "xsa900" / "xsa900.patch").write_bytes(b"x")
    (tmp_path / "advisory-900.txt").write_bytes(b"y")
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert read(tmp_path) == [("advisory-900.txt", b"y"), ("xsa900/xsa900.patch", b"x")]


@pytest.mark.parametrize(
    ("name", "code"), [("gone", "missing-file"), ("loop", "missing-file"), ("/proc/self/mem", "unreadable-file")]
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CommandError, match=rf"\A{code}: .*{name}"):
        read(tmp_path / name)
