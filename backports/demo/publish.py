"""Renders the demo's patches and advisory texts in the styles and the layout that Xen publishes."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from enum import StrEnum

import pygit2

from .repository import AppliedChange

_NO_OID = "0" * 40


class Style(StrEnum):
    """The tool that a patch file looks made by."""

    GIT = "git"
    PLAIN = "plain"
    QUILT = "quilt"
    HG = "hg"
    P0 = "p0"


def patch_file(applied: AppliedChange, style: Style, encoding: str = "utf-8") -> bytes:
    """One patch as a file, its message in `encoding`."""
    diffs = file_diffs(applied)
    return _head(applied, style, diffs).encode(encoding) + _body(applied, style, diffs) + _tail(style)


def file_diffs(applied: AppliedChange) -> list[tuple[str, bytes]]:
    """Each changed path with its diff as git writes it, blob ids in full."""
    paths = sorted({*applied.before, *applied.after})
    changed = [path for path in paths if applied.before.get(path) != applied.after.get(path)]
    return [(path, _diff(path, applied.before.get(path), applied.after.get(path))) for path in changed]


def _diff(path: str, before: bytes | None, after: bytes | None) -> bytes:
    data = pygit2.Patch.create_from(before, after, old_as_path=path, new_as_path=path).data
    hunks = data[data.index(b"\n--- ") + 1 :]
    head = f"diff --git a/{path} b/{path}\nindex {_oid(before)}..{_oid(after)} 100644\n"
    return head.encode() + hunks


def _oid(data: bytes | None) -> str:
    return _NO_OID if data is None else str(pygit2.hash(data))


def _head(applied: AppliedChange, style: Style, diffs: Sequence[tuple[str, bytes]]) -> str:
    subject, _, body = applied.message.partition("\n")
    date = format_datetime(applied.when)
    author = applied.change.author
    if style is Style.HG:
        return f"# HG changeset patch\n# User {author}\n# Date {int(applied.when.timestamp())} 0\n\n{subject}\n{body}\n"
    if style is Style.GIT:
        commit = applied.oid or hashlib.sha1(applied.message.encode(), usedforsecurity=False).hexdigest()
        opening = f"From {commit} Mon Sep 17 00:00:00 2001\nFrom: {author}\nDate: {date}\n"
        return f"{opening}Subject: [PATCH] {subject}\n{body}---\n{_stat(diffs)}\n"
    return f"From: {author}\nSubject: {subject}\n{body}\n"


def _stat(diffs: Sequence[tuple[str, bytes]]) -> str:
    rows, total = [], 0
    for path, data in diffs:
        lines = data[data.index(b"\n@@ ") :].split(b"\n")
        touched = [line[:1].decode() for line in lines if line[:1] in (b"+", b"-")]
        total += len(touched)
        rows.append(f" {path} | {len(touched)} {''.join(sorted(touched))}\n")
    files = "file" if len(rows) == 1 else "files"
    return "".join(rows) + f" {len(rows)} {files} changed, {total} lines\n"


def _body(applied: AppliedChange, style: Style, diffs: Sequence[tuple[str, bytes]]) -> bytes:
    if style in {Style.GIT, Style.PLAIN}:
        return b"".join(data for _, data in diffs)
    return b"".join(
        _file_head(applied, style, path).encode() + data[data.index(b"\n@@ ") + 1 :] for path, data in diffs
    )


def _file_head(applied: AppliedChange, style: Style, path: str) -> str:
    if style is Style.QUILT:
        return f"Index: toyvisor/{path}\n{'=' * 67}\n--- toyvisor.orig/{path}\n+++ toyvisor/{path}\n"
    if style is Style.HG:
        stamp = applied.when.strftime("%a %b %d %H:%M:%S %Y +0000")
        old, new = (hashlib.sha256(f"{applied.message}{side}".encode()).hexdigest()[:12] for side in "ab")
        return f"diff -r {old} -r {new} {path}\n--- a/{path}\t{stamp}\n+++ b/{path}\t{stamp}\n"
    return f"--- {path}.orig\n+++ {path}\n"


def _tail(style: Style) -> bytes:
    return b"-- \n2.39.0\n\n" if style is Style.GIT else b""


@dataclass(frozen=True, slots=True)
class Notice:
    """What an advisory says. `resolution` pairs a file pattern with its targets; `updates` is for version 2 on."""

    number: int
    cve: str
    title: str
    description: str
    impact: str
    vulnerable: str
    resolution: tuple[tuple[str, str], ...]
    deployment: str = "all"
    updates: Mapping[int, str] | None = None


_DEPLOYMENT = {
    "all": "Deployment of the patches and mitigations above is permitted while the embargo lasts.",
    "patches": "Deployment of the patches above is permitted while the embargo lasts. "
    "HOWEVER deployment of the mitigation is NOT permitted: it can be seen by guests.",
    "nothing": "Deployment of patches or mitigations is NOT permitted while the embargo lasts.",
}


def advisory_text(notice: Notice, version: int, files: Mapping[str, bytes], wrong: frozenset[str]) -> bytes:
    """The text of one version, not signed. The digests of files named in `wrong` are those of something else."""
    heading = f"Xen Security Advisory {notice.cve} / XSA-{notice.number}"
    lines = ["", heading.center(72).rstrip()]
    if version > 1:
        lines.append(f"version {version}".center(72).rstrip())
    lines += ["", notice.title.center(72).rstrip(), ""]
    for title, text in _sections(notice, version):
        lines += [title, "=" * len(title), "", *textwrap.wrap(text, 72), ""]
    return ("\n".join([*lines, *_resolution(notice), *_digests(notice, files, wrong)]) + "\n").encode()


def _sections(notice: Notice, version: int) -> list[tuple[str, str]]:
    sections = [
        ("ISSUE DESCRIPTION", notice.description),
        ("IMPACT", notice.impact),
        ("VULNERABLE SYSTEMS", notice.vulnerable),
        ("MITIGATION", "There is no mitigation besides running trusted guests only."),
        ("CREDITS", "This was found by Security Engineer One of Example Security Team."),
    ]
    if version > 1 and notice.updates:
        sections.insert(0, (f"UPDATES IN VERSION {version}", notice.updates[version]))
    if notice.deployment == "none":
        sections.append(
            ("NOTE REGARDING LACK OF EMBARGO", "The matter was discussed in public before it was reported.")
        )
    else:
        sections.append(("DEPLOYMENT DURING EMBARGO", _DEPLOYMENT[notice.deployment]))
    return sections


def _resolution(notice: Notice) -> list[str]:
    opening = "Applying the patches of the matching line resolves this."
    rows = [f"{pattern:<28}  {targets}" for pattern, targets in notice.resolution]
    return ["RESOLUTION", "==========", "", opening, "", *rows, ""]


def _digests(notice: Notice, files: Mapping[str, bytes], wrong: frozenset[str]) -> list[str]:
    glob = f"xsa{notice.number}*" + ("/*" if any("/" in name for name in files) else "")
    rows = [f"{_digest(name, data, wrong)}  {name}" for name, data in sorted(files.items())]
    return [f"$ sha256sum {glob}", *rows, "$"]


def _digest(name: str, data: bytes, wrong: frozenset[str]) -> str:
    return hashlib.sha256(data + b" " if name in wrong else data).hexdigest()


def meta_file(
    number: int, recipes: Mapping[str, Sequence[str]], stable_refs: Mapping[str, str], prereqs: Sequence[int]
) -> bytes:
    """The `.meta` file: `recipes` maps each branch to its patches, which may be none."""
    inner = {
        branch: {
            "Recipes": {
                "xen": {"StableRef": stable_refs[branch], "Prereqs": list(prereqs), "Patches": list(patches)},
            },
        }
        for branch, patches in sorted(recipes.items())
    }
    whole = {"XSA": number, "SupportedVersions": list(recipes), "Trees": ["xen"], "Recipes": inner}
    return json.dumps(whole, indent=2).encode() + b"\n"
