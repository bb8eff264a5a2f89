"""A small IMAP server over TLS, with certificates of its own: it keeps every line that it was told."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "a-password-of-the-test"
HELLO = b"* OK [CAPABILITY IMAP4rev1%s] ready\r\n"


@dataclass
class Server:
    """Where it listens, its certificate, what it was told, and whether TLS comes first (imaps) or by STARTTLS."""

    certificate: Path
    implicit: bool
    mails: list[bytes] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        return f"imap{'s' if self.implicit else ''}://room:{PASSWORD}@127.0.0.1:{self.port}/INBOX"


def make_certificate(path: Path, *, address: str = "127.0.0.1") -> Path:
    """A key and a certificate signed by itself, good for this address, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = dt.datetime.now(dt.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    signed = made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()) + signed.public_bytes(encoding))
    return path


class Talk(socketserver.StreamRequestHandler):
    """One client."""

    state: Server
    context: ssl.SSLContext

    def handle(self) -> None:
        try:
            if self.state.implicit:
                self.secure()
            self.wfile.write(HELLO % (b"" if self.state.implicit else b" STARTTLS"))
            while line := self.rfile.readline():
                self.state.told.append(line.decode().strip())
                self.answer(line)
        except OSError:
            return

    def secure(self) -> None:
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def answer(self, line: bytes) -> None:
        tag, _, rest = line.strip().partition(b" ")
        word, _, told = rest.partition(b" ")
        state, lines = self.did(word.upper(), told)
        self.wfile.write(b"".join(lines) + tag + b" " + state + b" said\r\n")
        if word.upper() == b"STARTTLS":
            self.secure()

    def did(self, word: bytes, told: bytes) -> tuple[bytes, list[bytes]]:
        """What is answered: a state, and the lines before it."""
        if word == b"CAPABILITY":
            return b"OK", [b"* CAPABILITY IMAP4rev1 STARTTLS\r\n"]
        if word == b"LOGIN":
            return (b"OK" if PASSWORD.encode() in told else b"NO wrong"), []
        if word == b"SELECT":
            return (b"OK", [b"* 1 EXISTS\r\n"]) if told == b'"INBOX"' else (b"NO none", [])
        return b"OK", list(self.of_mails(told)) if word == b"UID" else []

    def of_mails(self, told: bytes) -> Iterator[bytes]:
        word, _, rest = told.partition(b" ")
        mails = self.state.mails
        if word == b"SEARCH":
            new = [str(at) for at in range(1, len(mails) + 1) if at not in self.state.seen]
            yield f"* SEARCH {' '.join(new)}\r\n".encode()
            return
        at = int(rest.split()[0])
        if word == b"STORE":
            self.state.seen.add(at)
        else:
            yield b"* %d FETCH (UID %d BODY[] {%d}\r\n" % (at, at, len(mails[at - 1])) + mails[at - 1] + b")\r\n"


@contextmanager
def serving(state: Server) -> Iterator[Server]:
    """The server, on a free port of this machine, until the end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state.certificate)
    talk = type("TalkToThis", (Talk,), {"state": state, "context": context})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), talk) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield state
        finally:
            server.shutdown()
