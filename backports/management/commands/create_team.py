from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from backports.management.operator import OperatorCommand
from xsa.models import Membership
from xsa.services.invitations import invite, make_token
from xsa.services.members import create_organisation


class Command(OperatorCommand):
    help = "Make the security team and invite its first admin; prints the link, which works once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the team's public name")
        parser.add_argument("--admin", required=True, help="the mail address of its first admin")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["admin"])
        except ValidationError:
            raise CommandError(f"{options['admin']!r} is no mail address.") from None
        with transaction.atomic():
            team = create_organisation(None, name=options["name"], security_team=True)
            if not team.security_team:
                raise CommandError(f"{team} is an organisation already, and no security team.")
            row = invite(None, organisation=team, email=options["admin"], role=Membership.Role.ADMIN, contact=True)
            token = make_token(row)
        address = settings.PUBLIC_URL + reverse("invitation", args=[token])
        self.stdout.write(f"For {row.email}, once, until {row.expires_at:%Y-%m-%d %H:%M} UTC:\n{address}")
