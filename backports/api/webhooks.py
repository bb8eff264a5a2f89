"""Webhooks of a token: addresses that are told of its events by their ids."""

from __future__ import annotations

from functools import partial
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backports.models import Webhook
from backports.services import webhooks
from xsa.models import ApiToken, User

from .base import Listing, ListQuery, Operation, Query, Single, Thing
from .once import once
from .problems import Problem

NOT_A_TOKEN = "Webhooks belong to tokens: ask with the token that shows what the address is to be told of."  # noqa: S105


class WebhookSerializer(Thing):
    """An address that is told of events."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    made_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True, help_text="When it took something last.")
    failures = serializers.IntegerField(help_text="In a row, up to now.")
    status = serializers.IntegerField(help_text="What it answered last when it was asked; 0: nothing.")
    ended_at = serializers.DateTimeField(allow_null=True)


class AddedSerializer(WebhookSerializer):
    """A webhook with its signing secret."""

    secret = serializers.SerializerMethodField(
        help_text="For verifying `webhook-signature`, as Standard Webhooks has it. Told this once: null where the "
        "same request is answered again by its `Idempotency-Key`. For a new one end the webhook and add it again."
    )

    def get_secret(self, row: Webhook) -> str | None:
        """In the answer that adds it, and in no other."""
        return webhooks.secret_of(row) if self.context["added"] else None


class Adding(serializers.Serializer[Any]):
    """Where to."""

    url = serializers.CharField(max_length=500, help_text="https alone, and no machine inside.")


def own(request: Request) -> QuerySet[Webhook]:
    """Those of the token that asks; nobody else's are there."""
    token = cast("ApiToken | None", request.auth)
    return Webhook.objects.filter(token=token) if token else Webhook.objects.none()


class Webhooks(Listing):
    """The webhooks of the token that asks, the latest first."""

    operations = {
        "GET": Operation(gives=WebhookSerializer, many=True, query=ListQuery),
        "POST": Operation(gives=AddedSerializer, takes=Adding, status=201, problems=(409, 422)),
    }
    order = ("-made_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Webhook]:  # noqa: ARG002
        return own(self.request)

    def post(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        """Have an address told of the events that this token shows, until the token ends; 409 where it is already."""
        actor = self.actor
        self.asked()
        token = cast("ApiToken | None", request.auth)
        if token is None:
            raise PermissionDenied(NOT_A_TOKEN)
        url = self.body()["url"]
        work = partial(self._add, actor, token, url)
        again = lambda pk: self._answer(self.find(own(request), pk=pk), added=False)  # noqa: E731
        return once(request, actor, url.encode(), do=work, again=again)

    def _add(self, actor: User, token: ApiToken, url: str) -> tuple[UUID, Response]:
        try:
            row = webhooks.add(actor, token=token, url=url)
        except webhooks.ToldAlready as error:
            raise Problem(409, error.code, str(error), field=error.field) from None
        return row.pk, self._answer(row, added=True)

    def _answer(self, row: Webhook, *, added: bool) -> Response:
        body = AddedSerializer(row, context={"user": self.request.user, "added": added}).data
        return Response(body, status=201, headers={"Location": reverse("api_webhook", args=[row.pk])})


class OneWebhook(Single):
    """One webhook of the token that asks."""

    operations = {
        "GET": Operation(gives=WebhookSerializer, query=Query),
        "DELETE": Operation(status=204),
    }

    def row(self, **kwargs: Any) -> Webhook:
        return self.find(own(self.request), pk=kwargs["pk"])

    def delete(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        """End it."""
        actor, row = self.actor, self.row(**kwargs)
        self.demand_match(row)
        webhooks.end(actor, webhook=row)
        return Response(status=204)
