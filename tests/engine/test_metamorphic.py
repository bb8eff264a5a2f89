"""What must follow when a backport whose answer is known is changed in a known way: the 150 small cases, all ways.

The names are those of the ways; a case is tried only where the change can be made in it.
"""

# ruff: noqa: E501

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pytest

from backports.engine import diff, ladder
from backports.engine.errors import MalformedPatch
from backports.engine.functions import functions_of
from backports.engine.guards import Symbols
from backports.engine.result import Confidence, Outcome, SeriesResult
from backports.engine.scan import split_lines
from backports.git.tree import diff_lines
from tests.bench import cases
from tests.bench.cases import Case, Files
from tests.engine.guards.cases import TreeNames
from tests.engine.helpers import DictTree, unified

EVERY = 3


@functools.cache
def some_cases() -> Sequence[Case]:
    """Every third case whose files stand where they stood."""
    return [case for case in list(cases.all_cases())[::EVERY] if not case.shape.moved]


def patch_of(case: Case, *, context: int = 3) -> bytes:
    return b"".join(unified(case.base[path], case.source[path], path, context=context) for path in sorted(case.base))


def port(case: Case, target: Files, patch: bytes | None = None) -> SeriesResult:
    store, moves = list(case.base.values()), {path: [moved_path(path, target)] for path in case.base}
    tree = DictTree(target, store=store, moves={path: to for path, to in moves.items() if to[0] in target})
    names = Symbols(TreeNames(target), TreeNames(case.base | case.source))
    patches = diff.parse_series(patch_of(case) if patch is None else patch)
    return ladder.apply_series(patches, tree, differ=diff_lines, symbols=names)


def moved_path(path: str, target: Files) -> str:
    return next(
        (other for other in target if other != path and other.rpartition("/")[2] == path.rpartition("/")[2]), ""
    )


def files_after(result: SeriesResult, target: Files) -> Files:
    found = dict(target)
    for patch in result.patches:
        for path, change in patch.changes.items():
            found.pop(path, None)
            found.update({} if change.data is None else {path: change.data})
    return found


def touched(case: Case) -> Sequence[str]:
    return [path for path in case.base if case.base[path] != case.source[path]]


def function_of_fix(case: Case, path: str) -> tuple[int, int] | None:
    """The lines of the target's first function that the fix changes, by its name."""
    old, new = case.base[path], case.source[path]
    at = diff_lines(old, new)[0].old_start
    name = next((one.name for one in functions_of(split_lines(old)) if one.start <= at < one.stop), None)
    here = [one for one in functions_of(split_lines(case.target.get(path, b""))) if one.name == name]
    return (here[0].start, here[0].stop) if name and len(here) == 1 else None


def every_file(files: Files, change: Callable[[bytes], bytes], paths: Sequence[str]) -> Files:
    return {path: change(data) if path in paths else data for path, data in files.items()}


def test_the_fixed_tree_is_told_already_applied() -> None:
    told = Counter(port(case, case.source).outcome for case in some_cases())
    assert told == {Outcome.ALREADY_APPLIED: len(some_cases())}


def test_the_result_is_already_applied_to_the_result() -> None:
    """Applied twice: what the ladder itself made of the target takes the fix no second time."""
    checked = 0
    for case in some_cases():
        once = port(case, case.target)
        if once.outcome is not Outcome.APPLIED or once.confidence is not Confidence.HIGH:
            continue
        checked += 1
        assert port(case, files_after(once, case.target)).outcome is Outcome.ALREADY_APPLIED, case.shape
    assert checked > len(some_cases()) // 2


def test_without_the_function_nothing_is_high() -> None:
    checked = 0
    for case in some_cases():
        for path in touched(case)[:1]:
            where = function_of_fix(case, path)
            if where is None:
                continue
            lines = split_lines(case.target[path])
            target = {**case.target, path: b"".join(lines[: where[0]] + lines[where[1] :])}
            checked += 1
            assert port(case, target).confidence is not Confidence.HIGH, case.shape
    assert checked > 30


def test_a_twin_of_the_function_above_takes_nothing() -> None:
    """The same body under another name above: a high result still changes the right one, and that one only."""
    checked = 0
    for case in some_cases():
        result = port(case, case.target)
        path = touched(case)[0]
        where = function_of_fix(case, path)
        if where is None or result.confidence is not Confidence.HIGH:
            continue
        lines = split_lines(case.target[path])
        own = lines[where[0] : where[1]]
        name = next(one.name for one in functions_of(lines) if one.start == where[0])
        twin = [line.replace(name + b"(", b"twin_" + name + b"(") for line in own] + [b"\n"]
        first = next(one.start for one in functions_of(lines))
        target = {**case.target, path: b"".join(lines[:first] + twin + lines[first:])}
        again = port(case, target)
        if again.outcome is not Outcome.APPLIED or again.confidence is not Confidence.HIGH:
            continue
        checked += 1
        made = files_after(again, target)[path]
        alone = files_after(result, case.target)[path]
        assert made == b"".join([*split_lines(alone)[:first], *twin, *split_lines(alone)[first:]]), case.shape
    assert checked > 10


def test_a_renamed_identifier_is_renamed_or_for_review() -> None:
    checked = 0
    for case in some_cases():
        path = touched(case)[0]
        unit = path.rpartition("/")[2][:-2].encode()
        old, new = b"struct " + unit, b"struct old_" + unit
        target = {name: data.replace(old, new) for name, data in case.target.items()}
        result = port(case, target)
        made = files_after(result, target)
        checked += result.outcome is Outcome.APPLIED
        if result.confidence is Confidence.HIGH and made[path].count(old + b" "):
            raise AssertionError(case.shape)
    assert checked > len(some_cases()) // 2


def spaced(data: bytes) -> bytes:
    return data.replace(b"    ", b"\t")


def ended(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def test_tabs_for_spaces_are_kept_or_for_review() -> None:
    """A target indented by tabs: no untouched line changes, and nothing is high that adds spaces to it."""
    for case in some_cases():
        target = every_file(case.target, spaced, touched(case))
        result = port(case, target)
        for path in touched(case):
            before, after = (set(split_lines(files.get(path, b""))) for files in (target, files_after(result, target)))
            if any(line.startswith(b"    ") for line in after - before):
                assert result.confidence is not Confidence.HIGH, case.shape


def test_carriage_returns_of_the_target_are_kept() -> None:
    checked = 0
    for case in some_cases():
        plain = port(case, case.target)
        target = every_file(case.target, ended, list(case.target))
        result = port(case, target)
        if plain.outcome is not Outcome.APPLIED or result.outcome is not Outcome.APPLIED:
            continue
        checked += 1
        made, expected = files_after(result, target), files_after(plain, case.target)
        assert all(b"\n" not in data.replace(b"\r\n", b"") for data in made.values()), case.shape
        if plain.confidence is Confidence.HIGH:
            assert made == every_file(expected, ended, list(expected)), case.shape
    assert checked > len(some_cases()) // 2


def test_a_moved_file_is_changed_where_it_is() -> None:
    for case in some_cases():
        target = {path.replace("port/common/", "port/elsewhere/"): data for path, data in case.target.items()}
        result, plain = port(case, target), port(case, case.target)
        assert result.outcome is plain.outcome
        made = {path.replace("port/elsewhere/", "port/common/"): d for path, d in files_after(result, target).items()}
        assert made == files_after(plain, case.target), case.shape


def test_lines_above_every_file_shift_the_result() -> None:
    above = b"".join(b"/* Line %d of a notice. */\n" % number for number in range(30))
    for case in some_cases():
        plain = port(case, case.target)
        if plain.confidence is not Confidence.HIGH:
            continue
        target = every_file(case.target, lambda data: above + data, touched(case))
        made, expected = files_after(port(case, target), target), files_after(plain, case.target)
        assert made == every_file(expected, lambda data: above + data, touched(case)), case.shape


def test_hunks_out_of_order_are_not_made_wrong() -> None:
    """Hunks shuffled in the patch file: the same result, or a refusal, or for review; never another one as high."""
    checked = 0
    for case in some_cases():
        patch, shuffled = patch_of(case), b"".join(backwards(part) for part in sections(patch_of(case)))
        if shuffled == patch:
            continue
        checked += 1
        try:
            result = port(case, case.target, shuffled)
        except MalformedPatch:
            continue
        plain = port(case, case.target)
        if result.confidence is Confidence.HIGH:
            assert files_after(result, case.target) == files_after(plain, case.target), case.shape
    assert checked > 10


def sections(patch: bytes) -> Sequence[bytes]:
    return [b"diff --git " + part for part in patch.split(b"diff --git ")[1:]]


def backwards(section: bytes) -> bytes:
    head, *hunks = section.split(b"\n@@ ")
    return head + b"\n" + b"".join(b"@@ " + hunk.removesuffix(b"\n") + b"\n" for hunk in reversed(hunks))


def test_a_patch_of_another_project_changes_nothing() -> None:
    chosen = some_cases()
    for case, other in pairwise(chosen):
        if set(case.base) & set(other.target) - {"port/include/port/errno.h"}:
            continue
        result = port(case, other.target)
        assert result.outcome is Outcome.CONFLICT
        assert not any(patch.changes for patch in result.patches)
        assert {file.code for patch in result.patches for file in patch.files} == {"file-not-found"}


def test_the_wrong_fix_under_the_right_name_is_never_high() -> None:
    """The patch of one project on another's file of the same name."""
    chosen = some_cases()
    for case, other in pairwise(chosen):
        path, there = touched(case)[0], touched(other)[0]
        if there not in other.target:
            continue
        result = port(case, {path: other.target[there]})
        assert result.outcome in (Outcome.CONFLICT, Outcome.PARTLY_APPLIED), case.shape
        assert result.confidence is not Confidence.HIGH


ODD: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "no-diff"),
    "a merge's combined diff": (
        b"diff --cc x.c\nindex 1,2..3\n--- a/x.c\n+++ b/x.c\n@@@ -1,2 -1,2 +1,2 @@@\n",
        "combined-diff",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_patch_of_one_parent_is_refused(name: str) -> None:
    with pytest.raises(MalformedPatch) as caught:
        diff.parse_series(ODD[name][0])
    assert caught.value.code == ODD[name][1]


FILES: Mapping[str, tuple[bytes, Files, Outcome]] = {
    "binary": (b"diff --git a/x b/x\nindex 1234567..89abcde 100644\nBinary files a/x and b/x differ\n", {"x": b"a\n"}, Outcome.CONFLICT),
    "new file": (b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", {}, Outcome.APPLIED),
    "new file that is there": (b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", {"x": b"a\n"}, Outcome.ALREADY_APPLIED),
    "new file where another is": (b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", {"x": b"b\n"}, Outcome.CONFLICT),
    "deleted file": (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", {"x": b"a\n"}, Outcome.APPLIED),
    "deleted file that is gone": (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", {}, Outcome.ALREADY_APPLIED),
    "deleted file that is another": (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", {"x": b"a\nb\n"}, Outcome.CONFLICT),
    "absent file": (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", {"y": b"a\n"}, Outcome.CONFLICT),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_whole_files(name: str) -> None:
    patch, files, outcome = FILES[name]
    result = ladder.apply_series(diff.parse_series(patch), DictTree(files))
    assert result.outcome is outcome
    assert result.confidence is not Confidence.HIGH or outcome is Outcome.APPLIED
    assert bool(result.patches[0].changes) == (outcome is Outcome.APPLIED)
