"""The components' tags and filters; settings make them builtins of every template."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from backports.models import Attempt
from backports.web import checks, lines, looks, text, words, written
from backports.web.findings import Climb, climb
from backports.web.ladder_words import Term, rejection

register = template.Library()
register.filter("visible", text.visible, is_safe=True)
register.filter("plain", text.plain)
register.filter("written", written.written)
register.filter("line_kind", written.line_kind)


@register.simple_tag
def cell(attempt: Attempt) -> SafeString:
    """An attempt as a small link with symbol and short word."""
    return looks.cell(attempt.pk, looks.look_of(attempt))


@register.inclusion_tag("parts/_verdict.html")
def verdict(attempt: Attempt) -> dict[str, Any]:
    """The badge with an attempt's full word."""
    return {"word": looks.word_of(attempt)}


@register.inclusion_tag("parts/_verdict.html")
def outcome_badge(outcome: str) -> dict[str, Any]:
    """The badge of an outcome by its value."""
    return {"word": words.OUTCOMES[outcome]}


@register.inclusion_tag("parts/_progress.html")
def progress_bar(progress: Any) -> dict[str, Any]:
    """Attempts done of all, with rate and remaining time."""
    return {"progress": progress}


@register.inclusion_tag("checks/_state.html")
def check_state(state: str) -> dict[str, Any]:
    """The badge of a check's state, or of how a version stands with it."""
    return {"look": checks.LOOKS[state]}


@register.inclusion_tag("parts/_field.html")
def field(bound: Any) -> dict[str, Any]:
    """A form field with its label, help and errors."""
    return {"field": bound}


@register.inclusion_tag("parts/_embargo.html")
def embargo(advisory: Any) -> dict[str, Any]:
    """The embargo mark of an advisory; nothing for one that is disclosed."""
    return {"advisory": advisory}


@register.simple_tag
def organisation_logins() -> list[dict[str, str]]:
    """The organisations that log in by a server of their own, and where that begins."""
    return [
        {"organisation": one["organisation"], "address": reverse("openid_connect_login", args=[name])}
        for name, one in settings.OIDC_PROVIDERS.items()
    ]


register.filter("deployment_class", words.deployment_class)


@register.inclusion_tag("parts/_deploy.html")
def deploy_notice(advisory: Any) -> dict[str, Any]:
    """What must stand beside each download of an embargoed advisory; nothing for one that is disclosed."""
    return {"advisory": advisory, "deployment": words.deployment(advisory), "different": words.DIFFERENT_PATCHES}


@register.filter
def rung_name(value: str) -> str:
    """A rung's name for people."""
    return words.RUNGS[value].name if value in words.RUNGS else value


@register.filter
def opened(sentence: str) -> str:
    """A sentence with a capital at its start, unless it starts with a path or a name."""
    first = sentence.partition(" ")[0].rstrip(",;:.")
    return sentence[:1].upper() + sentence[1:] if first.isalpha() and first.islower() else sentence


@register.filter
def short(oid: str) -> SafeString:
    """The first twelve digits of an oid, with all of it on hover."""
    return format_html('<code title="{}">{}</code>', oid, oid[:12]) if oid else mark_safe("")


@register.filter
def moment(when: datetime | None) -> SafeString:
    """A time to the minute, in UTC, which it says."""
    return _time(when, 16, " UTC")


@register.filter
def day(when: datetime | None) -> SafeString:
    """A date, in UTC."""
    return _time(when, 10)


def _time(when: datetime | None, length: int, zone: str = "") -> SafeString:
    """The first `length` characters of the time. Digits and marks alone, hundreds of times on a page."""
    if when is None:
        return mark_safe("")
    shown = when.astimezone(UTC).isoformat(" ", "seconds")
    return mark_safe(f'<time datetime="{shown[:10]}T{shown[11:19]}Z">{shown[:length]}{zone}</time>')  # noqa: S308


@register.filter
def countdown(when: datetime | None) -> str:
    """How far away a time is, coarser the further: `in 12 days`, `in 5 hours`, `3 minutes ago`."""
    return text.countdown(when, timezone.now()) if when else ""


@register.filter
def percent(share: float) -> str:
    """A share of one as a percentage."""
    return f"{share * 100:.0f} %"


@register.simple_tag
def term(found: Term | None, code: str) -> SafeString:
    """A word of the ladder with a link to what it means; the bare code where there is no word for it."""
    if found is None:
        return format_html('<code class="soft">{}</code>', text.visible(code))
    address = f"{reverse('glossary')}#{found.anchor}"
    return format_html('<a class="term" href="{}" title="{}">{}</a>', address, found.sentence, text.visible(found.name))


@register.simple_tag
def rejection_term(code: str) -> SafeString:
    """The word for what stopped a hunk."""
    return term(rejection(code), code)


@register.simple_tag
def climbed(hunk: dict[str, Any]) -> Climb:
    """A hunk's way up the ladder; no rises where it stood at its own line."""
    return climb(hunk)


register.simple_tag(lines.hunk_lines)
register.simple_tag(lines.conflict)
register.simple_tag(lines.flagged_lines)
register.simple_tag(lines.compared_lines)
