"""Rows for tests, one small function for each noun; what a test does not care about has a plain default."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from backports.models import (
    Attempt,
    Backport,
    BackportVersion,
    Branch,
    Check,
    Repository,
    Upload,
    UpstreamFix,
    VersionPatch,
)
from xsa.models import Admission, Advisory, AdvisoryVersion, Fix, FixPatch, Membership, Organisation, PatchFile, User

DAY = datetime(2024, 5, 7, 12, 0, tzinfo=UTC)
PLANNED = datetime(2031, 3, 4, 12, 0, tzinfo=UTC)
OID = "1234567890abcdef1234567890abcdef12345678"


def person(username: str, *, listed: bool = False, security_team: bool = False, contact: bool = True) -> User:
    """Somebody with a membership in an organisation of their own, and a second factor."""
    user: User = User.objects.create_user(username=username, password="a long enough password")
    organisation = Organisation.objects.create(name=f"Example {username}", listed=listed, security_team=security_team)
    Membership.objects.create(user=user, organisation=organisation, contact=contact)
    user.cleared = True
    return user


def admit(user: User, to: Advisory) -> Admission:
    """Let somebody into one advisory's room, as the member of their one organisation."""
    return Admission.objects.create(advisory=to, membership=user.memberships.get(), admitted_by=user)


def log_in(client: Client, user: User) -> Client:
    """The client of somebody who logged in with password and second factor."""
    client.force_login(user)
    session = client.session
    now = time.time()
    session["account_authentication_methods_user"] = str(user.pk)
    session["account_authentication_methods"] = [{"method": "password", "at": now}, {"method": "mfa", "at": now}]
    session.save()
    return client


def repository(name: str = "xen", **columns: Any) -> Repository:
    """A mirror's row; there is no repository on disk."""
    return Repository.objects.create(
        name=name, project=columns.pop("project", name), url="https://git.example.org/x.git", **columns
    )


def branch(of: Repository, name: str = "4.11", **columns: Any) -> Branch:
    """A stable branch, or master."""
    rank = 9999 if name == "master" else int(name.split(".")[0]) * 100 + int(name.split(".")[1])
    values = {"ref": f"refs/heads/stable-{name}", "tip": OID, "tip_date": DAY, "rank": rank} | columns
    return Branch.objects.create(repository=of, name=name, **values)


def advisory(
    number: int,
    *,
    disclosed: bool = True,
    title: str = "guests can do a thing",
    cves: tuple[str, ...] = (),
    **version: Any,
) -> Advisory:
    """An advisory with one version."""
    row = Advisory.objects.create(
        number=number,
        disclosed_at=DAY if disclosed else None,
        disclosure_reason="test" if disclosed else "",
        planned_disclosure_at=None if disclosed else PLANNED,
    )
    values = {"number": 1, "title": title, "cves": list(cves), "digest": "0" * 64} | version
    row.current = AdvisoryVersion.objects.create(advisory=row, **values)
    row.save(update_fields=["current"])
    return row


def patch_file(of: Advisory | None, name: str = "xsa.patch", data: bytes = b"--- a\n", **columns: Any) -> PatchFile:
    """A file that came in; without an advisory one that could not be read."""
    return PatchFile.objects.create(
        version=of.current if of else None,
        name=name,
        kind="patch",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        data=data,
        **columns,
    )


def fix(of: Advisory, on: str = "master", *, file: PatchFile | None = None, commit: str = "") -> Fix:
    """A fix of the current version, of one patch: a file, or else a commit."""
    row = Fix.objects.create(version=of.current, branch=on, origin="resolution", digest=f"{on:0<64}")
    FixPatch.objects.create(fix=row, position=0, file=file, commit="" if file else commit or OID)
    return row


def attempt(of: Advisory, on: Branch, outcome: str = "applied", **columns: Any) -> Attempt:
    """A finished attempt; `state="waiting"` or `"running"` makes one that is not."""
    values: dict[str, Any] = {"state": "done", "input_key": "0" * 64, "tip": OID, "seen_tip": OID, "because": "demo"}
    if columns.get("state", "done") == "done":
        values |= {"outcome": outcome, "finished_at": DAY}
    if outcome == "applied" and "state" not in columns:
        values |= {"rung": "exact", "confidence": "high", "hunks_landed": 2, "hunks_total": 2, "result": OID}
    return Attempt.objects.create(advisory=of, branch=on, **(values | columns))


def upstream_fix(of: Advisory, on: Branch) -> UpstreamFix:
    """The branch holds the official fix."""
    return UpstreamFix.objects.create(advisory=of, branch=on, commits=[OID])


def evidence(*, lines: list[list[str]] | None = None, path: str = "xen/common/a.c") -> dict[str, Any]:
    """Evidence with one hunk that landed and one that did not."""
    shown = lines or [[" ", "int a;"], ["-", "int b;"], ["+", "int c;"]]
    landed = {"rung": "offset", "line": 12, "offset": 3, "fuzz": 0}
    rejection = {
        "code": "no-place",
        "sentence": "Nothing like it is here.",
        "line": 40,
        "likeness": 0.62,
        "ours": ["int z;", "int y;"],
    }
    hunks = [
        {"header": "@@ -9,2 +9,2 @@ f", "lines": shown, "placement": landed, "rejection": None},
        {"header": "@@ -30,2 +30,2 @@ g", "lines": shown, "placement": None, "rejection": rejection},
    ]
    file = {
        "path": path,
        "old_path": "xen/arch/old.c",
        "new_path": path,
        "kind": "modify",
        "outcome": "partly-applied",
        "rung": "offset",
        "note": "found under another name",
        "hunks": hunks,
    }
    source = {
        "branch": "4.12",
        "origin": "resolution",
        "outcome": "partly-applied",
        "rung": "offset",
        "confidence": "review",
        "landed": 1,
        "total": 2,
        "problem_code": "",
        "problem": "",
        "chosen": True,
    }
    patch = {"subject": "a fix", "author": "One <one@example.org>", "outcome": "partly-applied", "files": [file]}
    return {"sources": [source], "patches": [patch], "cut": False}


def full_evidence() -> dict[str, Any]:
    """Evidence with every part: a file that is gone, hunks that landed, did not, and were taken back, flags."""
    found = evidence()
    (file,) = found["patches"][0]["files"]
    landed, rejected = file["hunks"]
    landed |= {
        "placement": {"rung": "adjacent", "line": 12, "offset": 3, "fuzz": 0},
        "note": "the target differs beside it",
        "trail": [
            _step("exact", "nothing"),
            _step("already", "nothing"),
            _step("three-way", "refused", 13, "touched-by-target", "The target changed the same lines."),
            _step("adjacent", "landed", 12),
        ],
        "places": [
            {"line": 90, "likeness": 0.741, "heading": "int g(void)"},
            {"line": 200, "likeness": 0.5, "heading": ""},
        ],
    }
    rejected |= {"note": "", "trail": [_step("exact", "nothing"), _step("offset", "nothing")], "places": []}
    rejected["rejection"]["code"] = "preimage-not-found"
    withheld = rejected | {"trail": [_step("exact", "nothing"), _step("offset", "landed", 40)]}
    withheld["rejection"] = rejected["rejection"] | {"code": "missing-symbol"}
    file |= {"hunks": [landed, rejected, withheld], "code": ""}
    gone = {**file, "path": "xen/arch/gone.c", "outcome": "conflict", "code": "file-not-found", "note": "It is gone."}
    gone["hunks"] = [{**rejected, "trail": []}]
    found["patches"][0]["files"].append(gone)
    return found | {
        "flags": [_flag()],
        "grounds": "To be looked at: guards found something.",
        "probability": 0.5,
        "told": ["xen/common/a.c: hunk 2 did not land: Nothing like it is here."],
        "range_diff": {"patches": [{"mark": "!", "subject": "a fix", "lines": _compared()}], "cut": False},
    }


def _step(rung: str, answer: str, line: int = 0, code: str = "", sentence: str = "") -> dict[str, Any]:
    return {"rung": rung, "answer": answer, "line": line, "code": code, "sentence": sentence}


def _flag() -> dict[str, Any]:
    return {
        "code": "missing-symbol",
        "sentence": "the tree does not know helper.",
        "path": "xen/common/a.c",
        "lines": [14, 15],
        "around": [{"line": 13, "lines": [[False, "{"], [True, "    helper(x);"], [True, "    helper(y);"]]}],
        "introduced": [{"name": "helper", "oid": OID, "subject": "bring the helper"}],
    }


def _compared() -> list[str]:
    return ["@@ a.c: int f(void)", "  ## a.c ##", " @@ a.c: int f(void)", "  {", "-+    old(x);", "++    new(x);"]


def forget(of: Advisory) -> None:
    """Take an advisory away with everything that hangs on it."""
    FixPatch.objects.filter(fix__version__advisory=of).delete()
    Advisory.objects.filter(pk=of.pk).update(current=None)
    of.delete()


def backport(of: Advisory, on: Branch, by: Organisation, user: User, **columns: Any) -> Backport:
    """A member's backport without a version."""
    values = {"started_by": user, "started_at": DAY} | columns
    return Backport.objects.create(advisory=of, branch=on, organisation=by, **values)


def version(of: Backport, number: int = 1, data: bytes = b"--- a\n", **columns: Any) -> BackportVersion:
    """A version of one patch that applied."""
    values = {
        "digest": hashlib.sha256(data + b"%d" % number).hexdigest(),
        "made_by": of.started_by,
        "made_at": DAY,
        "came_by": "browser",
        "base": OID,
        "outcome": "applied",
    } | columns
    row = BackportVersion.objects.create(backport=of, number=number, **values)
    VersionPatch.objects.create(version=row, position=0, name="a.patch", data=data)
    Backport.objects.filter(pk=of.pk).update(current=row)
    return row


def upload(by: Organisation, user: User, data: bytes = b"--- a\n", **columns: Any) -> Upload:
    """Bytes that somebody sent."""
    values = {"made_at": DAY, "came_by": "browser", "name": "a.patch"} | columns
    facts = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "data": data}
    return Upload.objects.create(organisation=by, made_by=user, **facts, **values)


def check(of: BackportVersion, state: str = "success", **columns: Any) -> Check:
    """A machine's result of the author's own organisation."""
    values = {"organisation": of.backport.organisation, "made_by": of.made_by, "made_at": DAY, "name": "build"}
    return Check.objects.create(version=of, state=state, **(values | columns))
