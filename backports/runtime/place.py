"""Where the embedded PostgreSQL keeps its data, its socket and its programs.

Below the data folder, as a rule. Two things move it: root whose data folder cannot be reached by the system
account (a checkout in /root, say) keeps it in a folder of its own under /var/lib; and a socket path longer
than the kernel takes, or with characters that mean something to libpq, goes to a short folder. No mode or
owner of a folder that was there before is changed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from backports.runtime import binaries
from backports.runtime.account import ACCOUNT_NAME, Account, owner_of, running_as_root, system_account
from backports.runtime.errors import PlatformError

ELSEWHERE = Path("/var/lib/xen-backports")
SHORT_ROOT = Path("/tmp")  # noqa: S108  the folder inside is 0700 and ours, which is checked
PORT = "5432"
# sun_path holds 108 bytes with its closing NUL; the server adds "/.s.PGSQL.5432".
_LONGEST_SOCKET_FOLDER = 107 - len(f"/.s.PGSQL.{PORT}")


@dataclass(frozen=True)
class Place:
    """The folders of one embedded server: `home` is private to `account` (None: to the user who runs us)."""

    base: Path
    home: Path
    socket: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "data"

    @property
    def is_elsewhere(self) -> bool:
        """Whether the data lie outside the data folder."""
        return not self.home.is_relative_to(self.base)


def prepare_base(data_dir: Path) -> Path:
    """Make the data folder when it is missing, closed to others (root's can be passed through).

    Returns it resolved. Raises PlatformError when it cannot be made or written.
    """
    base = data_dir.resolve()
    try:
        if not base.exists():
            base.mkdir(parents=True)
            base.chmod(0o711 if running_as_root() else 0o700)
        for name in ("run", "log"):
            (base / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unwritable(base, error) from error
    if not os.access(base / "run", os.W_OK):
        raise _unwritable(base, PermissionError("it belongs to another user"))
    return base


def _unwritable(base: Path, error: OSError) -> PlatformError:
    reason = error.strerror or str(error)
    return PlatformError(
        "data-not-writable",
        f"The data folder {base} cannot be written ({reason}). Name another one: make run DATA=/some/folder",
    )


def socket_folder(data_dir: Path) -> Path:
    """The folder of the server's socket, worked out without touching anything."""
    base = data_dir.resolve()
    folder = _home(base) / "socket"
    if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER and not set(str(folder)) & set("\"',\\\n"):
        return folder
    if running_as_root():
        return _elsewhere(base) / "socket"
    return SHORT_ROOT / f"xen-backports-{os.geteuid()}-{_digest(base)}"


def open_place(data_dir: Path) -> tuple[Place, str]:
    """Make the folders that are missing. Returns the place and a line to tell the user ("" as a rule).

    Raises PlatformError when a folder belongs to somebody else or the system account cannot be made.
    """
    base = prepare_base(data_dir)
    home = _home(base)
    note = _set_stale_home_aside(base, home)
    account = _account_for(home)
    if not home.is_relative_to(base):
        _make_elsewhere(base)
    _make_private(home, account)
    place = Place(base, home, socket_folder(base), account)
    if not place.socket.is_relative_to(home):
        _make_short(place)
    _make_private(place.socket, account)
    if place.is_elsewhere and not note:
        note = (
            f"The account {place.account.name if place.account else ACCOUNT_NAME} cannot reach {base}, "
            f"so the database is kept in {home}."
        )
    return place, note


def programs(place: Place) -> tuple[int, Path]:
    """(major version, folder of programs that the place's account can run, copied when need be)."""
    mark = place.data / "PG_VERSION"
    major, source = binaries.installation(mark.read_text().strip() if mark.exists() else "")
    if place.account is None or is_reachable(source / "bin" / "postgres"):
        return int(major), source / "bin"
    _make_elsewhere(place.base)
    target = _elsewhere(place.base) / f"postgresql-{major}"
    return int(major), binaries.copy_installation(source, target) / "bin"


def is_reachable(path: Path) -> bool:
    """Whether an account without rights of its own can pass (or run) `path` and every folder above it."""
    while not path.exists():
        path = path.parent
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _digest(base: Path) -> str:
    return hashlib.sha256(os.fsencode(base)).hexdigest()[:12]


def _elsewhere(base: Path) -> Path:
    return ELSEWHERE / _digest(base)


def _home(base: Path) -> Path:
    inside, outside = base / "postgres", _elsewhere(base) / "postgres"
    if inside.exists() or not running_as_root():
        return inside
    if outside.exists() or not is_reachable(base):
        return outside
    return inside


def _account_for(home: Path) -> Account | None:
    if running_as_root():
        # Data that an ordinary user made stay that user's when root starts the server for once.
        return owner_of(home) or system_account()
    if home.exists() and home.stat().st_uid != os.geteuid():
        raise PlatformError(
            "data-of-another-user",
            f"The database in {home} belongs to another user. Run as that user, or name another folder: "
            f"make run DATA=/some/folder",
        )
    return None


def _make_private(folder: Path, account: Account | None) -> None:
    """Make `folder` with mode 0700 for the account; checks one that is there, and never changes it."""
    if not folder.exists():
        fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
        fresh.mkdir(mode=0o700)
        if account:
            os.chown(fresh, account.uid, account.gid)
        fresh.rename(folder)
    found = folder.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise PlatformError(
            "folder-not-private",
            f"{folder} must be a folder of the database's own account with mode 0700, and is not. "
            f"Remove it, or name another data folder: make run DATA=/some/folder",
        )


def _make_elsewhere(base: Path) -> None:
    try:
        for folder in (ELSEWHERE, _elsewhere(base)):
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o755)
    except OSError as error:
        raise PlatformError(
            "no-folder-elsewhere",
            f"The account {ACCOUNT_NAME} cannot reach {base}, and {ELSEWHERE} cannot be made "
            f"({error.strerror}). Name a data folder that every account can reach: "
            "make run DATA=/some/folder",
        ) from error
    if not (base / "postgres").exists():
        (base / "postgres.elsewhere").write_text(f"{_elsewhere(base)}\n")


def _make_short(place: Place) -> None:
    if running_as_root():
        _make_elsewhere(place.base)


def _set_stale_home_aside(base: Path, home: Path) -> str:
    """A home elsewhere whose data folder was deleted and made anew must not come back with the old rows."""
    if home.is_relative_to(base) or not home.exists() or (base / "postgres.elsewhere").exists():
        return ""
    number = 1
    while home.with_name(f"postgres.old-{number}").exists():
        number += 1
    aside = home.rename(home.with_name(f"postgres.old-{number}"))
    return f"The data folder {base} is new; the database of an earlier one was set aside as {aside}."
