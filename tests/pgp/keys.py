"""Keys of every kind, made by GnuPG and by Sequoia in keyrings of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pysequoia


class Ring:
    """A GnuPG home outside the product, as a correspondent has one."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ring-"))
        self.home.chmod(0o700)

    def gpg(self, *arguments: str, data: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--yes", "--trust-model=always"]
        return subprocess.run([*command, *arguments], input=data, capture_output=True, check=True).stdout

    def make(self, parameters: str) -> str:
        """A new key by gpg's own words for it; its full fingerprint."""
        script = f"%no-protection\n{parameters}\nName-Real: Example Team\nName-Email: team@example.org\n%commit\n"
        self.gpg("--gen-key", data=script.encode())
        lines = self.gpg("--with-colons", "--list-keys").decode().split("\n")
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))

    def public(self) -> str:
        return self.gpg("--armor", "--export").decode()

    def close(self) -> None:
        env = {**os.environ, "GNUPGHOME": str(self.home)}
        subprocess.run(["gpgconf", "--kill", "all"], env=env, check=True, capture_output=True)
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def ring() -> Iterator[Ring]:
    made = Ring()
    try:
        yield made
    finally:
        made.close()


RSA = (
    "Key-Type: RSA\nKey-Length: {bits}\nKey-Usage: sign\nSubkey-Type: RSA\nSubkey-Length: {bits}\nSubkey-Usage: encrypt"
)
CURVE = "Key-Type: EDDSA\nKey-Curve: ed25519\nKey-Usage: sign\nSubkey-Type: ECDH\nSubkey-Curve: cv25519"
CURVE_FOR_SHORT = CURVE + "\nExpire-Date: 5d"
NO_PART = "Key-Type: EDDSA\nKey-Curve: ed25519\nKey-Usage: sign"


class Correspondent:
    """Somebody whose mail program is Sequoia: the second implementation."""

    def __init__(self, name: str = "Example Team <team@example.org>") -> None:
        self.secret = pysequoia.Tsk.generate(user_id=name)
        self.cert = self.secret.extract_certificate()
        self.public = str(self.cert)
        self.fingerprint = self.cert.fingerprint.upper()

    def read(self, message: bytes, *, sender: str) -> tuple[bytes, list[str]]:
        """What the message says, and the full fingerprints of whose good signatures it carries."""
        known = [pysequoia.Cert.from_bytes(sender.encode())]
        opened = pysequoia.decrypt(bytes=message, decryptor=self.secret.decryptor(), store=lambda _ids: known)
        return bytes(opened.bytes), [one.certificate.upper() for one in opened.valid_sigs]

    def write(self, data: bytes, *, to: str) -> bytes:
        """`data` signed and encrypted to somebody's public key."""
        cert = pysequoia.Cert.from_bytes(to.encode())
        return bytes(pysequoia.encrypt(bytes=data, signer=self.secret.signer(), recipients=[cert], armor=True))
