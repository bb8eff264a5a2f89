"""Every address of the pages."""

from __future__ import annotations

from django.urls import include, path, re_path
from django.views.defaults import server_error

from backports.api import problems
from backports.web import (
    advisories,
    attempts,
    audit,
    backports,
    branches,
    comments,
    comparisons,
    disclosure,
    files,
    finishing,
    health,
    matrix,
    need_to_know,
    own_repositories,
    pages,
    people,
    proposals,
    queue,
    repositories,
    resolutions,
    reviews,
    statements,
    tokens,
    uploads,
    version_files,
)
from backports.web.seen import record_all

handler400 = problems.bad_request
handler403 = problems.forbidden
handler404 = problems.not_found
handler500 = problems.broken(server_error)

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
    path("advisories/<int:number>/files.tar", advisories.bundle, name="bundle"),
    path("advisories/<int:number>/disclosure/", disclosure.disclosure, name="disclosure"),
    path("advisories/<int:number>/statements/", statements.state, name="state"),
    path("fixes/<uuid:pk>/fix.patch", advisories.upstream_fix, name="fix"),
    path("attempts/<uuid:pk>/", attempts.detail, name="attempt"),
    path("attempts/<uuid:pk>/result.patch", attempts.result, name="result"),
    path("attempts/<uuid:pk>/proposal.patch", resolutions.proposal, name="proposal"),
    path("attempts/<uuid:pk>/proposals/<slug:what>.patch", proposals.explained, name="explained"),
    path("attempts/<uuid:pk>/finish/", finishing.finish, name="finish"),
    path("attempts/<uuid:pk>/retry/", attempts.retry, name="retry"),
    path("backports/<uuid:pk>/", backports.detail, name="backport"),
    path("backports/<uuid:pk>/v<int:number>/", backports.detail, name="backport_version"),
    path("backports/<uuid:pk>/life/", backports.change, name="backport_life"),
    path("versions/<uuid:pk>/comparison/", comparisons.comparison, name="version_comparison"),
    path("versions/<uuid:pk>/files/<slug:kind>", version_files.file, name="version_file"),
    path("versions/<uuid:pk>/files/<slug:kind>.json", version_files.manifest, name="version_manifest"),
    path("versions/<uuid:pk>/review/", reviews.review, name="review"),
    path("versions/<uuid:pk>/comment/", comments.line, name="comment_line"),
    path("backports/<uuid:pk>/comments/", comments.say_of_backport, name="say_of_backport"),
    path("comments/<uuid:pk>/answers/", comments.answer, name="answer"),
    path("advisories/<int:number>/comments/", comments.say, name="say"),
    path("advisories/<int:number>/quorum/", reviews.set_quorum, name="set_quorum"),
    path("uploads/", uploads.uploads, name="uploads"),
    path("uploads/<uuid:pk>/", uploads.upload, name="upload"),
    path("files/unread/", files.unread, name="unread"),
    path("files/<uuid:pk>/raw", files.raw, name="file"),
    path("queue/", queue.queue, name="queue"),
    path("repositories/", repositories.listing, name="repositories"),
    path("repositories/<slug:name>/fetch/", repositories.fetch, name="fetch"),
    path("glossary/", pages.glossary, name="glossary"),
    path("organisations/", people.listing, name="organisations"),
    path("organisations/<uuid:pk>/", people.detail, name="organisation_people"),
    path("organisations/<uuid:pk>/need-to-know/", need_to_know.need_to_know, name="need_to_know"),
    path("organisations/<uuid:pk>/repositories/", own_repositories.repositories, name="own_repositories"),
    path("organisations/<uuid:pk>/details/", people.set_details, name="organisation_details"),
    path("organisations/<uuid:pk>/invite/", people.invite, name="invite"),
    path("organisations/<uuid:pk>/list/", people.list_organisation, name="list_organisation"),
    path("organisation/", people.own, name="organisation"),
    path("memberships/<uuid:pk>/", people.change, name="membership"),
    path("memberships/<uuid:pk>/remove/", people.remove, name="remove_member"),
    path("invitations/<uuid:pk>/revoke/", people.revoke, name="revoke_invitation"),
    path("invitations/<uuid:pk>/again/", people.send_again, name="invite_again"),
    path("", include("backports.web.account_urls")),
    path("tokens/", tokens.listing, name="tokens"),
    path("tokens/<uuid:pk>/end/", tokens.end, name="end_token"),
    path("audit/", audit.listing, name="audit"),
    path("audit/export", audit.export, name="audit_export"),
    path("organisation/audit/", audit.own, name="organisation_audit"),
    path("api/v1/", include("backports.api.urls")),
    path("healthz", health.healthz, name="healthz"),
]
record_all(urlpatterns)
