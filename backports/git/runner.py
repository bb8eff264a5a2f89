"""The one place that starts the git binary."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from .errors import GitError

DEFAULT_TIMEOUT = 120.0
OUTPUT_LIMIT = 512 * 1024 * 1024
_STDERR_KEPT = 4096
_CHUNK = 1 << 16
_CONFIG = Path(__file__).with_name("house.gitconfig")
_INHERITED = (
    "PATH",
    "HOME",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
_FIXED = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": str(_CONFIG),
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=30",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ADVICE": "0",
}
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+(?:@[^/\s@]*)*@")
_PATH = re.compile(r"(?:file://|(?<![\w:/.~-]))/[^\s'\":;,)]+")
_QUERY = re.compile(r"(://[^\s'\"?]+)\?[^\s'\"]+")
_KNOWN_FAILURES = (
    (
        re.compile(r"dubious ownership"),
        "not-yours",
        "The repository belongs to another user of this machine; let the service's user read it.",
    ),
    (
        re.compile(
            r"not a git repository|does not appear to be a git repository"
            r"|repository .* (?:not found|does not exist)|not found: did you run git update-server-info"
        ),
        "not-a-repository",
        "There is no git repository at that place; check the path or URL.",
    ),
    (
        re.compile(
            r"could not read Username|could not read Password|Authentication failed"
            r"|Permission denied \(publickey|terminal prompts disabled"
        ),
        "not-authorised",
        "The server wants a login that this service does not have; use a URL that needs none.",
    ),
    (
        re.compile(
            r"Could not resolve host|unable to connect|Connection refused|Connection timed out"
            r"|Could not read from remote repository|unable to access"
        ),
        "unreachable",
        "The server could not be reached; check the address, then try again.",
    ),
    (
        re.compile(r"transport '[^']*' not allowed|Unable to find remote helper|unsupported (?:URL|protocol)"),
        "bad-url",
        "Only file, git, http, https and ssh addresses are allowed.",
    ),
    (
        re.compile(r"unable to normalize alternate|object directory .* does not exist|missing object"),
        "broken-store",
        "The repository's object store is incomplete; fetch its mirror again.",
    ),
    (
        re.compile(r"unknown revision|bad object|bad revision|not a valid object name|Not a valid commit"),
        "no-such-commit",
        "The repository holds no such commit; fetch it, or correct the name.",
    ),
)


def without_credentials(text: str) -> str:
    """`text` with the user, password and query of every URL in it taken out."""
    return _QUERY.sub(r"\1", _CREDENTIALS.sub("", text))


def without_paths(text: str) -> str:
    """`text` without the paths of this machine, which tell members how the server is built."""
    return _PATH.sub("…", text)


def refuse_option(value: str, what: str) -> str:
    """`value` itself; GitError `bad-name` when git would read it as an option."""
    if not value or value.startswith("-") or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise GitError("bad-name", f"This {what} is empty, starts with '-' or holds a control character; use another.")
    return value


def run_git(
    args: Sequence[str],
    *,
    git_dir: Path | str | None = None,
    input: bytes | None = None,  # noqa: A002 - the name that subprocess uses
    timeout: float = DEFAULT_TIMEOUT,
    output_limit: int = OUTPUT_LIMIT,
    ok_codes: Sequence[int] = (0,),
    memory: int = 0,
) -> bytes:
    """What `git ARGS` writes to its standard output.

    `git_dir` is a bare repository; `timeout` in seconds, after which the whole process group
    is killed; `output_limit` in bytes, and so is `memory`, the most that git may use (0: no limit). Raises GitError
    with code `timeout`, `too-large`, `git-missing`, `not-a-repository`, `no-such-commit`, `unreachable` …
    or `git-failed`.
    """
    err = bytearray()
    process = _start(args, git_dir, with_input=input is not None)
    with process, _killed_at_the_end(process):
        _limit(process, memory)
        _feed(process, input)
        out = b"".join(_pieces(process, time.monotonic() + timeout, output_limit, err))
        code = process.wait()
    if code not in ok_codes:
        raise _failure(err.decode("utf-8", "replace"))
    return out


def stream_git(
    args: Sequence[str], *, git_dir: Path, data: bytes, timeout: float, output_limit: int
) -> Iterator[bytes]:
    """The same in pieces as they come, for whom `data` was sent; closing the generator ends git.

    How git ended is not told: a protocol's own words say that. Raises GitError as `run_git` does.
    """
    process = _start(args, git_dir, with_input=True)
    with process, _killed_at_the_end(process):
        _feed(process, data)
        yield from _pieces(process, time.monotonic() + timeout, output_limit, bytearray())


def _start(args: Sequence[str], git_dir: Path | str | None, *, with_input: bool) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            _command(args, git_dir),
            stdin=subprocess.PIPE if with_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise GitError("git-missing", "The git program could not be started; install git 2.30 or newer.") from error


def _command(args: Sequence[str], git_dir: Path | str | None) -> list[str]:
    where = [] if git_dir is None else [f"--git-dir={Path(git_dir).absolute()}"]
    return ["git", "--no-pager", *where, *args]


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | _FIXED


def _limit(process: subprocess.Popen[bytes], memory: int) -> None:
    if memory:
        resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))


@contextlib.contextmanager
def _killed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _feed(process: subprocess.Popen[bytes], data: bytes | None) -> None:
    if data is None or process.stdin is None:
        return
    threading.Thread(target=_write_all, args=(process.stdin, data), daemon=True).start()


def _write_all(pipe: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        pipe.write(data)
    with contextlib.suppress(OSError, ValueError):
        pipe.close()


def _pieces(process: subprocess.Popen[bytes], deadline: float, limit: int, err: bytearray) -> Iterator[bytes]:
    """The standard output as it comes; the start of what it writes to the other goes into `err`."""
    left = limit
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout or 0, selectors.EVENT_READ, True)
        selector.register(process.stderr or 0, selectors.EVENT_READ, False)
        while selector.get_map():
            for key in _ready(selector, deadline):
                data = os.read(key.fd, _CHUNK)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.data:
                    left -= len(data)
                    if left < 0:
                        raise GitError("too-large", f"git answered with more than {limit} bytes; ask for less.")
                    yield data
                elif len(err) < _STDERR_KEPT:
                    err.extend(data)


def _ready(selector: selectors.BaseSelector, deadline: float) -> list[selectors.SelectorKey]:
    ready = selector.select(max(0.0, deadline - time.monotonic()))
    if not ready and time.monotonic() >= deadline:
        raise GitError("timeout", "git did not answer in time and was stopped; try again later.")
    return [key for key, _ in ready]


def _failure(stderr: str) -> GitError:
    for pattern, code, sentence in _KNOWN_FAILURES:
        if pattern.search(stderr):
            return GitError(code, sentence)
    lines = [line for line in without_credentials(stderr).splitlines() if line.strip()]
    last = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))),
        lines[-1] if lines else "no message",
    )
    return GitError("git-failed", f"git could not do it: {without_paths(last).strip()[:300]}")
