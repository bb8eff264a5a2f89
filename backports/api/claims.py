"""Claims: who is on an advisory on which branches until when."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backports.models import Claim
from backports.services import claiming
from xsa.models import Advisory, Organisation, User

from .advisories import advisories
from .backports import place
from .base import Endpoint, Listing, ListQuery, Operation, Query, Single, Thing, narrowed
from .branches import branches
from .once import once
from .problems import Problem
from .speaking import speaker


class ClaimSerializer(Thing):
    """That an organisation is on an advisory on one branch."""

    id = serializers.UUIDField()
    advisory = serializers.IntegerField(source="advisory.number")
    branch = serializers.CharField(source="branch.name")
    branch_id = serializers.UUIDField()
    repository = serializers.CharField(source="branch.repository.name")
    organisation = serializers.UUIDField(source="organisation_id")
    organisation_name = serializers.CharField(source="organisation.name")
    made_at = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="When it ends by itself.")
    also = serializers.BooleanField(help_text="Made although another organisation was on it.")
    offered_to = serializers.UUIDField(source="offered_to_id", allow_null=True, help_text="Who may take it over.")
    taken_over = serializers.UUIDField(source="taken_over_id", allow_null=True, help_text="The claim that it was.")
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_because = serializers.ChoiceField(Claim.Ended.choices, allow_blank=True)


class MadeSerializer(Thing):
    """Claims as they are now, one for each branch of the range."""

    results = ClaimSerializer(many=True)


class ClaimQuery(ListQuery):
    """Which claims."""

    advisory = serializers.IntegerField(required=False, min_value=0, max_value=10**9)
    repository = serializers.CharField(required=False, max_length=100)
    branch = serializers.CharField(required=False, max_length=100)
    organisation = serializers.UUIDField(required=False)
    open = serializers.BooleanField(required=False, default=True, help_text="Only open ones, unless false.")


class Claiming(serializers.Serializer[Any]):
    """From which branch to which, until when."""

    first = serializers.CharField(max_length=100, help_text="A branch's name.")
    last = serializers.CharField(required=False, max_length=100, help_text="The other end; without, that one alone.")
    repository = serializers.CharField(required=False, default="", max_length=100)
    until = serializers.DateTimeField(help_text="At most 30 days from now.")
    also = serializers.BooleanField(default=False, help_text="Claim also what another organisation is on.")
    organisation = serializers.UUIDField(required=False, help_text="Whose it is, for people of more than one.")


class ClaimChange(serializers.Serializer[Any]):
    """One step: end it, offer it to another organisation, or as that one take it or leave it."""

    ended = serializers.BooleanField(required=False, help_text="True ends it.")
    offered_to = serializers.UUIDField(required=False, allow_null=True, help_text="Null takes the offer back.")
    accept = serializers.BooleanField(required=False, help_text="For whom it is offered to: false leaves it.")


COLUMNS = {
    "advisory": "advisory__number",
    "repository": "branch__repository__name",
    "branch": "branch__name",
    "organisation": "organisation",
}


def claims(user: Any) -> QuerySet[Claim]:
    """Those that the reader may see."""
    rows = Claim.objects.select_related("advisory", "organisation", "offered_to", "branch__repository")
    return narrowed(user, rows, number="advisory__number", branch="branch__name")


class Claims(Listing):
    """Claims, the latest first."""

    operations = {"GET": Operation(gives=ClaimSerializer, many=True, query=ClaimQuery)}
    order = ("-made_at", "id")

    def rows(self, query: dict[str, Any], **kwargs: Any) -> QuerySet[Claim]:  # noqa: ARG002
        found = claims(self.request.user)
        found = found.filter(pk__in=claiming.open_claims().values("pk")) if query["open"] else found
        return found.filter(**{column: query[name] for name, column in COLUMNS.items() if name in query})

    def shows(self, rows: list[Any]) -> None:
        self.note([row.advisory for row in rows])


class AdvisoryClaims(Endpoint):
    """Claims an advisory on a range of branches."""

    operations = {
        "POST": Operation("upload", gives=MadeSerializer, takes=Claiming, status=201, problems=(409, 422)),
    }

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Say that you are on it; 409 names those who are already, `also` claims all the same."""
        actor = self.actor
        self.asked()
        advisory = self.find(advisories(request.user), number=kwargs["number"])
        self.note([advisory], advisory)
        values = self.body()
        work = partial(self._claim, actor, advisory, values)
        # Doing it again changes nothing, so that the same key is answered by doing it again.
        return once(request, actor, repr(sorted(values.items())).encode(), do=work, again=lambda _: work()[1])

    def _claim(self, actor: User, advisory: Advisory, values: dict[str, Any]) -> tuple[UUID | None, Response]:
        ends = [
            self._branch(advisory, values[end], values["repository"], end) for end in ("first", "last") if end in values
        ]
        try:
            made = claiming.claim(
                actor,
                organisation=speaker(actor, values.get("organisation")),
                advisory=advisory,
                branches=claiming.stretch(branches(self.request.user), ends[0], ends[-1]),
                until=values["until"],
                also=values["also"],
            )
        except claiming.Claimed as error:
            raise Problem(409, error.code, str(error), field=error.field) from None
        rows = claims(self.request.user).filter(pk__in=[one.pk for one in made]).order_by("branch__rank", "pk")
        body = MadeSerializer({"results": rows}, context={"user": self.request.user}).data
        return made[0].pk, Response(body, status=201)

    def _branch(self, advisory: Advisory, name: str, repository: str, field: str) -> Any:
        _, branch = place(self.request.user, advisory.number, name, repository)
        if branch is None:
            raise Problem(422, "no-branch", "There is no such branch.", field=field)
        return branch


class OneClaim(Single):
    """One claim."""

    operations = {
        "GET": Operation(gives=ClaimSerializer, query=Query),
        "PATCH": Operation("upload", gives=ClaimSerializer, takes=ClaimChange, problems=(422,)),
    }

    def row(self, **kwargs: Any) -> Claim:
        found = self.find(claims(self.request.user), pk=kwargs["pk"])
        self.note([found.advisory], found)
        return found

    def patch(self, request: Request, **kwargs: Any) -> Response:  # noqa: ARG002
        """End it, offer it, take it over. The answer is the claim as it is then; taken over, it is the new one."""
        actor, change, row = self.actor, self.body(), self.row(**kwargs)
        self.demand_match(row)
        if change.get("ended"):
            claiming.release(actor, claims=[row])
        if "offered_to" in change:
            claiming.offer(actor, claims=[row], to=_heir(change["offered_to"]))
        if "accept" in change:
            row = claiming.answer(actor, claims=[row], accept=change["accept"])[0]
        return Response(self.represented(self.row(pk=row.pk)))


def _heir(pk: UUID | None) -> Organisation | None:
    if pk is None:
        return None
    if (found := Organisation.objects.filter(pk=pk).first()) is None:
        raise Problem(422, "no-organisation", "There is no such organisation.", field="offered_to")
    return found
