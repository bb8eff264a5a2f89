"""To which organisations a reader belongs; asked once for each answer that changes nothing.

What is remembered goes no further than one block of `remembering`. Whatever writes asks anew each time, and the
database's own policies (`xsa.rls`) remember nothing: somebody who was removed meanwhile reads no row more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast
from uuid import UUID

from .identity import current
from .models import Membership

T = TypeVar("T")
_memory: ContextVar[dict[object, Any] | None] = ContextVar("memory", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Inside the block, what `remembered` was asked once is not asked again."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def remembered(key: object, ask: Callable[[], T]) -> T:
    """What `ask` answers; the same answer again to who asks in the same name for the same `key`."""
    memory = _memory.get()
    if memory is None:
        return ask()
    place = (current(), key)
    if place not in memory:
        memory[place] = ask()
    return cast("T", memory[place])


def memberships(person: UUID | None) -> Sequence[Membership]:
    """A person's memberships with their organisations, by these names; none for nobody."""
    return remembered(("memberships", person), lambda: _ask(person)) if person else ()


def _ask(person: UUID) -> Sequence[Membership]:
    rows = Membership.objects.filter(user=person).select_related("organisation")
    return tuple(rows.order_by("organisation__name", "pk"))
