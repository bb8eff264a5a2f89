"""The system account that PostgreSQL runs as when we are root (PostgreSQL itself refuses to run as root)."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from backports.runtime.errors import PlatformError

ACCOUNT_NAME = "xen-backports"

# shadow-utils, Debian's adduser, busybox: the three programs that make a system account.
_MAKERS = (
    (
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/bin/false",
    ),
    ("adduser", "--system", "--group", "--no-create-home", "--home", "/nonexistent", "--shell", "/bin/false"),
    ("adduser", "-S", "-D", "-H", "-s", "/bin/false"),
)


@dataclass(frozen=True)
class Account:
    """Who a process runs as."""

    name: str
    uid: int
    gid: int


def running_as_root() -> bool:
    """Whether this process may (and for PostgreSQL must) change to another account."""
    return os.geteuid() == 0


def owner_of(path: Path) -> Account | None:
    """The account that owns `path`; None for root or when there is no such path."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if found.st_uid == 0:
        return None
    try:
        return Account(pwd.getpwuid(found.st_uid).pw_name, found.st_uid, found.st_gid)
    except KeyError:
        return Account(f"user {found.st_uid}", found.st_uid, found.st_gid)


def find_account(name: str = ACCOUNT_NAME) -> Account | None:
    """The system account of that name, when it exists."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def system_account(name: str = ACCOUNT_NAME) -> Account:
    """The system account, made when it is missing. Raises PlatformError where no program can make it."""
    for program, *arguments in _MAKERS:
        found = find_account(name)
        if found:
            return found
        path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if path:
            subprocess.run([path, *arguments, name], check=False, capture_output=True, stdin=subprocess.DEVNULL)
    found = find_account(name)
    if found is None:
        raise PlatformError(
            "no-system-account",
            f"PostgreSQL does not run as root, and neither useradd nor adduser could make the system account "
            f"{name}. Make that account by hand, run as an ordinary user, or set DATABASE_URL to a server of "
            "your own.",
        )
    return found
