from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

from backports.management.operator import OperatorCommand
from backports.services.advisories import ingest
from xsa.services.ingest import Ingested


class Command(OperatorCommand):
    help = (
        "Take in advisories, patches and .meta files in the layout that Xen publishes. They are embargoed "
        "unless an xsa.json among them lists them as public, or their fix was found in a public repository."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, help="files, or directories with all that is in them")
        parser.add_argument("--project", default="xen", help="the project that the texts call xen")
        parser.add_argument("--planned", help="planned disclosure of new advisories, as 2026-12-01T12:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        results = ingest(
            None,
            files=dict(item for path in options["paths"] for item in read(path)),
            project=options["project"],
            planned=moment(options["planned"]),
            certs=[path.read_bytes() for path in settings.ADVISORY_KEYS],
        )
        for result in results:
            self.report(result)

    def report(self, result: Ingested) -> None:
        version = "" if result.version is None else f" v{result.version}"
        name = f"XSA-{result.number}{version}" if result.number else "no advisory"
        self.stdout.write(f"{name}: {result.state}")
        for problem in result.problems:
            self.stdout.write(f"  {problem.code}: {problem.file + ': ' if problem.file else ''}{problem.sentence}")


def read(path: Path) -> list[tuple[str, bytes]]:
    """Name and bytes of a file, or of all files under a directory, named from that directory."""
    if not path.exists():
        raise CommandError(f"missing-file: There is nothing at {path}.")
    if path.is_file():
        return [(path.name, _bytes(path))]
    files = sorted(file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    return [(file.relative_to(path).as_posix(), _bytes(file)) for file in files]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"unreadable-file: {path}: {error.strerror}. Nothing was taken in.") from error


def moment(text: str | None) -> Any:
    """A date with time and zone, or None when none was given."""
    if not text:
        return None
    parsed = parse_datetime(text)
    if parsed is None or parsed.tzinfo is None:
        raise CommandError(f"bad-date: {text!r} is no date with time and zone, such as 2026-12-01T12:00Z.")
    return parsed
