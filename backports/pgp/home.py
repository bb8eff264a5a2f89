"""A keyring for one job: made empty, filled with what the job needs, and removed with its agent at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import gnupg

from .errors import PgpError
from .verdicts import Seal, seal_of, status_lines

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, for ourselves alone
ROOM = 8 << 20  # bytes that a keyring needs at most
MOST = 64 << 20  # bytes of one opened message
PREFIX = "backports-pgp-"
# Nothing is fetched, nobody is asked, and what is written can be read by every OpenPGP program.
OPTIONS = (
    "--no-options",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--no-auto-key-import",
    "--openpgp",
    "--trust-model=always",
    "--cipher-algo=AES256",
    "--digest-algo=SHA256",
    "--compress-algo=none",
    "--no-emit-version",
    "--no-comments",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message taken apart. `data` is None when it cannot be read; then `code` and `sentence` say why.

    `encrypted` says whether it was; `seal` is what its signature proves.
    """

    data: bytes | None
    encrypted: bool
    seal: Seal
    code: str = ""
    sentence: str = ""


class Home:
    """A GnuPG home of its own for one job, used as a context. `secret` is a secret key without a password, armoured.

    The folder has mode 0700, lies in memory where there is room, and is gone at the end with the agent.
    """

    def __init__(
        self, *, secret: bytes = b"", publics: Iterable[str] = (), options: Iterable[str] = (), agent: bool = False
    ) -> None:
        self._secret, self._publics = secret, list(publics)
        # Only what works with secret keys needs an agent.
        self._agent = agent or bool(secret)
        self._options = [*OPTIONS, *([] if self._agent else ["--no-autostart"]), *options]
        self.fingerprint = ""  # of the secret key
        self.known: set[str] = set()  # full fingerprints of the public keys

    def __enter__(self) -> Home:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_place()))
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._close()

    def _open(self) -> None:
        try:
            self.gpg = gnupg.GPG(gnupghome=str(self.path), options=self._options)
        except (OSError, ValueError) as error:
            raise PgpError("no-gpg", "GnuPG is not installed here, or does not start.") from error
        self.gpg.encoding = "latin-1"  # bytes that somebody sent stand in what it prints, whatever they are
        if self._secret:
            found = self.gpg.import_keys(self._secret)
            if found.count != 1 or not found.sec_read:
                raise PgpError("no-secret-key", "The file of the room's key holds no secret key without a password.")
            self.fingerprint = found.fingerprints[0]
        for armoured in self._publics:
            self.add(armoured)

    def _close(self) -> None:
        if self._agent:
            _end_agent(self.path)
        shutil.rmtree(self.path, ignore_errors=True)

    def add(self, armoured: str) -> list[str]:
        """Know these public keys from now on; their full fingerprints. Unreadable ones add nothing."""
        found = sorted({one for one in self.gpg.import_keys(armoured).fingerprints if one})
        self.known.update(found)
        return found

    def encrypt(self, data: bytes, *, to: str) -> bytes:
        """`data` signed by the secret key and encrypted to the known key with the full fingerprint `to`, armoured.

        Raises PgpError `no-key` for another key, and `not-encrypted` when GnuPG refuses.
        """
        if to not in self.known or not self.fingerprint:
            raise PgpError("no-key", "The key to encrypt to, or the one to sign with, is not here.")
        made = self.gpg.encrypt(data, [to], sign=self.fingerprint, always_trust=True, armor=True)
        if not made.ok or not made.data:
            raise PgpError("not-encrypted", f"GnuPG did not encrypt: {made.status or 'no reason given'}.")
        return bytes(made.data)

    def sign(self, data: bytes) -> bytes:
        """A detached signature by the secret key, armoured. Raises PgpError `not-signed`."""
        made = self.gpg.sign(data, keyid=self.fingerprint, detach=True, clearsign=False)
        if not made.data:
            raise PgpError("not-signed", f"GnuPG did not sign: {made.status or 'no reason given'}.")
        return bytes(made.data)

    def open(self, message: bytes, *, most: int = MOST) -> Opened:
        """An encrypted, signed or clear-signed message; what is longer than `most` bytes is not opened."""
        limits = ["--max-output", str(most)]
        result = self.gpg.decrypt(message, always_trust=True, extra_args=limits)
        lines = status_lines(result.stderr)
        encrypted = any(words[0] == "BEGIN_DECRYPTION" or words[0] == "ENC_TO" for words in lines)
        seal = seal_of(lines)
        if refusal := _refusal(lines, result, encrypted=encrypted, most=most):
            return Opened(None, encrypted, seal, *refusal)
        return Opened(bytes(result.data), encrypted, seal)

    def verify(self, data: bytes, signature: bytes) -> Seal:
        """What a detached signature proves of `data`, as these bytes stand."""
        path = self.path / "signature"
        path.write_bytes(signature)
        lines = status_lines(self.gpg.verify_data(str(path), data).stderr)
        found = seal_of(lines)
        if found.state == "none":
            return Seal("bad", "", None, "The signature cannot be read.")
        return found


def _refusal(lines: list[list[str]], result: Any, *, encrypted: bool, most: int) -> tuple[str, str] | None:
    """Why nothing of a message may be used: whatever was not decrypted and authenticated to its end is thrown away."""
    names = {words[0] for words in lines}
    if encrypted and "DECRYPTION_OKAY" not in names:
        if "NO_SECKEY" in names:
            return "not-for-us", "It is encrypted to another key than the room's."
        return "damaged", "It cannot be decrypted: it was damaged or changed on its way, or is too large."
    if "NODATA" in names or "PLAINTEXT" not in names:
        return "no-message", "This is no OpenPGP message."
    if ("UNEXPECTED" in names) or [words[0] for words in lines].count("PLAINTEXT") != 1:
        return "several", "It holds several messages in one."
    if len(result.data) >= most or "exceeded --max-output" in result.stderr:
        return "too-large", "What it holds is too large."
    return None


def _place() -> str | None:
    """In memory where there is room; else the system's folder for temporary files."""
    try:
        free = shutil.disk_usage(MEMORY).free
    except OSError:
        return None
    return str(MEMORY) if free > ROOM and os.access(MEMORY, os.W_OK) else None


def _end_agent(home: Path) -> None:
    env = {**os.environ, "GNUPGHOME": str(home)}
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(["gpgconf", "--kill", "all"], env=env, capture_output=True, timeout=20, check=False)


def sweep() -> int:
    """Remove the homes that killed processes of this account left behind; how many there were."""
    left = 0
    for path in Path(_place() or tempfile.gettempdir()).glob(f"{PREFIX}*"):
        maker = path.name.removeprefix(PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if path.stat().st_uid == os.geteuid() and maker.isdigit() and not Path(f"/proc/{maker}").exists():
                _end_agent(path)
                shutil.rmtree(path, ignore_errors=True)
                left += 1
    return left
