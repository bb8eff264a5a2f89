"""The OpenAPI file (docs/openapi.yaml), made from what the endpoints declare."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from .problems import ProblemSerializer

if TYPE_CHECKING:
    from .base import Endpoint, Operation

ALWAYS = {
    400: "A parameter cannot be understood.",
    401: "The token is none that is good now, or nobody asks.",
    403: "This may be seen and not be done; the sentence says why.",
    404: "There is no such thing, or the reader may not see it: the same bytes for both.",
    429: "Too many requests; `Retry-After` says in how many seconds the next one is answered.",
    503: "Something that is needed is not there just now.",
}
SOMETIMES = {
    304: "The reader has it: `If-None-Match` names it.",
    409: "It stands against what is there.",
    412: "It is not what `If-Match` names any more.",
    413: "Too large.",
    415: "This media type is not read here.",
    422: "It can be read, and cannot be done.",
    428: "A change must say with `If-Match` what it changes.",
}
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, "header", description="An ETag: 304 when it is still that.")
IF_MATCH = OpenApiParameter(
    "If-Match", str, "header", description="The ETag that reading gave; a change needs it, and is refused without."
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    "header",
    description="A word of your own: the same request with the same key within a day is done once.",
)


@cache
def _page_of(gives: Any) -> Any:
    """A page of a list; one and the same for every address that gives it."""
    name = gives.__name__.removesuffix("Serializer")
    following = serializers.CharField(allow_null=True, help_text="The address of the next page; null at the end.")
    return inline_serializer(f"{name}Page", {"results": gives(many=True), "next": following})


class Schema(AutoSchema):
    """Reads `Endpoint.operations` in place of guessing."""

    @property
    def operation(self) -> Operation:
        """What the endpoint declares for the method that is described."""
        return self.endpoint.operations[self.method]

    @property
    def endpoint(self) -> Endpoint:
        """What is described."""
        return cast("Endpoint", self.view)

    def is_excluded(self) -> bool:
        return self.method not in self.endpoint.operations

    def is_deprecated(self) -> bool:
        return self.endpoint.deprecation is not None

    def get_operation_id(self) -> str:
        words = [word for word in self.path.removeprefix("/api/v1/").split("/") if word and "{" not in word]
        one = "_one" if self.path.rstrip("/").endswith("}") else ""
        return "_".join([*(word.replace(".", "_") for word in words or ["root"])]) + one + f"_{self.method.lower()}"

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").partition("/")[0] or "root"]

    def get_auth(self) -> list[dict[str, Any]]:
        return [*super().get_auth(), *([{}] if self.method == "GET" else [])]

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = [self.operation.query()] if self.operation.query().fields else []
        if self.method == "GET":
            return [*found, IF_NONE_MATCH]
        return [*found, IF_MATCH if self.method in ("PATCH", "PUT", "DELETE") else KEY]

    def get_request_serializer(self) -> Any:
        return self.operation.takes

    def get_response_serializers(self) -> Any:
        operation = self.operation
        found: dict[Any, Any] = {(operation.status, operation.media): self._success(operation)}
        if self.method == "GET":
            found[304] = OpenApiResponse(description=SOMETIMES[304])
        if 200 in operation.problems:
            found[200, operation.media] = OpenApiResponse(self._success(operation), description="It was there already.")
        problems = {code: ALWAYS[code] for code in ALWAYS} | {
            code: SOMETIMES[code] for code in self._more() if code >= 300
        }
        for code, sentence in problems.items():
            found[code, "application/problem+json"] = OpenApiResponse(ProblemSerializer, description=sentence)
        return found

    def _more(self) -> tuple[int, ...]:
        body = (413, 415) if self.operation.takes else ()
        match = (428,) if self.method in ("PATCH", "PUT", "DELETE") else ()
        return (412, *body, *match, *self.operation.problems)

    def _success(self, operation: Operation) -> Any:
        if operation.status == 204:
            return OpenApiResponse(None, description="Nothing to say.")
        if operation.gives is None:
            content = OpenApiTypes.BINARY if operation.media.startswith("text/") else OpenApiTypes.ANY
            return OpenApiResponse(content, description="The file.")
        if not operation.many:
            return operation.gives
        return _page_of(cast("Hashable", operation.gives))

    def _is_list_view(self, serializer: Any = None) -> bool:  # noqa: ARG002 - pages say what they are
        return False


def as_one_reads(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of the generator: objects hold what is named and nothing else, and with `?fields=` not all of that."""
    for name, component in result.get("components", {}).get("schemas", {}).items():
        if component.get("type") == "object" and "properties" in component:
            component["additionalProperties"] = False
            if name not in ("Problem", "OneError") and not name.endswith("Request"):
                component.pop("required", None)
    return result
