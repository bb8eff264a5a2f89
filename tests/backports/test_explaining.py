"""Stuck attempts are explained afterwards: by whose commits, and what would make the fix apply."""

from __future__ import annotations

import logging

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backports.engine.diff import parse_patch
from backports.engine.result import FileResult, HunkResult, Outcome, PatchResult, Rejection, SeriesResult
from backports.git.culprits import Culprit, Culprits, Place, Side
from backports.git.wording import Piece
from backports.models import Attempt
from backports.services import attempts, explaining
from backports.services.attempts import requeue, sweep_attempts
from backports.services.explained import MAX_WORDS, culprits_json
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, git, guard, replaced
from xsa.models import Advisory

PULL: Edits = {
    "common/queue.c": [("queue_lock(toy, QUEUE_PULL);", "if ( !queue_lock(toy, QUEUE_PULL) )\n        return -EBUSY;")]
}
OURS = ("spin_lock(&toy->queue_pull_lock);", "toy_hold(toy);")


def take(workshop: Workshop, edits: Edits, message: str = "queue: check", *, number: int = 950) -> None:
    workshop.take(number, {f"xsa{number}.patch": workshop.toy.patch("master", edits, message)})


@pytest.fixture
def stuck(workshop: Workshop) -> Workshop:
    """A fix of a line that master rewrote on the way to 4.5."""
    take(workshop, PULL)
    workshop.work()
    return workshop


def test_the_commit_that_rewrote_the_line_is_named_and_proposed(stuck: Workshop) -> None:
    assert stuck.outcomes(950) == dict.fromkeys(("4.1", "4.2", "4.3", "4.4"), "conflict") | {"4.5": "applied"}
    stuck.explain()
    row = stuck.cell(950, "4.3")
    assert (row.outcome, row.result, row.prerequisites) == ("needs-prerequisite", "", [])
    assert row.explained_at is not None
    (hunk,) = row.evidence["culprits"]["hunks"]
    assert (hunk["patch"], hunk["file"], hunk["hunk"], hunk["path"]) == (1, 1, 1, "common/queue.c")
    (commit,) = hunk["commits"]
    assert (commit["subject"], commit["side"]) == ("toy: on the way to 4.5", "source")
    assert commit["lines"] == ["queue_lock(toy, QUEUE_PULL);"]
    assert commit["strange"] == ["spin_lock(&toy->queue_pull_lock);"]
    assert row.evidence["patches"], "what the attempt found stays"


def test_the_proposal_is_the_set_and_the_fix_as_commits_on_the_branch(stuck: Workshop) -> None:
    stuck.explain()
    row = stuck.cell(950, "4.3")
    (one,) = row.evidence["prerequisite_sets"]
    assert [commit["subject"] for commit in one["commits"]] == ["toy: on the way to 4.5"]
    shown = git(stuck.results(950), "log", "--format=%s", f"{row.tip}..{one['result']}").decode().splitlines()
    assert shown == ["queue: check", "toy: on the way to 4.5"]
    after = git(stuck.results(950), "show", f"{one['result']}:common/queue.c").decode()
    assert after == replaced(stuck.toy.text("4.5", "common/queue.c"), PULL["common/queue.c"])  # type: ignore[arg-type]
    assert (
        git(stuck.results(950), "rev-parse", f"refs/proposals/{row.pk}/prerequisites").decode().strip() == one["result"]
    )
    assert git(stuck.results(950), "fsck", "--strict") == b""


def test_explaining_twice_changes_nothing(stuck: Workshop) -> None:
    stuck.explain()
    before = list(Attempt.objects.order_by("pk").values())
    assert explaining.explain_attempt(str(stuck.cell(950, "4.3").pk)) == ""
    assert stuck.explain() == []
    assert list(Attempt.objects.order_by("pk").values()) == before


def test_what_the_branch_rewrote_itself_stays_a_conflict_with_its_commit_named(workshop: Workshop) -> None:
    workshop.toy.commit("4.1", {"common/queue.c": [OURS]}, "queue: hold")
    workshop.mine()
    take(workshop, {"common/queue.c": [("toy->next_pull;", "toy->next_pull_of(queue_pull_index);")]})
    take(workshop, PULL, number=951)
    workshop.work()
    workshop.explain()
    row = workshop.cell(951, "4.1")
    assert row.outcome == "conflict"
    sides = {one["side"] for hunk in row.evidence["culprits"]["hunks"] for one in hunk["commits"]}
    assert "target" in sides
    assert "prerequisite_sets" not in row.evidence


def test_a_part_without_code_here_may_be_left_out_and_what_is_left_is_offered(workshop: Workshop) -> None:
    take(workshop, {"common/table.c": [guard("table_pick")], "drivers/console.c": [guard("console_write")]})
    workshop.work()
    workshop.explain()
    row = workshop.cell(950, "4.2")
    assert row.outcome == "needs-prerequisite"  # the commit that brought the driver makes it apply too
    drops = row.evidence["drops"]
    assert (drops["outcome"], drops["landed"], drops["total"]) == ("applied", 1, 1)
    (part,) = drops["parts"]
    assert (part["path"], part["header"]) == ("drivers/console.c", "")
    assert "is not in this branch under any name" in part["sentence"]
    changed = git(workshop.results(950), "diff", "--name-only", row.tip, drops["result"])
    assert changed == b"common/table.c\n"


def test_nothing_is_explained_while_anything_waits(stuck: Workshop) -> None:
    requeue(None, attempts=[stuck.cell(950, "4.5")])
    del stuck.sent[:]
    assert explaining.send() == 0
    stuck.work()
    del stuck.sent[:]
    assert sweep_attempts() == 4
    assert [text.partition(" ")[0] for text in stuck.sent] == ["explain"] * 4
    assert explaining.send() == 0, "what was sent lately is not sent again"


def test_what_was_sent_is_put_off_when_a_new_advisory_comes_in_meanwhile(stuck: Workshop) -> None:
    assert explaining.send() == 4
    take(stuck, {"common/table.c": [guard("table_pick")]}, number=951)
    pk = stuck.cell(950, "4.3").pk
    assert explaining.explain_attempt(str(pk)) == ""
    assert stuck.cell(950, "4.3").explained_at is None
    stuck.work()
    assert explaining.send() == 1, "what was put off is sent again"
    assert explaining.explain_attempt(str(pk)) == "needs-prerequisite"


def test_who_tries_again_does_not_wait_for_the_explanation(stuck: Workshop) -> None:
    old = stuck.cell(950, "4.3")
    requeue(None, attempts=[old])
    new = stuck.cell(950, "4.3")
    attempts.run_attempt(str(new.pk))
    assert stuck.sent[-1] == f"explain {new.pk}"
    assert explaining.explain_attempt(str(old.pk)) == "", "a replaced attempt is left alone"
    assert explaining.explain_attempt(str(new.pk)) == "needs-prerequisite"


@pytest.mark.parametrize(
    ("what", "files"),
    [("prerequisites", ["common/table.c", "drivers/console.c"]), ("drops", ["common/table.c"])],
)
def test_a_proposal_is_mail_that_git_takes_on_the_branch(workshop: Workshop, what: str, files: list[str]) -> None:
    take(workshop, {"common/table.c": [guard("table_pick")], "drivers/console.c": [guard("console_write")]})
    Advisory.objects.update(disclosed_at=timezone.now(), disclosure_reason="test")
    workshop.work()
    workshop.explain()
    row = workshop.cell(950, "4.2")
    answer = Client().get(reverse("explained", args=[row.pk, what]))
    assert answer["Content-Disposition"] == f'attachment; filename="xsa950-4.2-{what}.patch"'
    assert b"PROPOSAL: " in answer.content
    tree = workshop.toy.path.parent / "tree"
    git(workshop.toy.path, "worktree", "add", "--detach", str(tree), row.tip)
    git(tree, "am", "--keep-cr", data=answer.content)
    assert git(tree, "diff", "--name-only", row.tip).decode().split() == files
    page = Client().get(reverse("attempt", args=[row.pk])).content.decode()
    assert reverse("explained", args=[row.pk, what]) in page


def test_an_advisory_does_not_build_on_a_fix_that_waits_for_commits(workshop: Workshop) -> None:
    below: Edits = {**PULL, "common/table.c": [guard("table_pick")]}
    take(workshop, below)
    workshop.toy.commit("refs/unseen/below", below, on="refs/heads/master")
    more: Edits = {
        "common/table.c": [
            ("    if ( table_pick_index >= table_pick_limit )\n        return -ERANGE;\n", "    return -EPERM;\n")
        ]
    }
    recipes = {"master": {"Patches": ["xsa951.patch"], "Prereqs": [950]}}
    workshop.take(951, {"xsa951.patch": workshop.toy.patch("refs/unseen/below", more, "table: more")}, recipes=recipes)
    workshop.work()
    workshop.explain()
    assert (workshop.outcomes(950)["4.3"], workshop.cell(950, "4.3").hunks_landed) == ("needs-prerequisite", 1)
    requeue(None, attempts=[workshop.cell(951, "4.3"), workshop.cell(951, "4.5")])
    workshop.work()
    assert (workshop.cell(951, "4.3").outcome, workshop.cell(951, "4.3").prerequisites) == ("conflict", [])
    assert workshop.cell(951, "4.5").prerequisites == [950], "where it applied, it is built on"


def test_a_result_repository_that_is_gone_is_told_by_its_code_only(
    stuck: Workshop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stuck.mirror / "HEAD").unlink()
    with caplog.at_level(logging.INFO):
        assert explaining.explain_attempt(str(stuck.cell(950, "4.3").pk)) == "conflict"
    assert "code=not-a-repository" in caplog.text
    assert "queue" not in caplog.text
    assert stuck.cell(950, "4.3").explained_at is not None


def test_very_many_words_are_left_out_but_their_commits_are_told() -> None:
    patch = parse_patch(b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n")
    hunk = HunkResult(patch.files[0].hunks[0], rejection=Rejection("no-place", "None."))
    file = FileResult(patch.files[0], "f", Outcome.CONFLICT, (hunk,) * 3)
    result = SeriesResult(Outcome.CONFLICT, (PatchResult(patch, Outcome.CONFLICT, (file,)),))
    long = Culprit("ab" * 20, "Long", Side.SOURCE, (), (), 1, 1, ((Piece("+", b"x" * (MAX_WORDS // 2)),),))
    found = culprits_json(Culprits({Place(0, 0, number): (long,) for number in range(3)}), result)
    hunks = found["culprits"]["hunks"]
    assert [(one["hunk"], len(one["commits"][0]["words"])) for one in hunks] == [(1, 1), (2, 1), (3, 0)]
