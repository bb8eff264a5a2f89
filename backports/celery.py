"""The Celery application; bound to Django in `BackportsConfig.ready`, so that the engine never imports it."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backports.settings")

app = Celery(
    "backports",
    include=[
        "backports.services.accounts",
        "backports.services.attempts",
        "backports.services.compiling",
        "backports.services.disclosing",
        "backports.services.explaining",
        "backports.services.heartbeats",
        "backports.services.repositories",
    ],
)
app.config_from_object("django.conf:settings", namespace="CELERY")
