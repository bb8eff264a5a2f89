"""Pages about the product itself, and the pages for errors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import ladder_words, words


@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    """What the words on the pages mean."""
    context = {
        "outcomes": words.OUTCOMES.values(),
        "rungs": {term.anchor: term for term in ladder_words.STEPS.values()}.values(),
        "guards": ladder_words.GUARDS.values(),
        "rejections": ladder_words.REJECTIONS.values(),
        "confidences": words.CONFIDENCES.values(),
        "states": words.STATES.values(),
    }
    return render(request, "pages/glossary.html", context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """For a request that makes no sense."""
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Says why, when the view gave a reason."""
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """The same bytes for what does not exist and for what the reader may not see."""
    return render(request, "404.html", status=404)
