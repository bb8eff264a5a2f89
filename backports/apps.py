from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class BackportsConfig(AppConfig):
    """What is done about advisories: repositories, attempts, and the pages around them."""

    name = "backports"
    label = "backports"

    def ready(self) -> None:
        """Bind Celery here and not in the package, which the engine imports too; and say what leaving ends here."""
        import_module("backports.celery").app.set_default()
        left = import_module("backports.services.claiming").left
        import_module("xsa.services.members").when_leaving(left)
