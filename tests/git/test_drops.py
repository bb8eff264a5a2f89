"""Parts of a fix that a branch has no code for, and the proof of it."""

from __future__ import annotations

from pathlib import Path

from backports.engine.diff import parse_series
from backports.engine.ladder import apply_series
from backports.engine.result import Outcome
from backports.git.drops import Drop, enclosing, find_drops, without
from backports.git.patches import format_patch
from backports.git.store import commit_at, open_repository
from backports.git.tree import GitTree, diff_lines

PATH = "store/request.c"
OLD = "".join(
    f"static int {verb}_request(struct request *req)\n{{\n    int {verb}_limit = req->{verb}_count;\n\n"
    f"    trace_{verb}_request(req, {verb}_limit);\n    return {verb}_limit;\n}}\n\n"
    for verb in ("open", "close", "watch")
)
QUOTA = """\
static int quota_of_request(struct request *req)
{
    int quota_left = req->quota_total;

    charge_quota_of(req, quota_left);
    return quota_left;
}

"""
REWORKED = QUOTA.replace("quota", "share")
LARGE = "".join(f"int account_{number}(struct account *account_{number});\n" for number in range(30))
Edit = tuple[str, str]
CLOSE: Edit = ("trace_close_request(req, close_limit);", "trace_close_request(req, 0);")
CHARGE: Edit = ("charge_quota_of(req, quota_left);", "if ( quota_left > 0 )\n        charge_quota_of(req, quota_left);")


def edited(text: str, *edits: Edit) -> str:
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


class Case:
    """A branch made at `first`, and a fix made at the end of master."""

    def __init__(
        self, project, *, brought: dict[str, str], fixed: dict[str, str], branch: dict[str, str] | None = None
    ):
        first = project.commit("Begin", {PATH: OLD.encode(), "store/misc.c": REWORKED.encode()})
        project.branch("stable-4.1", first)
        own = {path: data.encode() for path, data in (branch or {"version": "4.1\n"}).items()}
        self.target = project.commit("Start 4.1", own, branch="stable-4.1")
        self.origin = project.commit("Bring what is new", {path: data.encode() for path, data in brought.items()})
        fix = project.commit("Mend", {path: data.encode() for path, data in fixed.items()})
        self.path = Path(project.path)
        self.repo = open_repository(self.path)
        self.base = str(commit_at(self.repo, fix).parents[0].id)
        self.patches = parse_series(format_patch(self.repo, fix))
        self.tree = GitTree(self.repo, self.target, base_treeish=self.base)
        self.result = apply_series(self.patches, self.tree, differ=diff_lines)

    @property
    def drops(self) -> tuple[Drop, ...]:
        return find_drops(self.path, self.result, self.base, self.target)


def test_a_hunk_in_a_function_that_the_branch_never_had_may_be_left_out(project) -> None:
    new = OLD + QUOTA
    case = Case(project, brought={PATH: new}, fixed={PATH: edited(new, CLOSE, CHARGE)})
    assert case.result.outcome is Outcome.PARTLY_APPLIED
    (drop,) = case.drops
    assert (drop.patch, drop.file, drop.hunk, drop.path, drop.name) == (0, 0, 1, PATH, b"quota_of_request")
    assert drop.origin == case.origin
    assert b"charge_quota_of(req, quota_left);" in drop.lines
    assert drop.sentence.startswith("quota_of_request is not in store/request.c, its name occurs nowhere in the tree")
    rest = apply_series(without(case.patches, case.drops), case.tree, differ=diff_lines)
    assert rest.outcome is Outcome.APPLIED
    assert rest.patches[0].changes[PATH].data == edited(OLD, CLOSE).encode()


def test_a_file_that_the_branch_never_had_may_be_left_out(project) -> None:
    fixed = {PATH: edited(OLD, CLOSE), "store/quota.c": edited(QUOTA, CHARGE)}
    case = Case(project, brought={"store/quota.c": QUOTA}, fixed=fixed)
    (drop,) = case.drops
    assert (drop.hunk, drop.path, drop.name) == (None, "store/quota.c", b"")
    assert drop.sentence.startswith("store/quota.c is not in this branch under any name, and none of the ")
    assert [file.path for patch in without(case.patches, case.drops) for file in patch.files] == [PATH]


def test_code_that_stands_elsewhere_in_the_tree_is_not_left_out(project) -> None:
    new = OLD + QUOTA
    inlined = "int all_in_one(struct request *req)\n{\n    charge_quota_of(req, quota_left);\n}\n"
    case = Case(
        project, brought={PATH: new}, fixed={PATH: edited(new, CHARGE)}, branch={"tools/one.c": inlined, "v": "4.1\n"}
    )
    assert case.drops == ()


def test_a_function_whose_name_occurs_anywhere_is_not_left_out(project) -> None:
    new = OLD + QUOTA
    case = Case(
        project,
        brought={PATH: new},
        fixed={PATH: edited(new, CHARGE)},
        branch={"tools/one.c": "extern int quota_of_request(void);\n"},
    )
    assert case.drops == ()


def test_code_that_was_only_reworked_is_not_left_out_since_its_older_form_may_be_vulnerable(project) -> None:
    brought = {PATH: OLD + QUOTA, "store/misc.c": "int misc;\n"}
    case = Case(project, brought=brought, fixed={PATH: edited(OLD + QUOTA, CHARGE)})
    assert case.drops == ()


def test_lines_that_are_common_even_where_the_fix_was_made_prove_nothing(project) -> None:
    twins = OLD + QUOTA + QUOTA.replace("quota_of_request", "other_request") + LARGE
    twin = twins.replace(*CHARGE, 1)
    case = Case(project, brought={PATH: twins}, fixed={PATH: twin})
    assert all(b"charge_quota_of(req, quota_left);" not in drop.lines for drop in case.drops)


def test_an_addition_belongs_to_a_function_only_inside_it(project) -> None:
    between = OLD.replace("static int close", "static int helper(void)\n{\n    return 1;\n}\n\nstatic int close", 1)
    project.commit("Begin", {PATH: OLD.encode()})
    outside = project.commit("Add a helper", {PATH: between.encode()})
    inside = project.commit("Say more", {PATH: between.replace("    return 1;", "    say();\n    return 1;").encode()})
    for oid, text, name in ((outside, OLD, b""), (inside, between, b"helper")):
        (hunk,) = parse_series(format_patch(project.repo, oid))[0].files[0].hunks
        assert enclosing(hunk, text.encode()) == name


def test_an_addition_to_a_type_is_in_what_the_section_names(project) -> None:
    members = "".join(f"    int member_{number};\n" for number in range(9))
    project.commit("Begin", {"quota.h": f"struct quota {{\n{members}}};\n".encode()})
    more = members.replace("    int member_6;\n", "    int member_6;\n    int more;\n")
    fix = project.commit("More", {"quota.h": f"struct quota {{\n{more}}};\n".encode()})
    (hunk,) = parse_series(format_patch(project.repo, fix))[0].files[0].hunks
    assert enclosing(hunk, b"") == b"quota"


def test_a_search_that_takes_too_long_proposes_nothing(project) -> None:
    new = OLD + QUOTA.replace("quota", "allowance")  # what was searched for before is remembered by tree
    charge = tuple(text.replace("quota", "allowance") for text in CHARGE)
    case = Case(project, brought={PATH: new}, fixed={PATH: edited(new, charge)})
    assert find_drops(case.path, case.result, case.base, case.target, seconds=0.0) == ()
    assert len(case.drops) == 1


def test_a_fix_of_which_nothing_is_left_is_no_fix(project) -> None:
    case = Case(project, brought={"store/quota.c": QUOTA}, fixed={"store/quota.c": edited(QUOTA, CHARGE)})
    assert without(case.patches, case.drops) == ()
