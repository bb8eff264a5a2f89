"""Which command compiles which branch: what the operator wrote into the file that COMPILE_COMMANDS names."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from django.conf import settings

from backports.git.compiling import Recipe
from backports.git.sandbox import Limits
from backports.models import Branch

SECONDS = 900
MEMORY_MB = 4096


def recipe_for(branch: Branch) -> Recipe | None:
    """The first entry whose name fits `<repository>/<branch>`; None when the branch is not to be compiled."""
    name = f"{branch.repository.name}/{branch.name}"
    for pattern, entry in settings.COMPILE_COMMANDS.items():
        if fnmatchcase(name, pattern):
            limits = Limits(entry.get("seconds", SECONDS), memory=entry.get("memory_mb", MEMORY_MB) << 20)
            return Recipe(entry["command"], limits, tuple(map(Path, entry.get("paths", ()))))
    return None
