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
