"""git, the program, as a member has it: a folder, a name, and a token as the password."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.backports.toy import AUTHOR, MAIL


@dataclass
class Git:
    """One person's terminal, in `folder`; `url` holds their token."""

    folder: Path
    url: str
    environment: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "gitconfig"
        config.write_text(f"[user]\n\tname = {AUTHOR}\n\temail = {MAIL}\n[advice]\n\tdetachedHead = false\n")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_GLOBAL": str(config),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    def run(self, *args: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """`git ARGS` in the clone, once there is one."""
        where = self.clone if self.clone.exists() else self.folder
        return subprocess.run(
            ["git", "-C", str(where), *args],
            input=data,
            capture_output=True,
            check=False,
            env=self.environment,
            timeout=120,
        )

    def ok(self, *args: str) -> str:
        """The same, which must succeed; both its outputs."""
        done = self.run(*args)
        assert done.returncode == 0, (args, done.stderr.decode())
        return (done.stdout + done.stderr).decode()

    def refused(self, *args: str) -> str:
        """The same, which must fail; what it said."""
        done = self.run(*args)
        assert done.returncode != 0, (args, done.stdout.decode())
        return (done.stdout + done.stderr).decode()

    def refs(self) -> dict[str, str]:
        """What the server advertises."""
        lines = self.ok("ls-remote", self.url).splitlines()
        return {name: oid for oid, name in (line.split("\t") for line in lines)}

    def commit(self, edits: Mapping[str, tuple[str, str]], message: str) -> str:
        """A commit that replaces text in files; its id."""
        for path, (old, new) in edits.items():
            file = self.clone / path
            assert old in file.read_text(), path
            file.write_text(file.read_text().replace(old, new))
        self.ok("commit", "--all", "--message", message)
        return self.ok("rev-parse", "HEAD").strip()

    def push(self, ref: str, *options: str) -> str:
        """A push of what is checked out, which must succeed; what it said."""
        return self.ok("push", *options, self.url, f"HEAD:{ref}")
