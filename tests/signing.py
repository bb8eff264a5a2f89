"""Keys of tests' own, and signatures made with them by the programs that people use."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SPACE = "backports-review"


def run(*command: str, env: dict[str, str] | None = None, text: bytes = b"") -> bytes:
    """What a program prints. Raises CalledProcessError when it fails."""
    return subprocess.run(command, input=text, capture_output=True, check=True, env=env).stdout


class OpenPgp:
    """A key in a keyring of its own; its folder is short, since gpg's sockets have short names."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self.home = folders.mktemp("gpg")
        self.home.chmod(0o700)
        self.env = {**os.environ, "GNUPGHOME": str(self.home)}
        made = (
            "--passphrase",
            "",
            "--quick-gen-key",
            "Example Reviewer <reviewer@example.org>",
            "ed25519",
            "sign",
            "never",
        )
        self.gpg(*made)
        self.public = self.gpg("--armor", "--export").decode()
        listed = self.gpg("--with-colons", "--fingerprint").decode().splitlines()
        self.fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))

    def gpg(self, *arguments: str, text: bytes = b"") -> bytes:
        """What gpg prints."""
        return run("gpg", "--batch", "--quiet", "--yes", *arguments, env=self.env, text=text)

    def sign(self, text: bytes) -> str:
        """A detached signature, armoured."""
        return self.gpg("--armor", "--detach-sign", text=text).decode()

    def close(self) -> None:
        """End the agent that gpg started for this keyring."""
        run("gpgconf", "--kill", "all", env=self.env)


def ssh_key(folder: Path, kind: str = "ed25519") -> Path:
    """A new key without a password."""
    path = folder / f"key-{kind}"
    run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "reviewer@example.org", "-f", str(path))
    return path


def ssh_sign(key: Path, text: bytes, *, namespace: str = SPACE) -> str:
    """A signature as `ssh-keygen -Y sign` writes it to its output."""
    return run("ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace, text=text).decode()
