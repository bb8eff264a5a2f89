"""curl, the program, as a person at a terminal has it: with a token, or with a jar of cookies for the pages' forms."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from tests.e2e.server import Server

FORM = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SECRET = re.compile(r'<code class="key">(xbt_[^<]+)</code>')


@dataclass(frozen=True)
class Answer:
    """What curl got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """As a person reads it, without the page's escapes."""
        return unescape(self.body.decode())

    @property
    def json(self) -> Any:
        """As a program reads it."""
        return json.loads(self.body)


@dataclass
class Curl:
    """One person's terminal."""

    server: Server
    folder: Path
    token: str = ""
    sent: int = field(default=0)

    def run(self, path: str, *args: str, stdin: bytes = b"") -> Answer:
        """One call; what is secret of it is in files, not in the arguments, which every process can read."""
        self.sent += 1
        heads = self.folder / f"heads-{self.sent}"
        jar = str(self.folder / "jar")
        command = ["curl", "--silent", "--show-error", "--max-time", "30", "--dump-header", str(heads), *args]
        if self.token:
            command += ["--header", f"@{self._kept(f'Authorization: Token {self.token}')}"]
        else:
            command += ["--cookie", jar, "--cookie-jar", jar]
        done = subprocess.run([*command, f"{self.server.address}{path}"], input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return _answer(heads.read_text(), done.stdout)

    def _kept(self, text: str) -> Path:
        path = self.folder / "token"
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def form(self, path: str, fields: Mapping[str, str], at: str = "") -> Answer:
        """The form of the page at `at`, or at `path`, sent to `path`; where the answer leads on to is not followed."""
        found = FORM.search(self.run(at or path).body.decode())
        assert found, f"There is no form at {at or path}."
        values = {"csrfmiddlewaretoken": found[1], **fields}
        args = [part for name, value in values.items() for part in ("--form-string", f"{name}={value}")]
        return self.run(path, *args)

    def log_in(self, name: str) -> None:
        """Both factors."""
        first = self.form("/login/", {"login": name, "password": self.server.password(name)})
        assert (first.status, first.headers["location"].split("?")[0]) == (302, "/login/code/")
        assert self.form("/login/code/", {"code": self.server.code(name)}).status == 302

    def program(self, folder: Path, fields: Mapping[str, str], *verbs: str) -> Curl:
        """The same with a token made for it, which is shown this once; it has no cookie."""
        folder.mkdir()
        found = FORM.search((page := self.run("/tokens/")).body.decode())
        chosen = re.search(r'<option value="([0-9a-f-]{36})"', page.text)
        assert found and chosen
        values = {"csrfmiddlewaretoken": found[1], "organisation": chosen[1], "days": "7", "embargoed": "on", **fields}
        pairs = [*values.items(), *(("verbs", verb) for verb in ("read", *verbs))]
        made = self.run("/tokens/", *(part for name, value in pairs for part in ("--form-string", f"{name}={value}")))
        secret = SECRET.search(made.text)
        assert secret, made.text
        return Curl(self.server, folder, secret[1])

    def get(self, path: str) -> Any:
        """What a program reads at an address that answers it."""
        answer = self.run(path)
        assert answer.status == 200, answer.text
        return answer.json

    def post(self, path: str, what: Mapping[str, Any]) -> Answer:
        """Something new, as JSON."""
        return self.run(path, "--json", json.dumps(what))

    def change(self, path: str, what: Mapping[str, Any]) -> Answer:
        """A change of what was read the moment before."""
        tag = self.run(path).headers["etag"]
        return self.run(path, "--request", "PATCH", "--header", f"If-Match: {tag}", "--json", json.dumps(what))

    def send(self, path: str, file: Path, part: str = "patch", **fields: str) -> Answer:
        """A file with what goes along."""
        more = [word for key, value in fields.items() for word in ("--form-string", f"{key}={value}")]
        return self.run(path, "--form", f"{part}=@{file}", *more)


def _answer(heads: str, body: bytes) -> Answer:
    """The last answer's head; before it may be that of a 100 Continue."""
    first, *lines = heads.replace("\r\n", "\n").strip().split("\n\n")[-1].split("\n")
    pairs = (line.partition(": ") for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body)
