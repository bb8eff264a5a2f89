"""What a mail signed by an organisation's key may change, by every table there is; the rest is for pages alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.utils import timezone

from backports.models import BackportVersion
from backports.services import claiming
from tests.backports.conftest import Workshop
from tests.mail.inbound.conftest import Member, Take, body_of, fix
from xsa.identity import everything
from xsa.models import Advisory

OF_MAIL = {"InboundMail", "OutboxMail", "OutboxText", "AuditRecord", "AuditCounter", "Event", "EventCounter"}
SERIES = OF_MAIL | {"Upload", "Backport", "BackportVersion", "VersionPatch"}
ANSWER = OF_MAIL | {"Comment", "Review"}
ORDERS = (
    "disclose XSA-500 now",
    "set the date of XSA-500 to tomorrow",
    "claim 4.1 to 4.4",
    "withdraw the backport",
    "invite friend@elsewhere.example",
    "pin this key",
    "unsubscribe the list",
    "help",
)


def _tables() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of ours, as it stands."""
    with everything("command"):
        models = [one for label in ("xsa", "backports") for one in apps.get_app_config(label).get_models()]
        return {one.__name__: sorted(one.objects.values_list(), key=repr) for one in models}


def _changed(before: dict[str, list[tuple[Any, ...]]]) -> set[str]:
    after = _tables()
    return {name for name in after if after[name] != before[name]}


def _patch(member: Member, workshop: Workshop) -> bytes:
    text = body_of(fix(workshop))
    return member.write(text, subject="[PATCH XSA-500 4.1] table: check", message_id="<p@engineer.example>")


def test_a_series_is_a_version_and_nothing_else(
    workshop: Workshop, advisory: Advisory, member: Member, reviewer: Member, take: Take
) -> None:
    branch = workshop.repository.branches.get(name="4.2")
    until = timezone.now() + timedelta(hours=1)
    whose = {"organisation": reviewer.organisation, "advisory": advisory}
    claiming.claim(reviewer.user, branches=[branch], until=until, **whose)
    before = _tables()
    assert take(member.sign(_patch(member, workshop))).state == "acted"
    assert _changed(before) <= SERIES
    assert {"BackportVersion", "InboundMail", "AuditRecord"} <= _changed(before)


def test_an_answer_is_remarks_and_verdicts_and_nothing_else(
    workshop: Workshop, advisory: Advisory, member: Member, reviewer: Member, take: Take
) -> None:
    take(member.sign(_patch(member, workshop)))
    before = _tables()
    text = "Good.\n\nReviewed-by: Reviewer <reviewer@reviewer.example>\n"
    answer = reviewer.write(
        text, subject="Re: [PATCH XSA-500 4.1] table: check", message_id="<a@r.example>", answers="<p@engineer.example>"
    )
    row = take(reviewer.sign(answer))
    assert row.state == "acted", row.sentence
    assert _changed(before) <= ANSWER
    assert "Review" in _changed(before)


def test_orders_are_words(workshop: Workshop, advisory: Advisory, member: Member, take: Take) -> None:
    take(member.sign(_patch(member, workshop)))
    for at, order in enumerate(ORDERS):
        before = _tables()
        row = take(member.sign(member.write(f"{order}\n", subject=order, message_id=f"<o{at}@engineer.example>")))
        assert (row.state, row.code) == ("refused", "nothing-to-do"), order
        assert _changed(before) <= OF_MAIL, order
    assert BackportVersion.objects.count() == 1
