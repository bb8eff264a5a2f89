"""The world of these tests."""

from __future__ import annotations

import pytest

from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.permissions.world import hide, publish
from xsa.models import Advisory

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]


@pytest.fixture
def known(workshop: Workshop) -> Advisory:
    """The disclosed advisory; nothing else is there yet."""
    return publish(workshop)


@pytest.fixture
def secret(workshop: Workshop, known: Advisory) -> Advisory:
    """The embargoed one beside it."""
    return hide(workshop)
