"""The Celery application; bound to Django in `BackportsConfig.ready`, so that the engine never imports it."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_process_init
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backports.settings")

app = Celery(
    "backports",
    include=[
        "backports.services.accounts",
        "backports.services.attempts",
        "backports.services.claiming",
        "backports.services.compiling",
        "backports.services.digests",
        "backports.services.disclosing",
        "backports.services.explaining",
        "backports.services.heartbeats",
        "backports.services.inbound.fetching",
        "backports.services.inbound.handling",
        "backports.services.keys",
        "backports.services.repositories",
        "backports.services.sending",
        "backports.services.webhooks",
    ],
)
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery would open a connection for every task, whose first queries find nothing cached in the database; below it is
# looked after as for a request. Celery asks for the option by this name, whatever the namespace.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize

YOUNG_OBJECTS = 20_000  # made since the last look for garbage before there is another; Python's own 700 costs 5 % here


@worker_process_init.connect
def collect_less_often(**_: Any) -> None:
    """Look for garbage less often: comparing files makes many small objects, next to none of them in cycles."""
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


@task_prerun.connect
def look_after_connections(**_: Any) -> None:
    """Close connections that are old or that the database has left, as Django does before a request."""
    close_old_connections()
