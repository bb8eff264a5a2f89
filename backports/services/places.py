"""Where things live on disk."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings


def mirror_path(repository: str) -> Path:
    """The bare mirror of the repository of that name."""
    return Path(settings.GIT_ROOT) / f"{repository}.git"


def results_path(repository: str, number: int) -> Path:
    """The repository that holds the results for one advisory: what is embargoed shares no ref with what is not."""
    return Path(settings.GIT_ROOT) / "results" / repository / f"xsa-{number}.git"


def symbols_path() -> Path:
    """The index of names in the mirrors' blobs; it holds no text, and nothing of results."""
    return Path(settings.GIT_ROOT) / "symbols"


def attempt_ref(pk: object) -> str:
    """The ref in an advisory's result repository that holds an attempt's result."""
    return f"refs/attempts/{pk}"


def ground_ref(pk: object, number: int) -> str:
    """The ref in an advisory's result repository that holds the prerequisite `number` that an attempt was tried on."""
    return f"refs/prerequisites/{pk}-{number}"


def version_ref(pk: object) -> str:
    """The ref in an advisory's result repository that holds what a backport's version gives."""
    return f"refs/versions/{pk}"
