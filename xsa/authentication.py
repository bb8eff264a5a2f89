"""Logging in by password: one look-up and one hash, whoever is asked for."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest

from xsa.models import User


class Passwords(ModelBackend):
    """A name or a mail address, and a password.

    An unknown name, an inactive person and a wrong password take the same work and give the same answer.
    """

    def authenticate(
        self,
        request: HttpRequest | None,  # noqa: ARG002
        username: str | None = None,
        password: str | None = None,
        email: str | None = None,
        **_: Any,
    ) -> User | None:
        """The person; None when the password is not theirs."""
        login = username or email
        if not login or password is None:
            return None
        person = find_person(login)
        # Somebody without a usable password costs one hash too: Django sees to that.
        right = (person or User()).check_password(password)
        return person if right else None


def find_person(login: str) -> User | None:
    """The active person of this name or address, in any letter case; None for nobody and for more than one."""
    names = Q(username__iexact=login) | Q(email__iexact=login)
    found = list(User.objects.filter(names, is_active=True)[:2])
    return found[0] if len(found) == 1 else None
