"""A client that holds each answer against docs/openapi.yaml: none that is not described there passes."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.http import QueryDict
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
PROBLEM = "#/components/schemas/Problem"


@cache
def description() -> dict[str, Any]:
    """The OpenAPI file that is checked in."""
    return yaml.safe_load(DESCRIPTION.read_text())


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Literal addresses first, as the server tries them."""
    found = sorted(description()["paths"].items(), key=lambda one: one[0].count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations) for path, operations in found]


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What is described for this method at this address."""
    wanted = "get" if method == "HEAD" else method.lower()
    return next((one.get(wanted) for pattern, one in _paths() if pattern.fullmatch(path)), None)


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with all components at hand."""
    return {**schema, "components": description()["components"]}


def check(answer: Any, method: str, path: str, query: QueryDict) -> None:
    """Fail unless the answer is one that the file describes."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    operation = operation_of(method, path)
    if operation is None:
        assert kind == "application/problem+json", (method, path, answer.status_code)
        return _valid({"$ref": PROBLEM}, answer, query)
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, (method, path, answer.status_code, answer.content[:300])
    media = described.get("content", {})
    if not media:
        assert answer.content == b"", (method, path)
        return None
    assert kind in media, (method, path, kind, list(media))
    if method != "HEAD" and "json" in kind:
        _valid(media[kind]["schema"], answer, query)
    return None


def _valid(schema: dict[str, Any], answer: Any, query: QueryDict) -> None:
    if not answer.content:
        return
    body = json.loads(answer.content)
    Draft202012Validator(_resolved(schema), format_checker=FormatChecker()).validate(body)
    if answer.status_code == 200 and "fields" not in query:
        _complete(schema, body)


def _complete(schema: dict[str, Any], body: Any) -> None:
    """Without `fields` every field is there, all the way down."""
    if ref := schema.get("$ref"):
        schema = description()["components"]["schemas"][ref.rpartition("/")[2]]
    if isinstance(body, dict) and "properties" in schema:
        assert set(body) == set(schema["properties"])
        for name, value in body.items():
            _complete(schema["properties"][name], value)
    if isinstance(body, list) and "items" in schema:
        for value in body:
            _complete(schema["items"], value)


class Api(Client):
    """Django's client; with a token it asks in that one's name."""

    def __init__(self, secret: str = "", **options: Any) -> None:
        headers = {"Authorization": f"Token {secret}"} if secret else {}
        super().__init__(headers=headers, **options)

    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        if request["PATH_INFO"].startswith("/api/"):
            query = QueryDict(request.get("QUERY_STRING", ""))
            check(answer, request["REQUEST_METHOD"], request["PATH_INFO"], query)
        return answer
