"""Turns errors with a code and a sentence into what a shell expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from backports.engine.errors import EngineError
from backports.git.errors import GitError
from backports.models import Repository


@contextmanager
def clear_errors() -> Iterator[None]:
    """Bad input and a broken environment end the command with one line and status 1."""
    try:
        yield
    except (EngineError, GitError) as error:
        raise CommandError(f"{error.code}: {error.sentence}") from error


def repository(name: str) -> Repository:
    """The repository of that name, or a CommandError that says which ones there are."""
    found = Repository.objects.filter(name=name).first()
    if found is None:
        names = ", ".join(Repository.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(
            f"no-such-repository: There is no repository {name!r} (known: {names}). "
            "Add it with: manage.py add_repository NAME URL-OR-PATH"
        )
    return found
