"""Events: what happened, for programs that follow along. Ids only; the things themselves are asked for by those."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backports.models import Event
from backports.services.events import KINDS

from .base import Listing, NoQuery, Operation, Query, Single, Thing, narrowed
from .fields import MOST, USUAL
from .problems import Problem


class EventSerializer(Thing):
    """Something that happened to an advisory."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(KINDS)
    advisory = serializers.IntegerField(source="advisory.number")
    branch = serializers.UUIDField(source="branch_id", allow_null=True)
    thing = serializers.UUIDField(allow_null=True, help_text="What it is about, by its id: an attempt, a backport.")


class EventsSerializer(Thing):
    """Events in order, and where to go on asking: there is always a `next`."""

    results = EventSerializer(many=True)
    next = serializers.CharField(help_text="Ask this address later: it gives what comes after these.")


class EventQuery(NoQuery):
    """From where on."""

    after = serializers.UUIDField(required=False, help_text="The last event that you saw; without, from the first.")
    newest = serializers.BooleanField(required=False, help_text="No events, only the `next` from now on.")
    kind = serializers.ChoiceField(KINDS, required=False)
    advisory = serializers.IntegerField(required=False, min_value=0, max_value=10**9)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=USUAL)


class Events(Listing):
    """What happened, oldest first, without end: ask `next` again for what is new."""

    operations = {"GET": Operation(gives=EventsSerializer, query=EventQuery)}

    def get(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        query = self.asked()
        seen = events(self.request.user)
        rows = [] if query.get("newest") else list(self.rows(query)[: query["limit"]])
        self.note([row.advisory for row in rows])
        last = rows[-1] if rows else seen.order_by("-position").first() if query.get("newest") else None
        after = last.pk if last else query.get("after")
        given = {"results": rows, "next": _next(request, after)}
        return Response(EventsSerializer(given, context=self.context({})).data)

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Event]:  # noqa: ARG002
        found = events(self.request.user)
        if "after" in query:
            last = found.filter(pk=query["after"]).values_list("position", flat=True).first()
            if last is None:
                raise Problem(400, "unknown-event", "There is no such event to go on from.", field="after")
            found = found.filter(position__gt=last)
        wanted = {"kind": query.get("kind"), "advisory__number": query.get("advisory")}
        return found.filter(**{name: value for name, value in wanted.items() if value is not None}).order_by("position")


class OneEvent(Single):
    """One event, as a webhook names it."""

    operations = {"GET": Operation(gives=EventSerializer, query=Query)}

    def row(self, **kwargs: Any) -> Event:
        found = self.find(events(self.request.user), pk=kwargs["pk"])
        self.note([found.advisory], found)
        return found


def events(user: Any) -> QuerySet[Event]:
    """Those that the reader may see."""
    rows = Event.objects.select_related("advisory")
    names = getattr(user, "branches", ())
    rows = rows.filter(branch__name__in=names) | rows.filter(branch=None) if names else rows
    return narrowed(user, rows, number="advisory__number")


def _next(request: Request, after: Any) -> str:
    query = request.query_params.copy()
    query.pop("newest", None)
    if after:
        query["after"] = str(after)
    return f"{request.path}?{query.urlencode()}"
