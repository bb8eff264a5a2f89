"""Where everything is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .base import Endpoint, Operation, Thing

LISTS = (
    *("advisories", "branches", "attempts", "backports", "uploads", "reviews", "comments", "claims"),
    *("organisations", "webhooks", "events"),
)
OPENAPI = settings.BASE_DIR / "docs" / "openapi.yaml"


class RootSerializer(Thing):
    """The addresses of the lists, by noun."""

    advisories = serializers.CharField()
    branches = serializers.CharField()
    attempts = serializers.CharField()
    backports = serializers.CharField()
    uploads = serializers.CharField()
    reviews = serializers.CharField()
    comments = serializers.CharField()
    claims = serializers.CharField()
    webhooks = serializers.CharField()
    organisations = serializers.CharField()
    events = serializers.CharField()
    openapi = serializers.CharField(help_text="This API's description.")


class Root(Endpoint):
    """Where everything is."""

    operations = {"GET": Operation(gives=RootSerializer)}

    def get(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        self.asked()
        return Response({name: reverse(f"api_{name}") for name in (*LISTS, "openapi")})


class OpenApi(Endpoint):
    """This API's description, OpenAPI 3.1."""

    operations = {"GET": Operation(media="application/yaml")}

    def get(self, request: Request, **kwargs: Any) -> HttpResponse:  # noqa: ARG002
        self.asked()
        return HttpResponse(OPENAPI.read_bytes(), content_type="application/yaml")
