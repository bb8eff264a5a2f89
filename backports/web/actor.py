"""Whose doing a request is."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from xsa.models import User


def actor(request: HttpRequest) -> User:
    """The person who is logged in. Raises PermissionDenied for everybody else."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Log in first.")
    return request.user
