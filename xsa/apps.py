from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class XsaConfig(AppConfig):
    """What is secret and who may see it."""

    name = "xsa"
    label = "xsa"

    def ready(self) -> None:
        """Its system check says when a table of secrets has no readers."""
        import_module("xsa.rls")
