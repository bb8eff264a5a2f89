"""Every address of the pages."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, re_path

from backports.web import (
    advisories,
    attempts,
    branches,
    files,
    health,
    matrix,
    pages,
    proposals,
    queue,
    repositories,
    resolutions,
)

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found

urlpatterns = [
    path("", matrix.matrix, name="matrix"),
    path("r/<slug:repository>/", matrix.matrix, name="repository"),
    path("r/<slug:repository>/progress/", matrix.fragment, name="progress"),
    path("r/<slug:repository>/branches/<str:branch>/", branches.detail, name="branch"),
    re_path(
        r"^r/(?P<repository>[-\w]+)/branches/(?P<branch>[^/]+)/applied\.(?P<suffix>mbox|tar)$",
        branches.applied,
        name="applied",
    ),
    path("advisories/", advisories.listing, name="advisories"),
    path("advisories/<int:number>/", advisories.detail, name="advisory"),
    path("fixes/<uuid:pk>/fix.patch", advisories.upstream_fix, name="fix"),
    path("attempts/<uuid:pk>/", attempts.detail, name="attempt"),
    path("attempts/<uuid:pk>/result.patch", attempts.result, name="result"),
    path("attempts/<uuid:pk>/proposal.patch", resolutions.proposal, name="proposal"),
    path("attempts/<uuid:pk>/proposals/<slug:what>.patch", proposals.explained, name="explained"),
    path("attempts/<uuid:pk>/retry/", attempts.retry, name="retry"),
    path("files/unread/", files.unread, name="unread"),
    path("files/<uuid:pk>/raw", files.raw, name="file"),
    path("queue/", queue.queue, name="queue"),
    path("repositories/", repositories.listing, name="repositories"),
    path("repositories/<slug:name>/fetch/", repositories.fetch, name="fetch"),
    path("glossary/", pages.glossary, name="glossary"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", health.healthz, name="healthz"),
]
