"""Signs of life of workers and of the scheduler, for the queue page and `/healthz`."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta

from celery import shared_task
from celery.signals import beat_init, worker_init, worker_ready, worker_shutting_down
from django.db import close_old_connections
from django.utils import timezone

from backports.models import Heartbeat
from backports.runtime.errors import PlatformError
from backports.runtime.startup import refuse_powerful_role

BEAT = 5.0
ALIVE = timedelta(seconds=30)
SCHEDULER = "scheduler"
_stopping = threading.Event()


def beat(name: str) -> None:
    """Note that `name` is alive now."""
    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})


def alive() -> list[Heartbeat]:
    """The workers and the scheduler that were heard of lately."""
    return list(Heartbeat.objects.filter(seen_at__gte=timezone.now() - ALIVE))


@shared_task(name="backports.scheduler_heartbeat")
def scheduler_heartbeat() -> None:
    """Sent by beat and run by a worker: when it arrives, both are alive, and so is the broker."""
    beat(SCHEDULER)
    Heartbeat.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()


def _keep_beating(name: str) -> None:
    while not _stopping.wait(BEAT):
        close_old_connections()
        try:
            beat(name)
        except Exception:
            close_old_connections()


@worker_init.connect
@beat_init.connect
def _check(**_: object) -> None:
    """Before anything is worked on; Celery itself would only log an exception and go on."""
    try:
        refuse_powerful_role()
    except PlatformError as error:
        sys.exit(error.sentence)


@worker_ready.connect
def _start(sender: object, **_: object) -> None:
    _start_beating(str(getattr(sender, "hostname", "worker")))


@beat_init.connect
def _start_scheduler(**_: object) -> None:
    # By itself too: its task can stand behind a long queue while the scheduler is well.
    _start_beating(SCHEDULER)


def _start_beating(name: str) -> None:
    beat(name)
    threading.Thread(target=_keep_beating, args=(name,), daemon=True, name="heartbeat").start()


@worker_shutting_down.connect
def _stop(**_: object) -> None:
    _stopping.set()
