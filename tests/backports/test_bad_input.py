"""Whatever comes in as a patch, its cell gets an outcome with a code and a sentence, and the others run on."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable

import pytest

from backports.git.errors import GitError
from backports.models import Attempt
from backports.services import repositories
from backports.services.advisories import ingest
from backports.services.planning import plan
from tests.backports.conftest import Workshop
from tests.backports.toy import Edits, guard
from tests.xsa.samples import advisory
from xsa.models import Fix, PatchFile

PICK: Edits = {"common/table.c": [guard("table_pick")]}
HUNK = b"@@ -1,2 +1,3 @@\n #include <toy.h>\n+int owned;\n \n"


def naming(path: bytes) -> bytes:
    return b"Subject: toy: x\n\ndiff --git a/%b b/%b\n--- a/%b\n+++ b/%b\n" % (path, path, path, path) + HUNK


def no_patch(_: Workshop) -> bytes:
    return b"Subject: lunch\n\nIt is at noon.\n"


def truncated(workshop: Workshop) -> bytes:
    whole = workshop.toy.patch("master", PICK, "table: check")
    return whole[: whole.index(b"return -ERANGE;")]


def ten_thousand_hunks(_: Workshop) -> bytes:
    hunks = (b"@@ -%d,1 +%d,1 @@\n-a%d\n+b%d\n" % (n * 9, n * 9, n, n) for n in range(1, 10_002))
    return b"--- a/common/table.c\n+++ b/common/table.c\n" + b"".join(hunks)


def fifty_megabytes(workshop: Workshop) -> bytes:
    return workshop.toy.patch("master", PICK, "table: check") + b"\n" * 50_000_000


BAD: dict[str, tuple[Callable[[Workshop], bytes], str]] = {
    "no patch": (no_patch, "no-diff"),
    "empty": (lambda _: b"", "no-diff"),
    "truncated": (truncated, "bad-hunk"),
    "out of the tree": (lambda _: naming(b"../../etc/passwd"), "unsafe-path"),
    "absolute": (
        lambda _: naming(b"x").replace(b"a/x", b"/etc/passwd").replace(b"b/x", b"/etc/passwd"),
        "unsafe-path",
    ),
    "into .git": (lambda _: naming(b".git/hooks/post-checkout"), "unsafe-path"),
    "into .GIT": (lambda _: naming(b"docs/.GIT/config"), "unsafe-path"),
    "ten thousand hunks": (ten_thousand_hunks, "too-large"),
    "fifty megabytes": (fifty_megabytes, "too-large"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_patch_is_malformed_with_a_code_and_a_sentence_and_kept(workshop: Workshop, name: str) -> None:
    make, code = BAD[name]
    data = make(workshop)
    workshop.take(950, {"xsa950.patch": data})
    workshop.take(951, {"xsa951.patch": workshop.toy.patch("master", PICK, "table: check")})
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.problem_code, row.result) == ("malformed", code, "")
    assert row.problem.endswith((".", "!"))
    file = PatchFile.objects.get(name="xsa950.patch")
    assert bytes(file.data) == data
    assert code in {problem["code"] for problem in file.problems}
    assert set(workshop.outcomes(951).values()) == {"applied"}


def test_a_link_is_not_written_through(workshop: Workshop) -> None:
    """A link in the tree, and a patch that would change what it names."""
    link = naming(b"common/table.c").replace(b"--- a", b"old mode 100644\nnew mode 120000\n--- a", 1)
    workshop.take(950, {"xsa950.patch": link})
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert row.outcome in {"malformed", "conflict"}
    assert row.result == ""
    assert row.problem_code or row.evidence["patches"][0]["files"][0]["note"]


def test_a_new_link_out_of_the_tree_is_refused(workshop: Workshop) -> None:
    new = (
        b"diff --git a/evil b/evil\nnew file mode 120000\n--- /dev/null\n+++ b/evil\n"
        b"@@ -0,0 +1 @@\n+../../../../etc/passwd\n\\ No newline at end of file\n"
    )
    workshop.take(950, {"xsa950.patch": new})
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert row.outcome in {"malformed", "conflict"}
    assert row.result == ""


def test_a_binary_change_is_a_conflict_that_says_so(workshop: Workshop) -> None:
    binary = (
        b"diff --git a/common/logo.png b/common/logo.png\nnew file mode 100644\n"
        b"index 0000000000000000000000000000000000000000..9dc8b4c2b3ee8e7e2f9a8b1c0a5fd7b2e4c1d3f0\n"
        b"Binary files /dev/null and b/common/logo.png differ\n"
    )
    workshop.take(950, {"xsa950.patch": binary})
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert row.outcome in {"malformed", "conflict"}
    assert "binary" in (row.problem + " ".join(row.reasons)).lower()


def test_a_file_with_a_wrong_hash_is_not_tried_and_says_so(workshop: Workshop) -> None:
    good = workshop.toy.patch("master", PICK, "table: check")
    files = advisory(950, lines="xsa950.patch    xen-unstable", files={"xsa950.patch": good})
    files["xsa950.patch"] = good.replace(b"ERANGE", b"EEVIL9")
    ingest(None, files=files, project="toy")
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.problem_code) == ("malformed", "hash-mismatch")


def test_a_commit_that_the_mirror_lacks_is_an_error_of_that_cell_alone(workshop: Workshop) -> None:
    workshop.toy.commit("master", PICK, "table: check\n\nThis is XSA-950.")
    workshop.mine()
    Fix.objects.get(branch="master").patches.update(commit="ab" * 20)
    workshop.take(951, {"xsa951.patch": workshop.toy.patch("4.5", PICK, "table: check")})
    workshop.work()
    row = workshop.cell(950, "4.1")
    assert (row.outcome, row.problem_code) == ("error", "no-such-commit")
    assert workshop.outcomes(951)["4.1"] == "applied"


def test_a_mirror_that_is_gone_is_an_error_and_the_next_try_after_its_return_succeeds(workshop: Workshop) -> None:
    workshop.take(950, {"xsa950.patch": workshop.toy.patch("master", PICK, "table: check")})
    aside = workshop.mirror.with_name("aside.git")
    shutil.move(workshop.mirror, aside)
    workshop.work()
    assert {row.problem_code for row in Attempt.objects.all()} <= {"not-a-repository", "mirror-missing"}
    assert set(workshop.outcomes(950).values()) == {"error"}
    shutil.move(aside, workshop.mirror)
    plan(workshop.repository, because="again")
    workshop.work()
    assert set(workshop.outcomes(950).values()) == {"applied"}


@pytest.mark.parametrize(
    ("url", "code"), [("/nowhere/at/all", "not-a-repository"), ("ext::sh -c id", "bad-url"), ("--upload-pack=x", "")]
)
def test_a_repository_that_is_none_is_refused_and_leaves_nothing(
    db: None, git_root: object, url: str, code: str
) -> None:
    with pytest.raises(GitError) as caught:
        repositories.add_repository(None, name="bad", url=url)
    assert caught.value.code == (code or "bad-name")
    assert not repositories.Repository.objects.filter(name="bad").exists()


def test_logs_tell_ids_and_codes_and_nothing_of_a_patch(workshop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = workshop.toy.patch("master", PICK, "table: zweiundvierzig")
    workshop.take(950, {"xsa950-geheimnis.patch": secret}, lines="xsa950-geheimnis.patch    xen-unstable")
    workshop.take(951, {"xsa951-geheimnis.patch": truncated(workshop)}, lines="xsa951-geheimnis.patch    xen-unstable")
    workshop.work()
    own = [record.getMessage() for record in caplog.records if record.name.startswith(("backports", "xsa", "celery"))]
    assert own
    told = "\n".join(own)
    for word in ("zweiundvierzig", "geheimnis", "table", "guest may pick", "CVE-", "ERANGE"):
        assert word not in told
