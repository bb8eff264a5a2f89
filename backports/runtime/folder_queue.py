"""Celery's filesystem transport, with messages that appear whole and are taken once.

kombu's own writes a message in place, so that a worker may read it half written and die of it, and
takes one by a move that is a copy where the temporary folder is on another file system. Here a
message is renamed into its folder and renamed away by the one who takes it; both are atomic.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import defaultdict, deque
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """A channel whose queues are folders; keeps a listing and reads it to its end before it lists again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed: dict[str, deque[str]] = defaultdict(deque)

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]  # kombu names it both ways
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        hidden = folder / f".{name}"
        hidden.write_text(dumps(payload))
        hidden.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - kombu's signature
        names = self._listed[queue] or self._list(queue)
        while names:
            taken = self._take(names.popleft())
            if taken is not None:
                return loads(taken)
        raise Empty

    def _list(self, queue: str) -> deque[str]:
        ending = f"{queue}.msg"
        # The first part of a name is the time and an id; a hidden file has an empty one.
        there = os.listdir(self.data_folder_in)  # noqa: PTH208 - of thousands, the names alone
        names = self._listed[queue] = deque(sorted(name for name in there if name.partition(".")[2] == ending))
        return names

    def _take(self, name: str) -> str | None:
        """The message of that name, or None when somebody else was faster."""
        folder = Path(self.data_folder_in)
        mine = folder / f".{uuid.uuid4()}.taken"
        try:
            (folder / name).rename(mine)
        except FileNotFoundError:
            return None
        text = mine.read_text()
        mine.unlink()
        return text


class Transport(filesystem.Transport):
    """`broker_transport` for the default broker."""

    Channel = Channel
