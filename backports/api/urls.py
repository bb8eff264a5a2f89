"""Every address of the API, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import (
    advisories,
    attempts,
    backports,
    branches,
    comments,
    events,
    fixes,
    organisations,
    reviews,
    root,
    uploads,
    versions,
)

urlpatterns = [
    path("", root.Root.as_view(), name="api_root"),
    path("openapi.yaml", root.OpenApi.as_view(), name="api_openapi"),
    path("advisories/", advisories.Advisories.as_view(), name="api_advisories"),
    path("advisories/<int:number>/", advisories.OneAdvisory.as_view(), name="api_advisory"),
    path("advisories/<int:number>/fixes/", fixes.Fixes.as_view(), name="api_fixes"),
    path(
        "advisories/<int:number>/branches/<str:branch>/backports/",
        uploads.CellBackports.as_view(),
        name="api_cell_backports",
    ),
    path("fixes/<uuid:pk>/", fixes.OneFix.as_view(), name="api_fix"),
    path("branches/", branches.Branches.as_view(), name="api_branches"),
    path("branches/<uuid:pk>/", branches.OneBranch.as_view(), name="api_branch"),
    path("attempts/", attempts.Attempts.as_view(), name="api_attempts"),
    path("attempts/<uuid:pk>/", attempts.OneAttempt.as_view(), name="api_attempt"),
    path("attempts/<uuid:pk>/result.mbox", attempts.AttemptMbox.as_view(), name="api_attempt_mbox"),
    path("attempts/<uuid:pk>/result.patch", attempts.AttemptPatch.as_view(), name="api_attempt_patch"),
    path("backports/", backports.Backports.as_view(), name="api_backports"),
    path("backports/<uuid:pk>/", backports.OneBackport.as_view(), name="api_backport"),
    path("backports/<uuid:pk>/versions/", versions.Versions.as_view(), name="api_versions"),
    path("versions/<uuid:pk>/", versions.OneVersion.as_view(), name="api_version"),
    path("versions/<uuid:pk>/patches.patch", versions.VersionPatch.as_view(), name="api_version_patch"),
    path("versions/<uuid:pk>/review.txt", reviews.TextToSign.as_view(), name="api_text_to_sign"),
    path("versions/<uuid:pk>/reviews/", reviews.VersionReviews.as_view(), name="api_version_reviews"),
    path("versions/<uuid:pk>/comments/", comments.VersionComments.as_view(), name="api_version_comments"),
    path("backports/<uuid:pk>/comments/", comments.BackportComments.as_view(), name="api_backport_comments"),
    path("advisories/<int:number>/comments/", comments.AdvisoryComments.as_view(), name="api_advisory_comments"),
    path("advisories/<int:number>/quorum/", reviews.AdvisoryQuorum.as_view(), name="api_quorum"),
    path("reviews/", reviews.Reviews.as_view(), name="api_reviews"),
    path("reviews/drafts/", reviews.Drafts.as_view(), name="api_review_drafts"),
    path("reviews/<uuid:pk>/", reviews.OneReview.as_view(), name="api_review"),
    path("reviews/<uuid:pk>/signed.json", reviews.SignedReview.as_view(), name="api_signed_review"),
    path("comments/", comments.Comments.as_view(), name="api_comments"),
    path("comments/<uuid:pk>/", comments.OneComment.as_view(), name="api_comment"),
    path("comments/<uuid:pk>/answers/", comments.Answers.as_view(), name="api_answers"),
    path("uploads/", uploads.Uploads.as_view(), name="api_uploads"),
    path("uploads/<uuid:pk>/", uploads.OneUpload.as_view(), name="api_upload"),
    path("uploads/<uuid:pk>/version/", uploads.Confirm.as_view(), name="api_confirm"),
    path("organisations/", organisations.Organisations.as_view(), name="api_organisations"),
    path("organisations/<uuid:pk>/", organisations.OneOrganisation.as_view(), name="api_organisation"),
    path("events/", events.Events.as_view(), name="api_events"),
]
