"""What the fuzzer starts from and what it once found, through the targets in every test run, without atheris."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.helpers import unified
from tests.fuzz import seeds
from tests.fuzz.targets import CUT, MUTATIONS, TARGETS, derived, enveloped, ladder_target, mutated, read, steps

KEPT = sorted((Path(__file__).parent / "kept").glob("*-*"))
LINES = b"".join(b"    step(%d);\n" % n for n in range(20))
FIXED = LINES.replace(b"step(7)", b"mended(7)")


@pytest.mark.parametrize("name", TARGETS)
def test_every_tenth_seed_keeps_the_promises(name: str) -> None:
    chosen = list(seeds.SEEDS[name]())[::10]
    assert len(chosen) > 1
    for seed in chosen:
        TARGETS[name](seed)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_what_the_fuzzer_found_stays_mended(path: Path) -> None:
    TARGETS[path.name.partition("-")[0]](path.read_bytes())


def test_the_ladder_target_sees_a_wrong_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.targets.derived", lambda old, new: unified(old, new.replace(b"mended", b"other")))
    with pytest.raises(AssertionError):
        ladder_target(LINES + CUT + FIXED)


def test_the_patch_that_the_target_derives_is_git_s() -> None:
    assert derived(LINES, FIXED).replace(b" @@ \n", b" @@\n").splitlines()[4:] == unified(LINES, FIXED).splitlines()[4:]
    assert derived(LINES, LINES) == b""


@pytest.mark.parametrize("what", range(len(MUTATIONS)), ids=[step.__name__ for step in MUTATIONS])
def test_every_mutation_changes_the_patch(what: int) -> None:
    patch = derived(LINES, FIXED)
    assert any(mutated(patch, LINES, bytes([what, 0, at])) != patch for at in range(patch.count(b"\n")))


def test_a_program_is_bounded() -> None:
    assert len(list(steps(bytes(3000)))) == 12
    assert list(steps(b"\1\2\3\4")) == [(1, 0x203)]


def test_mails_in_one_file_are_told_apart() -> None:
    one, other = (part.split(CUT)[0] for part in list(seeds.mails())[:2])
    assert len(read(enveloped(one) + enveloped(other))) == 2
