"""The base of all Celery tasks: each says which service it is, and sees what that one may see."""

from __future__ import annotations

from typing import Any

from celery import Task

from xsa.identity import everything


class ServiceTask(Task):
    """`service` is one of `xsa.identity.SERVICES`; a task without one sees nothing that is embargoed."""

    abstract = True
    service = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.service:
            return super().__call__(*args, **kwargs)
        with everything(self.service):
            return super().__call__(*args, **kwargs)
