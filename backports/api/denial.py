"""What the framework is told to do with a view that is none of ours: nothing."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission


class Nobody(BasePermission):
    """Lets nobody through."""

    def has_permission(self, request: Any, view: Any) -> bool:  # noqa: ARG002
        return False
