"""What organisations keep: repositories of their own and source packages, and who may add and see them."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import socket
import tarfile
from pathlib import Path
from typing import Any

import pygit2
import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from backports.git import mirror, packages
from backports.git.errors import GitError
from backports.git.heads import followed
from backports.git.runner import run_git
from backports.git.store import open_repository
from backports.models import Attempt, Branch, Repository
from backports.services import own_repositories, repositories
from backports.services.addresses import allowed
from backports.services.errors import NotDone
from backports.services.offers import offers_for
from backports.services.own_repositories import add, add_package, show_to
from backports.services.places import results_path
from backports.services.receiving import submit
from tests import factories
from tests.backports.conftest import Workshop
from tests.backports.test_trying_cells import PULL, without_index
from tests.backports.toy import Toy, guard, queue, table
from xsa.identity import reading
from xsa.models import Membership, Organisation, User

OLD = "    toy->table[table_pick_index].pick = true;\n"
NEW = "    toy->table[table_pick_index].pick = toy_one();\n"


@pytest.fixture
def admin(db: None) -> User:
    user = factories.person("one", listed=True)
    Membership.objects.filter(user=user).update(role="admin")
    return user


@pytest.fixture
def organisation(admin: User) -> Organisation:
    return Organisation.objects.get(memberships__user=admin)


@pytest.fixture
def own_folder(organisation: Organisation, tmp_path: Path, settings: Any) -> Path:
    settings.ORGANISATION_GIT = str(tmp_path / "from-members")
    folder = tmp_path / "from-members" / str(organisation.pk)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be sent to a worker."""
    sent: list[str] = []
    monkeypatch.setattr(repositories.refresh_repository, "delay", sent.append)
    return sent


def test_a_repository_of_ones_own_is_mirrored_and_tried(
    workshop: Workshop,
    admin: User,
    organisation: Organisation,
    own_folder: Path,
    later: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    workshop.take(500, {"xsa500.patch": patch_of(workshop)})
    workshop.toy.branch("refs/heads/example/xen-4.2", "4.2")
    workshop.toy.commit("refs/heads/example/xen-4.2", {"docs/notes.txt": "Ours.\n"}, "ours")
    (own_folder / "xen.git").symlink_to(workshop.toy.path)
    with pytest.raises(NotDone):
        add(admin, organisation=organisation, name="xen", url="xen.git", project="toy")
    (own_folder / "xen.git").unlink()
    workshop.toy.path.rename(own_folder / "xen.git")
    with django_capture_on_commit_callbacks(execute=True):
        row = add(admin, organisation=organisation, name="xen", url="xen.git", project="toy")
    assert (row.name, row.visibility, later) == ("example-one_xen", "organisation", [str(row.pk)])
    repositories.refresh(None, row)
    names = {branch.name: (branch.version, branch.in_mirror) for branch in row.branches.all()}
    assert names["example-xen-4.2"] == ("4.2", "refs/heads/example/xen-4.2")
    assert names["4.2"] == ("4.2", "4.2") and "master" not in names
    workshop.work()
    tried = Attempt.objects.get(branch__repository=row, branch__name="example-xen-4.2")
    assert tried.outcome == "applied"
    upstream = Branch.objects.get(repository=workshop.repository, name="4.2")
    offered = offers_for(admin, advisory=tried.advisory, branch=upstream)
    assert tried.pk in {offer.pk for offer in offered}
    assert offers_for(factories.person("two", listed=True), advisory=tried.advisory, branch=upstream) == []
    workshop.toy.path = own_folder / "xen.git"
    workshop.toy.commit("refs/heads/example/xen-4.2", {"common/table.c": [("TRACE_TABLE_SORT", "TRACE_SORT")]}, "x")
    repositories.refresh(None, row)
    workshop.work()
    again = Attempt.objects.get(branch__repository=row, branch__name="example-xen-4.2", current=True)
    assert again.outcome == "applied" and again.pk != tried.pk
    assert again.pk not in {offer.pk for offer in offers_for(admin, advisory=tried.advisory, branch=upstream)}


def test_what_a_branch_of_ones_own_does_not_know_is_missed_there_as_on_upstreams(
    workshop: Workshop, admin: User, organisation: Organisation, own_folder: Path, later: list[str]
) -> None:
    """The repository has that one branch, and nothing of the one that the fix was made for."""
    workshop.toy.branch("refs/heads/example/xen-4.2", "4.2")
    workshop.toy.commit("refs/heads/example/xen-4.2", {"docs/notes.txt": "Ours.\n"}, "ours")
    workshop.toy.commit("master", {"common/limit.c": "int toy_newest(int at)\n{\n    return at;\n}\n"}, "limit")
    repositories.refresh(None, workshop.repository)
    fix = {"common/table.c": [(OLD, OLD.replace(";", ";\n    toy_newest(0);", 1))]}
    workshop.take(500, {"xsa500.patch": workshop.toy.patch("master", fix, "table: ask the newest")})
    shutil.copytree(workshop.toy.path, own_folder / "xen.git")
    row = add(admin, organisation=organisation, name="xen", url="xen.git", project="toy", heads=["example/xen-4.2"])
    repositories.refresh(None, row)
    workshop.work()
    for branch in (workshop.repository.branches.get(name="4.2"), row.branches.get()):
        tried = Attempt.objects.get(branch=branch, current=True)
        assert tried.outcome != "applied", branch
        assert "missing-symbol" in {flag["code"] for flag in tried.evidence["flags"]}, branch


@pytest.fixture
def one_commit(
    workshop: Workshop, admin: User, organisation: Organisation, own_folder: Path, later: list[str]
) -> Branch:
    """A branch as of a source package: upstream's files of 4.4 as one commit, and nothing of their history."""
    own = Toy(own_folder / "xen.git")
    pygit2.init_repository(str(own.path), bare=True)
    paths = ("common/table.c", "common/queue.c", "common/timer.c")
    own.commit("refs/heads/example/xen-4.4", {path: workshop.toy.text("4.4", path) for path in paths})
    row = add(admin, organisation=organisation, name="xen", url="xen.git", project="toy")
    repositories.refresh(None, row)
    return row.branches.get()


@pytest.mark.parametrize("named", [True, False], ids=["index", "no-index"])
def test_a_source_package_is_tried_with_the_files_that_upstream_made_the_fix_on(
    workshop: Workshop, admin: User, organisation: Organisation, one_commit: Branch, *, named: bool
) -> None:
    patch = workshop.toy.patch("master", PULL, "queue: trace")
    patch = patch if named else without_index(patch)
    found = workshop.take(500, {"xsa500.patch": patch})
    workshop.work()
    rows = Attempt.objects.filter(current=True, branch__name__endswith="4.4")
    assert {(one.branch.repository.name, one.outcome, one.rung) for one in rows} == {
        (name, "applied", "three-way") for name in ("toy", one_commit.repository.name)
    }
    if not named:  # an upload is compared with upstream's branch of the same version alone, since somebody waits
        return
    sent = submit(admin, organisation=organisation, name="x.patch", data=patch, advisory=found, branch=one_commit)
    assert sent.version is not None
    assert (sent.version.outcome, sent.version.rung) == ("applied", "three-way")
    results = results_path(one_commit.repository.name, 500)
    run_git(["fsck", "--strict", "--connectivity-only", sent.version.result], git_dir=results)


def patch_of(workshop: Workshop) -> bytes:
    return workshop.toy.patch("master", {"common/table.c": [(OLD, NEW)]}, "table: pick one")


def test_only_admins_of_the_organisation_add(workshop: Workshop, organisation: Organisation) -> None:
    for other in (factories.person("two", listed=True), factories.person("team", security_team=True)):
        with pytest.raises(PermissionDenied):
            add(other, organisation=organisation, name="xen", url="https://git.example.org/x.git")
    assert Repository.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    [
        *("/etc", "../../git/results", "file:///etc", "ssh://git.example.org/x", "ext::sh -c id", "git@example.org:x"),
        *("https://one:two@example.org/x", "https://127.0.0.1/x", "https://[::1]/x", "git://10.1.2.3/x"),
        *("https://git.example.org:99999/x", "https://git.example.org:0/x", "https://git.example.org:x/x"),
        *("https://[::1/x", "https://a]b/x", "https://@git.example.org/x", "https://git.example.org\\@10.0.0.1/x"),
        *("a\0b", "https://git.example.org/\0", "https://git.exa\nmple.org/", "https://gît.example.org/", "a/" * 5_000),
        *("https://[64:ff9b::a00:1]/x", "https://[2002:a00:1::]/x", "https://git.example.org./x"),
        *("x" * 300, "https:///x", "https://git .example.org/x"),
        *("https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/x", "https://0/x", "--upload-pack=id", ""),
    ],
)
def test_an_address_makes_the_server_read_nothing_of_its_own(
    organisation: Organisation, own_folder: Path, url: str
) -> None:
    with pytest.raises(NotDone) as told:
        allowed(organisation, url)
    assert (told.value.code in ("bad-address", "private-address", "unreachable"), told.value.field) == (True, "url")
    assert str(own_folder) not in str(told.value)


def test_a_path_is_in_the_organisations_own_folder(organisation: Organisation, own_folder: Path) -> None:
    (own_folder / "xen").mkdir()
    (own_folder.parent / "other").mkdir()
    assert allowed(organisation, "xen") == str((own_folder / "xen").resolve())
    (own_folder / "away").symlink_to(own_folder.parent / "other")
    for path in ("away", "../other", str(own_folder.parent / "other"), "."):
        with pytest.raises(NotDone):
            allowed(organisation, path)


def test_an_address_is_asked_again_before_each_fetch(organisation: Organisation, own_folder: Path) -> None:
    row = factories.repository("own_xen", organisation=organisation)
    Repository.objects.filter(pk=row.pk).update(url=str(own_folder.parent))
    repositories.refresh_repository(str(row.pk))
    row.refresh_from_db()
    assert row.problem_code == "bad-address"


@pytest.mark.parametrize(
    ("url", "found", "only"),
    [
        ("https://git.example.org/x", ["93.184.216.34"], "git.example.org:443:93.184.216.34"),
        (
            "https://git.example.org:8443/x",
            ["93.184.216.34", "2606:2800:220:1::1"],
            "git.example.org:8443:[2606:2800:220:1::1],93.184.216.34",
        ),
        ("https://93.184.216.34/x", ["93.184.216.34"], "93.184.216.34:443:93.184.216.34"),
        ("https://[2606:2800:220:1::1]/x", ["2606:2800:220:1::1"], ""),
        ("git://git.example.org/x", ["93.184.216.34"], ""),
    ],
)
def test_a_fetch_asks_no_other_machine_than_the_one_that_was_looked_at(
    organisation: Organisation, monkeypatch: pytest.MonkeyPatch, url: str, found: list[str], only: str
) -> None:
    """A name may lead to the public network when it is looked up here, and inside when git looks it up."""
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    asked: list[str] = []
    monkeypatch.setattr(mirror, "create_mirror", lambda *_, only, **__: asked.append(only))
    row = factories.repository("own_xen", organisation=organisation)
    row.url = url
    with pytest.raises(GitError):
        repositories.fetch(row)
    assert asked == [only]


def test_a_name_is_ones_own(workshop: Workshop, admin: User, organisation: Organisation, later: list[str]) -> None:
    other = factories.person("two", listed=True)
    Membership.objects.filter(user=other).update(role="admin")
    theirs = Organisation.objects.get(memberships__user=other)
    Organisation.objects.filter(pk=theirs.pk).update(name="Example-One")
    theirs.refresh_from_db()
    mine = own_repositories.full_name(organisation, "xen")
    assert mine != own_repositories.full_name(theirs, "xen")
    with pytest.raises(NotDone):
        own_repositories.full_name(organisation, "a_b")


def test_showing_it_to_the_room_shows_its_branches(admin: User, organisation: Organisation) -> None:
    row = factories.repository("own_xen", organisation=organisation)
    factories.branch(row)
    other = factories.person("two", listed=True)
    with reading(other):
        assert Branch.objects.count() == 0
    show_to(admin, repository=row, visibility="room")
    with reading(other):
        assert Branch.objects.count() == 1
    with pytest.raises(PermissionDenied):
        show_to(other, repository=row, visibility="organisation")


def test_it_is_not_hidden_under_backports_that_are_shared(admin: User, organisation: Organisation) -> None:
    row = factories.repository("own_xen", organisation=organisation, visibility="room")
    factories.backport(
        factories.advisory(500),
        factories.branch(row),
        organisation,
        admin,
        life="shared",
        shared_at=factories.DAY,
    )
    with pytest.raises(NotDone) as refused:
        show_to(admin, repository=row, visibility="organisation")
    assert refused.value.code == "backports-shared"


def tar(files: dict[str, str | tuple[str, str]], top: str = "toy-4.2.1/") -> bytes:
    """A tarball; a pair stands for a link and where it leads."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for name, text in files.items():
            info = tarfile.TarInfo(top + name)
            info.mtime = 1_400_000_000
            if isinstance(text, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, text[1]
                packed.addfile(info)
            else:
                data = text.encode()
                info.size = len(data)
                packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


SOURCE: dict[str, str | tuple[str, str]] = {
    "common/table.c": table(),
    "common/queue.c": queue(),
    "link": ("link", "common/table.c"),
}
FIRST = f"Description: pick one\n--- a/common/table.c\n+++ b/common/table.c\n@@ -7,1 +7,1 @@\n-{OLD}+{NEW}"
SECOND = FIRST.replace(f"-{OLD}+{NEW}", f"-{NEW}+{OLD}").replace("pick one", "pick no more")


def package(tmp_path: Path, files: dict[str, bytes]) -> dict[str, Path]:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in files}


def dsc(files: dict[str, bytes], version: str = "4.2.1-3") -> bytes:
    lines = "".join(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n" for name, data in files.items())
    return f"Format: 3.0 (quilt)\nSource: toy\nVersion: {version}\nChecksums-Sha256:\n{lines}".encode()


def debian(series: str = "one.patch -p1\ntwo.patch\n") -> dict[str, bytes]:
    patches = {"patches/series": series, "patches/one.patch": FIRST, "patches/two.patch": SECOND, "control": "x\n"}
    held = {"toy_4.2.1.orig.tar.gz": tar(SOURCE), "toy_4.2.1-3.debian.tar.gz": tar(dict(patches), "debian/")}
    return {**held, "toy_4.2.1-3.dsc": dsc(held)}


def test_a_debian_package_becomes_one_commit_for_each_patch(
    git_root: Path, admin: User, organisation: Organisation, tmp_path: Path, later: list[str]
) -> None:
    found = packages.from_dsc(package(tmp_path, debian()))
    row = add_package(admin, organisation=organisation, name="toy", package=found, project="toy")
    branch = row.branches.get()
    assert (branch.name, branch.version) == ("4.2", "4.2")
    repo = open_repository(repositories.mirror_path(row.name))
    subjects = [commit.message.partition("\n")[0] for commit in repo.walk(repo.get(branch.tip).id)]
    assert len(subjects) == 3 and subjects[-1] == "toy 4.2.1-3"
    tree = repo.get(branch.tip).tree
    assert tree["common/table.c"].data == table().encode() and tree["link"].filemode == 0o120000
    assert NEW.encode() in repo.get(branch.tip).parents[0].tree["common/table.c"].data


def test_the_same_package_gives_the_same_commits_and_a_newer_one_moves_the_branch(
    git_root: Path, admin: User, organisation: Organisation, tmp_path: Path, later: list[str]
) -> None:
    def take(files: dict[str, bytes]) -> str:
        found = packages.from_dsc(package(tmp_path, files))
        row = add_package(admin, organisation=organisation, name="toy", package=found, project="toy")
        return str(row.branches.get().tip)

    first = take(debian())
    assert take(debian()) == first
    assert take(debian("one.patch\n")) != first
    assert Repository.objects.count() == 1


FILES = ("common/table.c", "common/queue.c", "arch/timer.c", "docs/notes.txt")


def source_at(workshop: Workshop, **changed: str) -> bytes:
    """Upstream's 4.2 as a tarball; `changed` are other texts, by a file's stem."""
    texts = {path: changed.get(Path(path).stem) or workshop.toy.text("4.2", path) for path in FILES}
    return tar(dict(texts))


@pytest.mark.parametrize(
    ("changed", "held"),
    [({}, "fixed-upstream"), ({"queue": "/* Another project's. */\n"}, "already-applied")],
    ids=["as upstream has it", "too little of upstream's"],
)
def test_a_source_package_holds_the_fixes_of_the_commit_that_it_continues(
    workshop: Workshop,
    admin: User,
    organisation: Organisation,
    tmp_path: Path,
    later: list[str],
    changed: dict[str, str],
    held: str,
) -> None:
    workshop.toy.commit("master", {"common/table.c": [guard("table_pick")]}, "table: check\n\nThis is XSA-950.")
    workshop.toy.commit("4.2", {"common/table.c": [guard("table_pick")]}, "table: check\n\nThis is XSA-950.")
    workshop.toy.commit("4.2", {"arch/timer.c": [guard("timer_fire")]}, "timer: check\n\nThis is XSA-951.")
    (tmp_path / "toy.tar.gz").write_bytes(source_at(workshop, **changed))
    workshop.toy.commit("4.2", {"common/table.c": [guard("table_drop")]}, "table: check\n\nThis is XSA-952.")
    workshop.mine()
    found = packages.from_tarball("toy", "4.2.1", tmp_path / "toy.tar.gz")
    row = add_package(admin, organisation=organisation, name="toy", package=found, project="toy")
    repositories.refresh(None, row)
    workshop.work()
    rows = Attempt.objects.filter(branch__repository=row, current=True)
    assert dict(rows.values_list("advisory__number", "outcome")) == {950: held, 951: held, 952: "applied"}
    if held == "fixed-upstream":
        client = factories.log_in(Client(), admin)
        address = f"/attempts/{rows.get(advisory__number=951).pk}/"
        assert "The package continues a commit of upstream" in client.get(address).content.decode()
        assert b"timer: check" in client.get(f"{address}result.patch").content


def test_a_tarball_and_a_quilt_series_is_a_package_too(
    git_root: Path, admin: User, organisation: Organisation, tmp_path: Path, later: list[str]
) -> None:
    (tmp_path / "toy-4.2.1.tar.gz").write_bytes(tar(SOURCE))
    series = tar({"series": "one.patch\n", "one.patch": FIRST}, "patches/")
    found = packages.from_tarball("toy", "4.2.1", tmp_path / "toy-4.2.1.tar.gz", ("patches.tar.gz", series))
    row = add_package(admin, organisation=organisation, name="toy", package=found, project="toy")
    (tip,) = followed(repositories.mirror_path(row.name))
    assert tip.name == "4.2"


def test_an_old_debian_diff_is_one_commit(tmp_path: Path, git_root: Path) -> None:
    held = {"toy_4.2.1.orig.tar.gz": tar(SOURCE), "toy_4.2.1-3.diff.gz": gzip.compress(FIRST.encode())}
    found = packages.from_dsc(package(tmp_path, {**held, "toy.dsc": dsc(held)}))
    assert len(found.patches) == 1


def test_a_series_that_does_not_apply_is_refused_by_name(
    git_root: Path, admin: User, organisation: Organisation, tmp_path: Path, later: list[str]
) -> None:
    (tmp_path / "toy.tar.gz").write_bytes(tar(SOURCE))
    series = tar({"series": "odd.patch\n", "odd.patch": FIRST.replace("table_pick", "table_odd")}, "patches/")
    found = packages.from_tarball("toy", "4.2.1", tmp_path / "toy.tar.gz", ("patches.tar.gz", series))
    with pytest.raises(GitError, match=r"odd\.patch"):
        add_package(admin, organisation=organisation, name="toy", package=found, project="toy")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"../evil.c": "x"}, "unsafe-path"),
        ({".git/config": "x"}, "unsafe-path"),
        ({}, "bad-tarball"),
    ],
)
def test_a_hostile_tarball_leaves_nothing(
    git_root: Path, tmp_path: Path, files: dict[str, str | tuple[str, str]], code: str
) -> None:
    (tmp_path / "bad.tar.gz").write_bytes(tar(files, ""))
    repo = open_repository(bare(tmp_path))
    with pytest.raises(GitError) as refused:
        packages.write(repo, packages.Package("bad", "4.2", tmp_path / "bad.tar.gz"), "refs/heads/stable-4.2")
    assert refused.value.code == code and not list(repo.references)


def test_a_truncated_tarball_is_told(git_root: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.tar.gz").write_bytes(tar(SOURCE)[:-40])
    with pytest.raises(GitError) as refused:
        packages.write(
            open_repository(bare(tmp_path)), packages.Package("x", "4.2", tmp_path / "bad.tar.gz"), "refs/heads/a"
        )
    assert refused.value.code == "bad-tarball"


def test_a_tarball_that_expands_too_far_is_refused(
    git_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "MAX_TOTAL", 1000)
    (tmp_path / "big.tar.gz").write_bytes(tar(SOURCE))
    with pytest.raises(GitError) as refused:
        packages.write(
            open_repository(bare(tmp_path)), packages.Package("x", "4.2", tmp_path / "big.tar.gz"), "refs/heads/a"
        )
    assert refused.value.code == "too-large"


def bare(tmp_path: Path) -> Path:
    return Path(own_repositories._bare(tmp_path / "bare.git").path)


@pytest.mark.parametrize("change", ["missing-file", "wrong-checksum", "bad-dsc", "no-dsc"])
def test_a_dsc_and_its_files_must_fit(tmp_path: Path, change: str) -> None:
    files = debian()
    if change == "missing-file":
        del files["toy_4.2.1.orig.tar.gz"]
    if change == "wrong-checksum":
        files["toy_4.2.1.orig.tar.gz"] += b"x"
    if change == "bad-dsc":
        files["toy_4.2.1-3.dsc"] = b"Source: toy\n"
    if change == "no-dsc":
        del files["toy_4.2.1-3.dsc"]
    with pytest.raises(GitError) as refused:
        packages.from_dsc(package(tmp_path, files))
    assert refused.value.code == change
