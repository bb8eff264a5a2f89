"""The commit that brought a name."""

from __future__ import annotations

import pytest

from backports.git.errors import GitError
from backports.git.introduced import introduced_by
from backports.git.store import open_repository

LAMP = b"struct lamp { int watts; };\n" + b"int more_%d;\n" * 9 % tuple(range(9))


def told(project, symbol: str, hint: str, upto: str, **more) -> tuple[str, str] | None:
    found = introduced_by(open_repository(project.path), symbol, hint, upto, **more)
    return None if found is None else (found.oid, found.subject)


def test_the_header_that_declares_a_name_counts_before_its_users(project) -> None:
    project.commit("Add lamps", {"lib/lamp.c": b"int on;\n"})
    brought = project.commit("Add a switch", {"lib/include/switch.h": b"int flip(void);\n"})
    tip = project.commit("Use it", {"lib/lamp.c": b"int on(void) { return flip(); }\n"})
    project.commit("Say more", {"lib/include/switch.h": b"int flip(void);\nint flop(void);\n"})
    assert told(project, "flip", "lib/lamp.c", tip) == (brought, "Add a switch")


def test_a_header_that_was_renamed_keeps_its_history(project) -> None:
    brought = project.commit("Add lamps", {"lib/lamp.h": LAMP})
    tip = project.commit("Move it", {"lib/lamp.h": None, "lib/include/lamp.h": LAMP})
    assert told(project, "watts", "lib/lamp.c", tip) == (brought, "Add lamps")


def test_a_name_that_nothing_holds_or_that_another_program_holds(project) -> None:
    tip = project.commit("Add lamps", {"lib/lamp.h": LAMP})
    assert told(project, "nowhere_at_all", "lib/lamp.c", tip) is None
    assert told(project, "watts", "tools/lamp.c", tip) is None


def test_no_time_gives_no_answer(project) -> None:
    tip = project.commit("Add lamps", {"lib/lamp.h": LAMP})
    assert told(project, "watts", "lib/lamp.c", tip, seconds=0.0) is None


@pytest.mark.parametrize("symbol", ["--output=x", "", "a b"])
def test_what_is_no_name_is_refused(project, symbol: str) -> None:
    tip = project.commit("Add lamps", {"lib/lamp.h": LAMP})
    with pytest.raises(GitError) as refused:
        told(project, symbol, "lib/lamp.c", tip)
    assert refused.value.code == "bad-name"
