"""git's own way into a room: with the real program, against a server that listens."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backports.models import Attempt, Backport, BackportVersion, Branch, Upload
from backports.services import repositories, sharing
from tests import factories
from tests.api.conftest import secret_of
from tests.api.git_client import Git
from tests.api.listening import listening
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent
from tests.backports.rooms import BARRIER, CHECK, LIMIT, NUMBER, OTHER_CHECK, PUSH, Room, own, room_in
from tests.backports.toy import Toy
from tests.web.test_finishing import FIXED, HERE, NEWER, OLD
from xsa.models import AuditRecord, User
from xsa.services.members import remove_person

__all__ = ["git_root", "toy", "toy_original", "unsent"]
Cloned = Callable[..., Git]


@pytest.fixture
def room(committed_db: None, toy: Toy, git_root: Path, unsent: list[str]) -> Room:
    workshop = Workshop(toy, repositories.add_repository(None, name="toy", url=str(toy.path)), unsent)
    found = room_in(workshop)
    workshop.work()
    return found


@pytest.fixture
def address(room: Room) -> Iterator[str]:
    with listening() as found:
        yield found


@pytest.fixture
def git_of(room: Room, address: str, tmp_path: Path) -> Cloned:
    """`git_of(person, verbs…)` is that person's git, with a token for the embargoed advisory."""

    def made(person: User, *verbs: str, number: int = NUMBER, named: tuple[int, ...] = (NUMBER,)) -> Git:
        secret = secret_of(person, verbs=verbs or ("read", "upload"), embargoed=True, advisories=named)
        return Git(tmp_path / person.username, f"{address.replace('//', f'//x:{secret}@')}/git/xsa-{number}.git")

    return made


def begun(git: Git, at: str = "origin/toy/4.1") -> Git:
    """The clone, at a branch of one's own."""
    if not git.clone.exists():
        git.ok("clone", "--quiet", git.url, "clone")
    git.ok("checkout", "--quiet", "-B", "fix", at)
    return git


def fixed(git: Git, check: str = CHECK) -> str:
    return git.commit({"common/table.c": (LIMIT, LIMIT + check)}, "table: check what is picked")


def test_a_push_is_a_draft_and_the_next_its_second_version(room: Room, git_of: Cloned) -> None:
    git = begun(git_of(room.author))
    fixed(git)
    said = git.push("refs/for/4.1")
    version = BackportVersion.objects.get()
    assert "remote: XSA-500 toy/4.1 v1 (new, draft): applied, 1 of 1 hunks, confidence high" in said
    assert f"/backports/{version.backport_id}/v1/" in said
    assert (version.came_by, version.outcome, version.backport.organisation) == ("git", "applied", own(room.author))
    assert "v1 (there already, draft)" in git.push("refs/for/toy/4.1")
    begun(git)
    fixed(git, OTHER_CHECK)
    git.commit({"common/queue.c": (PUSH, PUSH + BARRIER)}, "queue: a barrier")
    assert "v2 (new, draft): applied, 2 of 2 hunks" in git.push("refs/for/4.1")
    second = BackportVersion.objects.get(number=2)
    assert second.backport_id == version.backport_id
    assert second.patches.count() == 2
    assert git.refs()["refs/backports/example-author/toy/4.1/v2"] == second.result
    verbs = AuditRecord.objects.order_by("position").values_list("verb", flat=True)
    assert [verb for verb in verbs if verb in ("downloaded", "backport-uploaded")].count("backport-uploaded") == 2
    assert "downloaded" in verbs


@pytest.fixture
def stuck(room: Room) -> Attempt:
    """Half of the fix lands on 4.4; the other half meets another lock there."""
    edits = {"common/table.c": [(LIMIT, LIMIT + CHECK)], "common/queue.c": [(NEWER.strip(), FIXED.strip())]}
    patch = room.workshop.toy.patch("master", edits, "table, queue: check and wait")
    room.workshop.take(500, {"xsa500.patch": patch}, version=2)
    room.workshop.work()
    attempt = Attempt.objects.get(current=True, branch__name="4.4", advisory=room.advisory)
    assert (attempt.outcome, attempt.hunks_landed, attempt.hunks_total) == ("partly-applied", 1, 2)
    return attempt


def test_the_documents_commands_finish_what_the_ladder_left_open(
    room: Room, stuck: Attempt, git_of: Cloned, address: str, tmp_path: Path
) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "git.md").read_text()
    for here, there in (("https://xsa.example.org", address), ("xen/4.8", "toy/4.4"), ("for/4.8", "for/4.4")):
        text = text.replace(here, there)
    login, begin, end = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    git = git_of(room.author)
    token = git.folder / ".xsa-token"
    token.write_text(git.url.partition("//x:")[2].partition("@")[0] + "\n")
    clone = git.folder / "xsa-500"

    def typed(commands: str, where: Path) -> str:
        shell = ["sh", "-e", "-c", commands]
        done = subprocess.run(shell, cwd=where, env=git.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    typed(login + begin, git.folder)
    assert CHECK in (clone / "common/table.c").read_text()
    queue = clone / "common/queue.c"
    queue.write_text(queue.read_text().replace(OLD, HERE))
    assert "v1 (new, draft): applied, 2 of 2 hunks" in typed(end, clone)
    version = BackportVersion.objects.get()
    assert (version.derived_attempt, version.patches.count()) == (stuck, 2)
    assert version.backport.organisation == own(room.author)
    siblings = [(one["name"], one["outcome"], one["landed"]) for one in version.evidence["siblings"]]
    # Where it has its own commit's lock, which the older branches name otherwise.
    assert siblings == [(name, "partly-applied", 1) for name in ("4.3", "4.2", "4.1")]


def test_what_begins_with_a_result_on_top_of_another_advisory_is_as_secret(room: Room, git_of: Cloned) -> None:
    factories.advisory(501, disclosed=False)
    Attempt.objects.filter(current=True, branch__name="4.1").update(prerequisites=[501])
    assert "refs/attempts/toy/4.1" not in git_of(room.author).refs()
    git = git_of(room.author, named=(NUMBER, 501))
    git.ok("clone", "--quiet", git.url, "clone")
    git.ok("fetch", git.url, "refs/attempts/toy/4.1")
    begun(git, "FETCH_HEAD")
    git.commit({"common/queue.c": (PUSH, PUSH + BARRIER)}, "queue: a barrier")
    assert "v1 (new, draft): applied, 2 of 2 hunks" in git.push("refs/for/4.1")
    assert Backport.objects.get().prerequisites == [501]
    assert [name for name in git_of(room.author).refs() if "backports" in name] == []


def test_no_ref_but_those_for_a_branch_can_be_pushed(room: Room, git_of: Cloned) -> None:
    room.shared()
    git = begun(git_of(room.reviewer))
    before = git.refs()
    theirs = "refs/backports/example-author/toy/4.1/v1"
    assert theirs in before
    fixed(git, OTHER_CHECK)
    for ref in ("refs/heads/toy/4.1", theirs, "refs/backports/example-author/toy/4.1/v2", "refs/attempts/toy/4.1"):
        said = git.refused("push", "--force", git.url, f"HEAD:{ref}")
        assert "[remote rejected]" in said
        assert "(not-yours)" in said, ref
    for ref in ("refs/heads/toy/4.1", theirs):
        assert "(not-yours)" in git.refused("push", git.url, f":{ref}")
    odd = {"refs/for/4.9": "no-such-branch", "refs/for/none/4.1": "no-such-branch", "refs/for/4.1/x": "no-such-branch"}
    odd |= {"refs/for/4.1\u202e": "no-such-branch", "refs/for/é;&|$(x)'\"": "no-such-branch"}
    for ref, code in odd.items():
        assert f"({code})" in git.refused("push", git.url, f"HEAD:{ref}"), ref
    assert git.refs() == before
    assert BackportVersion.objects.count() == 1
    assert Upload.objects.count() == 1


def test_several_refs_are_answered_one_by_one(room: Room, git_of: Cloned) -> None:
    git = begun(git_of(room.author))
    fixed(git)
    said = git.refused("push", git.url, "HEAD:refs/for/4.1", "HEAD:refs/heads/toy/4.1")
    assert "HEAD -> refs/for/4.1" in said
    assert "HEAD -> toy/4.1 (not-yours)" in said
    assert "v1 (new, draft): applied" in said


def test_drafts_are_their_organisations_own(room: Room, git_of: Cloned) -> None:
    author, reviewer = begun(git_of(room.author)), git_of(room.reviewer)
    fixed(author)
    author.push("refs/for/4.1")
    version = BackportVersion.objects.get()
    mine = "refs/backports/example-author/toy/4.1/v1"
    assert mine in author.refs()
    assert mine not in reviewer.refs()
    begun(reviewer)
    fixed(reviewer, OTHER_CHECK)
    assert "v1 (new, draft)" in reviewer.push("refs/for/4.1")
    assert BackportVersion.objects.filter(number=1).count() == 2
    sharing.share(room.author, backport=version.backport)
    assert reviewer.refs()[mine] == version.result


def test_outsiders_and_tokens_for_something_else_are_told_that_there_is_nothing(
    room: Room, git_of: Cloned, address: str
) -> None:
    other = git_of(room.author, number=501)
    assert "not found" in other.refused("ls-remote", other.url)
    plain = git_of(room.author, "read")
    for url in (address, address.replace("//", "//x:wrong@")):
        said = other.refused("ls-remote", f"{url}/git/xsa-500.git")
        assert "Authentication failed" in said or "could not read Username" in said
    disclosed_only = secret_of(room.author, verbs=["read", "upload"])
    url = f"{address.replace('//', f'//x:{disclosed_only}@')}/git/xsa-500.git"
    assert "not found" in other.refused("ls-remote", url)
    begun(plain)
    fixed(plain)
    said = plain.refused("push", plain.url, "HEAD:refs/for/4.1")
    assert "it lacks the verb" in said
    assert "403" in said


def test_who_was_removed_between_two_pushes_is_let_in_no_more(room: Room, git_of: Cloned) -> None:
    git = begun(git_of(room.author))
    fixed(git)
    git.push("refs/for/4.1")
    begun(git)
    fixed(git, OTHER_CHECK)
    remove_person(room.team, membership=room.author.memberships.get())
    assert "Authentication failed" in git.refused("push", git.url, "HEAD:refs/for/4.1")
    assert BackportVersion.objects.count() == 1


def test_what_is_no_series_on_the_branch_is_refused_in_a_sentence(room: Room, git_of: Cloned) -> None:
    git = begun(git_of(room.author))
    said = git.refused("push", git.url, "HEAD:refs/for/4.1")
    assert "(nothing-new)" in said
    assert "remote: refs/for/4.1: The branch has all of these commits already." in said
    fixed(git)
    assert "(other-branch)" in begun(git, "origin/toy/master").refused("push", git.url, "HEAD:refs/for/4.1")
    begun(git)
    fixed(git)
    git.ok("merge", "--quiet", "--no-edit", "--strategy=ours", "origin/toy/4.3")
    assert "(merge-commit)" in git.refused("push", git.url, "HEAD:refs/for/4.1")
    git.ok("checkout", "--quiet", "--orphan", "none")
    git.ok("commit", "--quiet", "--message", "begin anew")
    assert "(unrelated)" in git.refused("push", git.url, "HEAD:refs/for/4.1")
    begun(git)
    git.ok("tag", "--annotate", "--message", "x", "x")
    assert "(not-a-commit)" in git.refused("push", git.url, "x:refs/for/4.1")
    for _ in range(101):
        git.ok("commit", "--quiet", "--allow-empty", "--message", "nothing")
    assert "(too-many-commits)" in git.refused("push", git.url, "HEAD:refs/for/4.1")
    assert Upload.objects.count() == 0


def test_what_does_not_apply_or_cannot_be_read_is_kept(room: Room, git_of: Cloned) -> None:
    git = begun(git_of(room.author))
    (git.clone / "firmware.bin").write_bytes(bytes(range(256)) * 8)
    git.ok("add", "firmware.bin")
    git.ok("commit", "--quiet", "--message", "firmware: new")
    said = git.refused("push", git.url, "HEAD:refs/for/4.1")
    upload = Upload.objects.get()
    assert (upload.advisory, upload.branch, upload.came_by) == (room.advisory, Branch.objects.get(name="4.1"), "git")
    assert b"GIT binary patch" in bytes(upload.data)
    assert "(binary-patch)" in said
    assert "Kept, but no version: The patch changes binary files only" in said
    assert f"/uploads/{upload.pk}/" in said
    begun(git)
    git.commit({"common/table.c": (LIMIT, LIMIT + CHECK)}, "table: check what is picked")
    room.workshop.toy.commit("4.1", {"common/table.c": "/* All of it was written anew. */\n"}, "table: begin anew")
    room.workshop.mine()
    assert "v1 (new, draft): conflict, 0 of 1 hunks" in git.push("refs/for/4.1")
    assert BackportVersion.objects.get().outcome == "conflict"
