"""The demo project: the same bytes every time, and true to what its advisories say about each branch."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pygit2
import pytest

from backports.demo import DemoAdvisory, DemoRepository, advisories, build_repository, index, make_key, sign
from backports.demo.fixes import FIXES
from backports.engine.diff import parse_series
from backports.engine.errors import MalformedPatch
from backports.engine.ladder import apply_series
from backports.engine.result import Outcome
from backports.git.history import mine_fixes
from backports.git.tree import GitTree, diff_lines
from xsa.formats.bundle import read_bundle
from xsa.formats.index import parse_index

NEWEST_FIRST = ("master", "4.8", "4.7", "4.6", "4.5", "4.4", "4.3", "4.2", "4.1")
MASTER_TIP = "b4b8c79c8b4f3c518446ab8fdb172110579243bb"
OLDEST_TIP = "92cf914c9051962d6d6b03cdd86201ed3438ea59"
OF_LATER_LADDERS = {"re-indented", "argument added", "symbol missing", "after 901", "introduced later"}
NUMBERS = [*range(901, 919)]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a real tool said: whether it applied, and its words."""

    applied: bool
    said: str


class Ground:
    """One commit's files, in an index for git and in a folder for patch; each try starts afresh."""

    def __init__(self, repository: Path, commit: str, work: Path) -> None:
        self.work = work
        self.environment = dict(os.environ, GIT_DIR=str(repository), GIT_INDEX_FILE=str(work / "index"))
        self.commit = commit

    def fresh(self) -> Ground:
        self._git("read-tree", self.commit)
        return self

    def _git(self, *arguments: str, data: bytes = b"") -> Tried:
        command = ["git", "-c", "core.autocrlf=false", *arguments]
        ran = subprocess.run(command, input=data, env=self.environment, capture_output=True, check=False)
        return Tried(ran.returncode == 0, (ran.stdout + ran.stderr).decode("latin-1"))

    def git_apply(self, data: bytes, *options: str) -> Tried:
        strip = ["-p0"] if b"\n--- a/" not in data and b".orig\n" in data and b"Index: " not in data else []
        return self._git("apply", "--cached", "-v", *strip, *options, data=data)

    def rewrite(self, path: str, change: Callable[[bytes], bytes]) -> None:
        """Changes one file of the index."""
        found = subprocess.run(["git", "show", f":{path}"], env=self.environment, capture_output=True, check=True)
        new = change(found.stdout)
        assert new != found.stdout
        write = ["git", "hash-object", "-w", "--stdin"]
        oid = subprocess.run(write, input=new, env=self.environment, capture_output=True, check=True).stdout.decode()
        assert self._git("update-index", "--cacheinfo", f"100644,{oid.strip()},{path}").applied

    def gnu_patch(self, data: bytes) -> Tried:
        folder = self.work / "files"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        assert self._git(f"--work-tree={folder}", "checkout-index", "--all", f"--prefix={folder}/").applied
        command = ["patch", "-p1", "-f", "--binary", "--dry-run", "-d", str(folder)]
        ran = subprocess.run(command, input=data, capture_output=True, check=False)
        return Tried(ran.returncode == 0, ran.stdout.decode("latin-1"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRepository:
    return build_repository(tmp_path_factory.mktemp("demo") / "project.git")


@pytest.fixture(scope="module")
def published(demo: DemoRepository) -> dict[int, DemoAdvisory]:
    return {advisory.number: advisory for advisory in advisories(demo)}


@pytest.fixture(scope="module")
def ground(demo: DemoRepository, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ground]:
    """`ground(commit)`: a place to try patches on that commit. Objects that a try makes stay in a scratch copy."""
    work = tmp_path_factory.mktemp("ground")
    shutil.copytree(demo.path, work / "scratch.git")
    return lambda commit: Ground(work / "scratch.git", commit, work).fresh()


def files_of(demo: DemoRepository, branch: str) -> dict[str, bytes]:
    repo = pygit2.Repository(str(demo.path))
    listing = pygit2.Index()
    listing.read_tree(repo[demo.branches[branch]].peel(pygit2.Tree))
    return {entry.path: repo[entry.id].data for entry in listing}


def references(demo: DemoRepository) -> dict[str, str]:
    known = pygit2.Repository(str(demo.path)).references
    return {name: str(known[name].target) for name in known}


def nearest(advisory: DemoAdvisory, branch: str) -> list[bytes]:
    """The patches of the nearest newer branch that the advisory lists, or of `branch` itself."""
    position = NEWEST_FIRST.index(branch)
    source = next(one for one in reversed(NEWEST_FIRST[: position + 1]) if advisory.recipes.get(one))
    return [advisory.versions[-1].files[name] for name in advisory.recipes[source]]


def cells(published: dict[int, DemoAdvisory]) -> list[tuple[DemoAdvisory, str]]:
    return [(advisory, branch) for advisory in published.values() for branch in advisory.expected]


def test_two_builds_are_the_same_to_the_commit_id(demo: DemoRepository, tmp_path: Path) -> None:
    again = build_repository(tmp_path / "again.git")
    assert dict(again.branches) == dict(demo.branches)
    assert [one.versions for one in advisories(again)] == [one.versions for one in advisories(demo)]
    assert (demo.branches["master"], demo.branches["4.1"]) == (MASTER_TIP, OLDEST_TIP)


def test_building_on_top_of_itself_changes_nothing(demo: DemoRepository) -> None:
    before = references(demo)
    assert build_repository(demo.path).branches == demo.branches
    assert references(demo) == before


def test_every_branch_has_its_releases(demo: DemoRepository) -> None:
    repo = pygit2.Repository(str(demo.path))
    for release in NEWEST_FIRST[1:]:
        tips = [repo.references[f"refs/tags/RELEASE-{release}.{n}"].peel(pygit2.Commit).id for n in (0, 1)]
        tip = pygit2.Oid(hex=demo.branches[release])
        assert repo.descendant_of(tips[1], tips[0])
        assert tip == tips[1] or repo.descendant_of(tip, tips[1])
        assert str(repo.references[f"refs/heads/stable-{release}"].target) == demo.branches[release]


def test_branches_fork_from_master_in_order(demo: DemoRepository) -> None:
    repo = pygit2.Repository(str(demo.path))
    forks = [repo.merge_base(demo.branches["master"], demo.branches[one]) for one in reversed(NEWEST_FIRST[1:])]
    assert all(repo.descendant_of(newer, older) for older, newer in pairwise(forks))


@pytest.mark.parametrize("branch", NEWEST_FIRST)
def test_size_of_every_branch(demo: DemoRepository, branch: str) -> None:
    files = files_of(demo, branch)
    lines = sum(data.count(b"\n") for data in files.values())
    assert len(files) >= 30
    assert lines >= 6_000


def test_master_has_dozens_of_commits(demo: DemoRepository) -> None:
    walker = pygit2.Repository(str(demo.path)).walk(demo.branches["master"])
    assert sum(1 for _ in walker) >= 48


def test_no_two_functions_are_alike(demo: DemoRepository) -> None:
    """A copy of a function would make placements ambiguous."""
    bodies: dict[bytes, bytes] = {}
    for path, data in files_of(demo, "master").items():
        for body in re.findall(rb"(?ms)^\w[^\n;]*\)\n\{\n.*?^\}\n", data) if path.endswith(".c") else []:
            assert bodies.setdefault(body, path.encode()) == path.encode()
    assert len(bodies) > 150


@pytest.mark.parametrize("branch", ["master", "4.6", "4.5", "4.3", "4.1"])
def test_the_source_compiles_without_warnings(demo: DemoRepository, branch: str, tmp_path: Path) -> None:
    files = files_of(demo, branch)
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    if (tmp_path / "include/asm-x86").exists():
        (tmp_path / "include/asm").symlink_to("asm-x86")
    sources = sorted(path for path in files if path.endswith(".c") and path.startswith(("common", "arch", "tools")))
    sources += ["devices/uart.c", "firmware/tables.c", "drivers/console.c"]
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-Iinclude", "-Iarch/x86/include"]
    command = ["gcc", "-fsyntax-only", *flags, *sources]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_every_outcome_but_error_is_true_somewhere(published: dict[int, DemoAdvisory]) -> None:
    seen = {outcome for advisory in published.values() for outcome in advisory.expected.values()}
    assert seen == set(Outcome) - {Outcome.ERROR}
    disclosed = {o for advisory in published.values() if advisory.disclosed for o in advisory.expected.values()}
    assert disclosed == seen
    ways = {advisory.how[branch] for advisory, branch in cells(published)}
    assert {"exact", "offset", "three-way", "fuzz", "moved file", "re-indented", "argument added"} <= ways


@pytest.mark.parametrize("number", NUMBERS)
def test_patches_apply_on_the_branches_they_are_listed_for(
    demo: DemoRepository, published: dict[int, DemoAdvisory], ground: Callable[[str], Ground], number: int
) -> None:
    advisory = published[number]
    for branch, names in advisory.recipes.items():
        if advisory.expected[branch] is Outcome.MALFORMED:
            continue
        place = ground(demo.stable_refs.get((number, branch), demo.branches[branch]))
        if (number, branch) not in demo.fixes:
            place = ground(demo.branches[branch])
        for name in names:
            tried = place.git_apply(advisory.versions[-1].files[name])
            assert tried.applied, (branch, name, tried.said)


@pytest.mark.parametrize("number", NUMBERS)
def test_real_tools_agree_with_what_is_expected(
    demo: DemoRepository, published: dict[int, DemoAdvisory], ground: Callable[[str], Ground], number: int
) -> None:
    advisory = published[number]
    for branch, outcome in advisory.expected.items():
        if outcome is Outcome.NOT_AFFECTED and not advisory.recipes.get(branch, True):
            continue
        verify = VERIFY[advisory.how[branch] if outcome is Outcome.APPLIED else outcome]
        assert verify(demo, advisory, branch, lambda at=branch: ground(demo.branches[at])), (number, branch)


def each(place: Ground, patches: list[bytes], *options: str) -> list[Tried]:
    return [place.git_apply(data, *options) for data in patches]


def _exact(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    tried = each(place(), nearest(advisory, branch))
    return all(one.applied and "offset" not in one.said for one in tried)


def _offset(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    tried = each(place(), nearest(advisory, branch))
    return all(one.applied for one in tried) and any("offset" in one.said for one in tried)


def _three_way(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    patches = nearest(advisory, branch)
    plain = each(place(), patches)
    return not any(one.applied for one in plain) and all(one.applied for one in each(place(), patches, "--3way"))


def _fuzz(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    (patch,) = nearest(advisory, branch)
    loose = place().gnu_patch(patch)
    return not place().git_apply(patch, "--3way").applied and loose.applied and "with fuzz" in loose.said


def _moved(demo: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    (patch,) = nearest(advisory, branch)
    there = patch.replace(b"arch/x86/include/asm/", b"include/asm-x86/")
    absent = "arch/x86/include/asm/paging.h" not in files_of(demo, branch)
    return absent and not place().git_apply(patch).applied and place().git_apply(there).applied


def _no_tool(place: Callable[[], Ground], patch: bytes) -> bool:
    tried = [place().git_apply(patch), place().git_apply(patch, "--3way"), place().gnu_patch(patch)]
    return not any(one.applied for one in tried)


def _after(path: str, change: Callable[[bytes], bytes]) -> Callable[..., bool]:
    """No tool can, but git can once `path` is written as newer branches write it."""

    def verify(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
        (patch,) = nearest(advisory, branch)
        if not _no_tool(place, patch):
            return False
        translated = place()
        translated.rewrite(path, change)
        return translated.git_apply(patch).applied

    return verify


def _conflict(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    return all(_no_tool(place, patch) for patch in nearest(advisory, branch))


def _partly(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    tried = each(place(), nearest(advisory, branch), "--3way")
    return 0 < sum(one.applied for one in tried) < len(tried)


def _malformed(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    (patch,) = nearest(advisory, branch)
    return "corrupt patch" in place().git_apply(patch).said


def _already(_: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    patches = nearest(advisory, branch)
    forward = any(one.applied for one in each(place(), patches))
    return not forward and all(one.applied for one in each(place(), patches, "-R"))


def _upstream(demo: DemoRepository, advisory: DemoAdvisory, branch: str, _: Callable[[], Ground]) -> bool:
    log = ["git", "--git-dir", str(demo.path), "log", "--format=%B", demo.branches[branch]]
    said = subprocess.run(log, capture_output=True, check=True, text=True).stdout
    return bool(re.search(rf"^This is (part of )?XSA-{advisory.number} / {advisory.cve}\.$", said, re.M))


def _not_affected(demo: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    (patch,) = nearest(advisory, branch)
    introduced = re.search(rb"^Fixes: (\w{40})$", patch, re.M)
    path = re.search(rb"^\+\+\+ b/(\S+)", patch, re.M)
    assert introduced
    assert path
    tip = demo.branches[branch]
    ancestor = pygit2.Repository(str(demo.path)).descendant_of(tip, introduced[1].decode())
    return not ancestor and path[1].decode() not in files_of(demo, branch) and _no_tool(place, patch)


def _prerequisite(demo: DemoRepository, advisory: DemoAdvisory, branch: str, place: Callable[[], Ground]) -> bool:
    (patch,) = nearest(advisory, branch)
    if advisory.how[branch] == "symbol missing":
        symbol = b"array_index_clamp"
        known = any(symbol in data for data in files_of(demo, branch).values())
        return symbol in patch and not known and place().git_apply(patch).applied
    (before,) = nearest(next(one for one in advisories(demo) if one.number == 901), branch)
    above = place()
    return _no_tool(place, patch) and all(one.applied for one in each(above, [before, patch]))


VERIFY: dict[str, Callable[..., bool]] = {
    "exact": _exact,
    "offset": _offset,
    "three-way": _three_way,
    "fuzz": _fuzz,
    "moved file": _moved,
    "re-indented": _after("common/sched.c", lambda data: data.replace(b"\t", b"    ").replace(b"unlink", b"remove")),
    "argument added": _after("common/domctl.c", lambda data: data.replace(b"copy_in(name", b"copy_in(d, name")),
    Outcome.CONFLICT: _conflict,
    Outcome.PARTLY_APPLIED: _partly,
    Outcome.MALFORMED: _malformed,
    Outcome.ALREADY_APPLIED: _already,
    Outcome.FIXED_UPSTREAM: _upstream,
    Outcome.NOT_AFFECTED: _not_affected,
    Outcome.NEEDS_PREREQUISITE: _prerequisite,
}


def test_the_ladder_finds_what_is_expected_as_far_as_it_goes(
    demo: DemoRepository, published: dict[int, DemoAdvisory]
) -> None:
    repo = pygit2.Repository(str(demo.path))
    wrong, tried = [], 0
    for advisory, branch in cells(published):
        outcome, how = advisory.expected[branch], advisory.how[branch]
        if outcome in {Outcome.FIXED_UPSTREAM, Outcome.NOT_AFFECTED} or how in OF_LATER_LADDERS:
            continue
        tried += 1
        found = _ladder(repo, demo.branches[branch], nearest(advisory, branch))
        same_rung = outcome is not Outcome.APPLIED or found[1] == how.replace("moved file", "exact")
        if found[0] is not outcome or not same_rung:
            wrong.append((advisory.number, branch, found))
    assert wrong == []
    assert tried > 70


def _ladder(repo: pygit2.Repository, tip: str, patches: list[bytes]) -> tuple[Outcome, str]:
    try:
        series = [patch for data in patches for patch in parse_series(data)]
    except MalformedPatch as problem:
        return Outcome.MALFORMED, problem.code
    result = apply_series(series, GitTree(repo, tip), differ=diff_lines)
    return result.outcome, str(result.rung)


def test_bundles_read_as_published(demo: DemoRepository, published: dict[int, DemoAdvisory]) -> None:
    secret, certificate = make_key()
    for advisory in published.values():
        for version in advisory.versions:
            bundle = read_bundle(sign(version.files, secret), certs=[certificate], newest="4.8")
            assert (bundle.number, bundle.version) == (advisory.number, version.version)
            assert bundle.signature.state == "good"
            assert bundle.text is not None
            assert (bundle.text.title, bundle.text.cves) == (advisory.title, (advisory.cve,))
            recipes = {one.branch: one.files for one in bundle.recipes if one.tree == "xen"}
            assert recipes == dict(advisory.recipes)
            codes = [problem.code for problem in bundle.problems]
            assert codes == (["hash-mismatch"] if advisory.number == 911 else [])


def test_the_second_version_of_an_advisory_ships_another_patch(published: dict[int, DemoAdvisory]) -> None:
    first, second = published[912].versions
    assert hashlib.sha256(first.files["xsa912.patch"]).digest() != hashlib.sha256(second.files["xsa912.patch"]).digest()
    assert b"\n+    name[op->buffer_bytes] = 0;\n" in second.files["xsa912.patch"]


def test_patches_come_in_several_styles_and_encodings(published: dict[int, DemoAdvisory]) -> None:
    def file(name: str) -> bytes:
        return next(one.versions[-1].files[name] for one in published.values() if name in one.versions[-1].files)

    assert file("xsa901.patch").startswith(b"From ")
    assert b"\nIndex: toyvisor/arch/x86/msr.c\n=" in file("xsa907.patch")
    assert file("xsa909.patch").startswith(b"# HG changeset patch\n")
    assert b"\n--- common/memory.c.orig\n+++ common/memory.c\n" in file("xsa911-4.7.patch")
    assert b"\r\n+    if (bytes" in file("xsa906.patch")
    with pytest.raises(UnicodeDecodeError):
        file("xsa906.patch").decode()
    styles = {parse_series(file(name))[0].style for name in ("xsa901.patch", "xsa907.patch", "xsa909.patch")}
    assert styles == {"git", "quilt", "hg"}


def test_embargoed_fixes_are_in_no_object_of_the_repository(demo: DemoRepository) -> None:
    repo = pygit2.Repository(str(demo.path))
    hidden = [fix for fix in FIXES if not fix.public]
    assert {914, 915, 916, 918} <= {fix.number for fix in hidden}
    for (number, branch), patches in demo.fixes.items():
        for applied in patches if any(fix.number == number for fix in hidden) else ():
            assert applied.oid is None, (number, branch)
            changed = [data for path, data in applied.after.items() if applied.before.get(path) != data]
            assert changed
            assert not any(pygit2.hash(data) in repo for data in changed)
    log = ["git", "--git-dir", str(demo.path), "log", "--all", "--format=%B"]
    said = subprocess.run(log, capture_output=True, check=True, text=True).stdout
    assert not re.search(r"XSA-91[4-8]|-09?91[4-8]", said)


def test_embargoed_advisories_are_planned_after_the_load_and_nothing_else_moves(demo: DemoRepository) -> None:
    now = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
    here, later = advisories(demo, now=now), advisories(demo, now=now + timedelta(days=100))
    assert [one.number for one in here if one.planned] == [914, 915, 916, 918]
    for one, other in zip(here, later, strict=True):
        assert (one.planned is None) != (one.disclosed is None)
        assert one.planned is None or one.planned > now
        assert (one.versions, one.disclosed) == (other.versions, other.disclosed)
    assert all(one.disclosed < datetime(2026, 1, 1, tzinfo=UTC) for one in here if one.disclosed)


def test_the_index_lists_what_is_disclosed(demo: DemoRepository, published: dict[int, DemoAdvisory]) -> None:
    rows = parse_index(index(list(published.values())))
    assert {row.number for row in rows} == {number for number, one in published.items() if one.disclosed}


def test_mining_finds_every_committed_fix_on_its_branches(demo: DemoRepository) -> None:
    mined = {(fix.advisory, fix.branch) for fix in mine_fixes(demo.path) if not fix.branch.startswith("staging")}
    assert mined == {(fix.number, branch) for fix in FIXES for branch in fix.public}
