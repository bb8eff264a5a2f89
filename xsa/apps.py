from __future__ import annotations

from django.apps import AppConfig


class XsaConfig(AppConfig):
    """What is secret and who may see it."""

    name = "xsa"
    label = "xsa"
