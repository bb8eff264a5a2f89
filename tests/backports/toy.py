"""A small project of our own with master and stable-4.5 … stable-4.1, the same to the commit id each time.

    master ──┬──────────┬──────────┬──────────┬──────────┬── …
            4.1        4.2        4.3        4.4        4.5

Between the releases: 4.2 a comment on top of the tables (lines move), 4.3 a console driver, 4.4 the timer
moved from arch/ to common/, 4.5 a line beside the queue's lock was rewritten.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

AUTHOR = "Security Engineer One"
MAIL = "one@example.org"
FIRST_SECOND = 1_300_000_000
BRANCHES = ("4.1", "4.2", "4.3", "4.4", "4.5")

Replacement = tuple[str, str]
Edits = Mapping[str, Sequence[Replacement] | str | None]


def function(name: str, *body: str) -> str:
    """One C function with enough lines of its own to be told apart."""
    lines = [f"int {name}(struct toy *toy, unsigned int {name}_index)", "{"]
    lines += [f"    unsigned int {name}_limit = toy->{name}_count;", ""]
    lines += [f"    {line}" for line in body]
    lines += [f"    toy_trace(toy, TRACE_{name.upper()}, {name}_index);", f"    return {name}_limit ? 0 : -EINVAL;"]
    return "\n".join([*lines, "}", "", ""])


def table() -> str:
    return "#include <toy.h>\n\n" + "".join(
        function(f"table_{verb}", f"toy->table[table_{verb}_index].{verb} = true;")
        for verb in ("pick", "place", "drop", "sort", "walk")
    )


def queue() -> str:
    return "#include <toy.h>\n#include <queue.h>\n\n" + "".join(
        function(
            f"queue_{verb}",
            f"spin_lock(&toy->queue_{verb}_lock);",
            f"toy->queue[queue_{verb}_index] = toy->next_{verb};",
            f"spin_unlock(&toy->queue_{verb}_lock);",
        )
        for verb in ("push", "pull", "peek")
    )


def timer() -> str:
    return "#include <toy.h>\n#include <timer.h>\n\n" + "".join(
        function(f"timer_{verb}", f"toy->timers[timer_{verb}_index].{verb}_at = toy_now();")
        for verb in ("arm", "fire", "stop", "migrate")
    )


def console() -> str:
    return "#include <toy.h>\n#include <console.h>\n\n" + "".join(
        function(f"console_{verb}", f"toy->console.{verb}(console_{verb}_index);") for verb in ("write", "read")
    )


@dataclass
class Toy:
    """The repository under construction; `moment` is a clock that ticks once a commit."""

    path: Path
    moment: int = FIRST_SECOND

    @classmethod
    def build(cls, path: Path) -> Toy:
        """The whole history at `path`, as a bare repository."""
        pygit2.init_repository(str(path), bare=True)
        toy = cls(path)
        toy.commit("refs/heads/master", {"common/table.c": table(), "common/queue.c": queue(), "arch/timer.c": timer()})
        changes: dict[str, Edits] = {
            "4.1": {"docs/notes.txt": "A toy.\n"},
            "4.2": {"common/table.c": [("#include <toy.h>\n", "/*\n * Tables of the toy.\n */\n#include <toy.h>\n")]},
            "4.3": {"drivers/console.c": console()},
            "4.4": {"arch/timer.c": None, "common/timer.c": timer()},
            "4.5": {"common/queue.c": [("spin_lock(&toy->queue_pull_lock);", "queue_lock(toy, QUEUE_PULL);")]},
        }
        for branch, edits in changes.items():
            toy.commit("refs/heads/master", edits, f"toy: on the way to {branch}")
            toy.branch(f"refs/heads/stable-{branch}", "refs/heads/master")
        return toy

    @property
    def repo(self) -> pygit2.Repository:
        return pygit2.Repository(str(self.path))

    def tip(self, name: str) -> str:
        """The oid of a full ref, or of a branch by its name."""
        return str(self.repo.references[ref(name)].peel(pygit2.Commit).id)

    def branch(self, name: str, at: str) -> None:
        self.repo.references.create(name, self.tip(at), force=True)

    def text(self, name: str, path: str) -> str:
        return self.repo.get(self.tip(name)).tree[path].data.decode()

    def commit(self, name: str, edits: Edits, message: str = "toy: begin", *, on: str = "") -> str:
        """Commit `edits` on a ref (on top of the ref `on` when that is given): whole texts, replacements, or None."""
        repo, parents = self.repo, []
        if on or ref(name) in repo.references:
            parents = [self.tip(on or name)]
        index = pygit2.Index()
        if parents:
            index.read_tree(repo.get(parents[0]).tree)
        for path, edit in edits.items():
            if edit is None:
                index.remove(path)
                continue
            data = edit if isinstance(edit, str) else replaced(self.text(on or name, path), edit)
            index.add(pygit2.IndexEntry(path, repo.create_blob(data.encode()), FileMode.BLOB))
        self.moment += 60
        raw = "\n".join(
            [
                f"tree {index.write_tree(repo)}",
                *(f"parent {parent}" for parent in parents),
                f"author {AUTHOR} <{MAIL}> {self.moment} +0000",
                f"committer {AUTHOR} <{MAIL}> {self.moment} +0000",
                "",
                message,
                "",
            ]
        )
        oid = repo.write(ObjectType.COMMIT, raw.encode())
        repo.references.create(ref(name), oid, force=True)
        return str(oid)

    def patch(self, name: str, edits: Edits, message: str) -> bytes:
        """The mail that git itself writes for a change on top of a branch; the change goes to no branch."""
        aside = f"refs/unseen/{self.moment}"
        oid = self.commit(aside, edits, message, on=ref(name))
        return git(self.path, "format-patch", "--stdout", "--full-index", "-1", oid)


def ref(name: str) -> str:
    if name.startswith("refs/"):
        return name
    return f"refs/heads/stable-{name}" if name[0].isdigit() else f"refs/heads/{name}"


def replaced(text: str, replacements: Sequence[Replacement]) -> str:
    for old, new in replacements:
        assert text.count(old) == 1, f"{text.count(old)} times: {old}"
        text = text.replace(old, new)
    return text


def git(path: Path, *args: str, data: bytes | None = None) -> bytes:
    """Plain git, with nobody's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_COMMITTER_NAME": AUTHOR,
        "GIT_COMMITTER_EMAIL": MAIL,
        "TZ": "UTC",
    }
    command = ["git", "-C", str(path), *args]
    return subprocess.run(command, input=data, capture_output=True, check=True, env=environment).stdout


def guard(verb: str) -> Replacement:
    """The fix of a missing check in the function of that name."""
    limit = f"    unsigned int {verb}_limit = toy->{verb}_count;\n\n"
    return limit, f"{limit}    if ( {verb}_index >= {verb}_limit )\n        return -ERANGE;\n\n"
