"""What an unexpected error leaves in the logs."""

from __future__ import annotations

import io
import logging

import pytest
from django.test import Client

from backports.celery import app
from backports.web import pages

SECRET = "guests can pick the quiet title"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the settings' own handler writes."""
    stream = io.StringIO()
    ours = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    assert ours
    for handler in ours:
        monkeypatch.setattr(handler, "stream", stream)
    return stream


def explode(*_: object, **__: object) -> None:
    raise ValueError(SECRET)


def test_an_error_of_a_page_is_told_by_type_and_place(
    db: None, told: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "render", explode)
    assert Client(raise_request_exception=False).get("/glossary/").status_code == 500
    assert "ValueError" in told.getvalue()
    assert "in glossary" in told.getvalue()
    assert SECRET not in told.getvalue()


def test_an_error_of_a_task_is_told_by_type_and_place(told: io.StringIO) -> None:
    task = app.task(name="tests.explode", lazy=False)(explode)
    task.apply()
    assert "task failed task=tests.explode" in told.getvalue()
    assert "ValueError" in told.getvalue()
    assert SECRET not in told.getvalue()
