"""The permission matrix: every address of the product, and what it answers to whom.

Each route of `backports.urls` has a row here, by its name; a test fails for one that has none. What an actor
may not see answers as what does not exist; a method that a route does not know answers 405 to everyone, whatever
stands behind the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.permissions.account_routes import ACCOUNT_ROWS
from tests.permissions.actors import ACTORS, SEE_EMBARGOED

SAFE = ("GET", "HEAD")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOGGED_IN = frozenset(ACTORS) - {"anonymous"}
EVERYONE = frozenset(ACTORS)
TEAM = frozenset({"team"})
TOGETHER = frozenset({"contact", "team"})  # and whoever was let in, while it is embargoed
LET_IN = frozenset({"guest"})
ROOM = frozenset({"contact", "team"})  # and a guest, while it is embargoed
GUEST = frozenset({"guest"})
NOBODY: frozenset[str] = frozenset()  # but the organisation's own people, who are none of these actors


@dataclass(frozen=True)
class Row:
    """One route. `path` may name {number}, {attempt}, {file} and {fix} of an advisory; then it is about that one.

    `methods` are those that it knows, `status` what they answer where allowed, `allowed` who is (else `denied`),
    `anonymous` what somebody who is not logged in gets, where that is a way to the login. `post` is what an empty form
    is answered, and `patch` a change of nothing, where that differs; `anonymous_change` what either gets from somebody
    who is not logged in. `in_the_room` says who else is allowed while it is embargoed.
    """

    path: str
    methods: tuple[str, ...] = SAFE
    status: int = 200
    allowed: frozenset[str] = EVERYONE
    denied: int = 403
    post: int = 0
    in_the_room: frozenset[str] = frozenset()
    anonymous: int = 0
    patch: int = 0
    anonymous_change: int = 0
    queries: tuple[str, ...] = field(default=("",))

    @property
    def about_one(self) -> bool:
        """Whether it is about one advisory."""
        return "{" in self.path

    def expected(self, actor: str, method: str, *, embargoed: bool) -> int:
        """The status that this actor gets."""
        if method not in self.methods:
            return 405
        if actor == "anonymous" and self.anonymous:
            return self.anonymous
        if actor == "anonymous" and self.anonymous_change and method not in SAFE:
            return self.anonymous_change
        if self.about_one and embargoed and actor not in SEE_EMBARGOED:
            return 404
        if actor not in self.allowed | (self.in_the_room if embargoed else frozenset()):
            return self.denied
        return {"POST": self.post, "PATCH": self.patch}.get(method, 0) or self.status


FORMATS = ("", "?format=json", "?format=raw", "?page=2")
API = ("", "?format=json", "?fields=id", "?cursor=x")
ROWS: Mapping[str, Row] = {
    "matrix": Row("/", queries=("", "?text=canarytitleqzx", "?text=7123", "?text=CVE-2099-07123", "?outcome=applied")),
    "repository": Row("/r/toy/", queries=("", "?before=9000", "?after=1", "?missing=4.1")),
    "progress": Row("/r/toy/progress/?newest=9999&oldest=1&since=0"),
    "branch": Row("/r/toy/branches/4.1/", queries=("", "?outcome=applied", "?outcome=conflict")),
    "applied": Row("/r/toy/branches/4.1/applied.mbox", queries=("", "?confidence=review")),
    "advisories": Row("/advisories/", queries=("", "?text=canarytitleqzx", "?after=500")),
    "advisory": Row("/advisories/{number}/", queries=FORMATS),
    "bundle": Row("/advisories/{number}/files.tar", queries=FORMATS),
    "disclosure": Row("/advisories/{number}/disclosure/", methods=(*SAFE, "POST"), post=400, allowed=TEAM),
    "state": Row(
        "/advisories/{number}/statements/",
        methods=("POST",),
        status=400,
        allowed=frozenset({"contact", "team"}),
        in_the_room=frozenset({"guest"}),
    ),
    "attempt": Row("/attempts/{attempt}/", queries=FORMATS),
    "result": Row("/attempts/{attempt}/result.patch", queries=FORMATS),
    "file": Row("/files/{file}/raw", queries=FORMATS),
    "retry": Row("/attempts/{attempt}/retry/", methods=("POST",), status=302, anonymous=302),
    "backport": Row("/backports/{backport}/", queries=FORMATS),
    "backport_version": Row("/backports/{backport}/v1/", queries=FORMATS),
    "backport_life": Row("/backports/{backport}/life/", ("POST",), allowed=NOBODY, anonymous=302),
    "version_comparison": Row("/versions/{backport_version}/comparison/", queries=("", "?with=official", "?with=x")),
    "version_file": Row("/versions/{backport_version}/files/raw", queries=FORMATS),
    "version_manifest": Row("/versions/{backport_version}/files/raw.json"),
    "uploads": Row("/uploads/", (*SAFE, "POST"), allowed=LOGGED_IN - {"former", "halfway"}, anonymous=302),
    "finish": Row(
        "/attempts/{attempt}/finish/", (*SAFE, "POST"), allowed=LOGGED_IN - {"former", "halfway"}, anonymous=302
    ),
    "unread": Row("/files/unread/", allowed=TEAM),
    "queue": Row("/queue/"),
    "repositories": Row("/repositories/"),
    "fetch": Row("/repositories/toy/fetch/", methods=("POST",), status=302, allowed=TEAM),
    "glossary": Row("/glossary/"),
    "api_root": Row("/api/v1/"),
    "api_openapi": Row("/api/v1/openapi.yaml"),
    "api_advisories": Row("/api/v1/advisories/", queries=("", "?text=canarytitleqzx", "?text=7123", "?embargoed=true")),
    "api_advisory": Row("/api/v1/advisories/{number}/", queries=API),
    "api_fixes": Row("/api/v1/advisories/{number}/fixes/", queries=API),
    "api_fix": Row("/api/v1/fixes/{fix}/", queries=API),
    "api_branches": Row("/api/v1/branches/"),
    "api_attempts": Row("/api/v1/attempts/", queries=("", "?advisory=7123", "?missing=true", "?limit=1")),
    "api_attempt": Row("/api/v1/attempts/{attempt}/", queries=API),
    "api_attempt_mbox": Row("/api/v1/attempts/{attempt}/result.mbox", queries=("", "?format=raw")),
    "api_attempt_patch": Row("/api/v1/attempts/{attempt}/result.patch", queries=("", "?format=raw")),
    "api_cell_backports": Row(
        "/api/v1/advisories/{number}/branches/4.1/backports/", (*SAFE, "POST"), post=400, anonymous_change=401
    ),
    "api_backports": Row("/api/v1/backports/", queries=("", "?advisory=7123", "?mine=true", "?limit=1")),
    "api_backport": Row(
        "/api/v1/backports/{backport}/", (*SAFE, "PATCH"), patch=403, anonymous_change=401, queries=API
    ),
    "api_versions": Row("/api/v1/backports/{backport}/versions/", queries=API),
    "api_version": Row("/api/v1/versions/{backport_version}/", queries=API),
    "api_version_patch": Row("/api/v1/versions/{backport_version}/patches.patch", queries=("", "?format=raw")),
    "api_uploads": Row("/api/v1/uploads/", (*SAFE, "POST"), post=400, anonymous_change=401),
    "api_confirm": Row("/api/v1/uploads/{upload}/version/", ("POST",), post=404, anonymous_change=401),
    "api_organisations": Row("/api/v1/organisations/"),
    "claim": Row("/advisories/{number}/claims/", ("POST",), 400, ROOM, in_the_room=GUEST),
    "change_claims": Row("/advisories/{number}/claims/change/", ("POST",), 400, ROOM, in_the_room=GUEST),
    "timeline": Row("/advisories/{number}/timeline/", (*SAFE, "POST"), post=400, queries=FORMATS),
    "check": Row("/checks/{check}/", queries=FORMATS),
    "check_log": Row("/checks/{check}/log.txt", queries=FORMATS),
    "required_checks": Row("/r/toy/branches/4.1/required-checks/", ("POST",), status=302, allowed=TEAM),
    "api_advisory_claims": Row("/api/v1/advisories/{number}/claims/", ("POST",), post=400, anonymous_change=401),
    "api_claims": Row("/api/v1/claims/", queries=("", "?advisory=7123", "?open=false")),
    # Claims stay with the room after the disclosure.
    "api_claim": Row(
        "/api/v1/claims/{claim}/",
        (*SAFE, "PATCH"),
        allowed=ROOM,
        denied=404,
        in_the_room=GUEST,
        patch=428,
        anonymous_change=401,
        queries=API,
    ),
    "api_checks": Row(
        "/api/v1/versions/{backport_version}/checks/", (*SAFE, "POST"), post=403, anonymous_change=401, queries=API
    ),
    "api_check": Row("/api/v1/checks/{check}/", queries=API),
    "api_check_log": Row("/api/v1/checks/{check}/log.txt", queries=("", "?format=raw")),
    "api_webhooks": Row("/api/v1/webhooks/", (*SAFE, "POST"), post=403, anonymous_change=401),
    "api_event": Row("/api/v1/events/{event}/", queries=API),
    "api_events": Row("/api/v1/events/", queries=("", "?newest=true", "?advisory=7123", "?limit=1")),
    "review": Row("/versions/{backport_version}/review/", ("POST",), 400, TOGETHER, in_the_room=LET_IN, anonymous=302),
    "comment_line": Row(
        "/versions/{backport_version}/comment/",
        (*SAFE, "POST"),
        allowed=TOGETHER,
        in_the_room=LET_IN,
        anonymous=302,
        post=400,
        queries=("", "?at=p1-f1-h1-2"),
    ),
    "say_of_backport": Row(
        "/backports/{backport}/comments/", ("POST",), 400, TOGETHER, in_the_room=LET_IN, anonymous=302
    ),
    "say": Row("/advisories/{number}/comments/", ("POST",), 400, TOGETHER, in_the_room=LET_IN, anonymous=302),
    "answer": Row("/comments/{comment}/answers/", ("POST",), 400, TOGETHER, in_the_room=LET_IN, anonymous=302),
    "set_quorum": Row("/advisories/{number}/quorum/", ("POST",), 400, TEAM, anonymous=302),
    "api_text_to_sign": Row("/api/v1/versions/{backport_version}/review.txt?verdict=approve"),
    "api_version_reviews": Row(
        "/api/v1/versions/{backport_version}/reviews/", ("POST",), post=400, anonymous_change=401
    ),
    "api_version_comments": Row(
        "/api/v1/versions/{backport_version}/comments/", ("POST",), post=400, anonymous_change=401
    ),
    "api_backport_comments": Row("/api/v1/backports/{backport}/comments/", ("POST",), post=400, anonymous_change=401),
    "api_advisory_comments": Row("/api/v1/advisories/{number}/comments/", ("POST",), post=400, anonymous_change=401),
    "api_answers": Row(
        "/api/v1/comments/{comment}/answers/",
        ("POST",),
        422,
        TOGETHER,
        in_the_room=LET_IN,
        anonymous_change=401,
    ),
    "api_quorum": Row(
        "/api/v1/advisories/{number}/quorum/", (*SAFE, "PATCH"), patch=400, anonymous_change=401, queries=API
    ),
    "api_reviews": Row("/api/v1/reviews/", queries=("", "?advisory=7123", "?stale=true", "?limit=1")),
    "api_review_drafts": Row("/api/v1/reviews/drafts/"),
    "api_review": Row("/api/v1/reviews/{review}/", queries=API),
    "api_comments": Row("/api/v1/comments/", queries=("", "?advisory=7123", "?limit=1")),
    "api_comment": Row("/api/v1/comments/{comment}/", queries=API),
    "healthz": Row("/healthz", status=503),
}
# Nothing stands behind these in this world, so that they answer 404 to everyone; their own tests give them something.
EMPTY: Mapping[str, str] = {
    "fix": "/fixes/{fix}/fix.patch",
    "need_to_know": "/organisations/{fix}/need-to-know/",
    # An upload is for the people of its organisation, who are none of these actors.
    "own_repositories": "/organisations/{fix}/repositories/",
    "upload": "/uploads/{upload}/",
    "api_upload": "/api/v1/uploads/{upload}/",
    "api_required_checks": "/api/v1/branches/{fix}/required-checks/",
    "api_webhook": "/api/v1/webhooks/{fix}/",
    "api_branch": "/api/v1/branches/{fix}/",
    "api_organisation": "/api/v1/organisations/{fix}/",
    # The reviews of this world are not signed.
    "api_signed_review": "/api/v1/reviews/{review}/signed.json",
    "proposal": "/attempts/{attempt}/proposal.patch",
    "explained": "/attempts/{attempt}/proposals/drops.patch",
}
# Those about accounts have a matrix of their own: they know of no advisory.
ACCOUNTS = frozenset(ACCOUNT_ROWS)
