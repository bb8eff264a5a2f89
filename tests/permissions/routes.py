"""The permission matrix: every address of the product, and what it answers to whom.

Each route of `backports.urls` has a row here, by its name; a test fails for one that has none. What an actor
may not see answers as what does not exist; a method that a route does not know answers 405 to everyone, whatever
stands behind the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.permissions.account_routes import ACCOUNT_ROWS
from tests.permissions.actors import ACTORS, KEEPER, SEE_EMBARGOED
from tests.permissions.tokens import PROGRAMS, Program

SAFE = ("GET", "HEAD")
NOT_THERE = 404
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOGGED_IN = frozenset(ACTORS) - {"anonymous"}
EVERYONE = frozenset(ACTORS)
TEAM = frozenset({"team"})
ROOM = frozenset({"contact", "team"})  # and a guest, while it is embargoed
GUEST = frozenset({"guest"})
NOBODY: frozenset[str] = frozenset()  # but the organisation's own people: the keeper
OWN: Mapping[str, Any] = {"allowed": NOBODY, "denied": NOT_THERE}
# What a token must be made for, by method, where it opens data.
READING: Mapping[str, str] = {"GET": "read", "HEAD": "read"}
REVIEWING: Mapping[str, str] = dict.fromkeys(READING, "review")


@dataclass(frozen=True)
class Row:
    """One route. `path` may name {number}, {attempt}, {file} and {fix} of an advisory; then it is about that one.
    {branch} and {keeper} are the branch and the organisation of its backport.

    `methods` are those that it knows, `status` what they answer where allowed, `allowed` who is (else `denied`),
    `anonymous` what somebody who is not logged in gets, where that is a way to the login. `post` is what an empty form
    is answered, and `patch` and `put` a change of nothing, where that differs; `anonymous_change` what any of them gets
    from somebody who is not logged in. `in_the_room` says who else is allowed while it is embargoed.

    `tokens` are the methods that a token may use, with the verb that it must be made for; none on a page. What is not
    theirs answers 403, whatever stands behind the address, and 401 to a token that is no good; `unknown` is for methods
    that the address does not know either. `elsewhere` is what a token for other branches gets; `everywhere`: it is
    about an advisory and no branch of it. `narrow`: a token that names advisories is shown no other, disclosed or not.
    `alike`: it differs from another row by the kind of its file alone, so that not everybody has to be asked.
    `post_by_token` is what an empty form is answered, where that differs from what a person gets. `instead` is what
    one actor, or program, gets by method where that differs (a token of the keeper's what they do themselves); in all
    else the keeper is a contact.
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
    put: int = 0
    anonymous_change: int = 0
    queries: tuple[str, ...] = field(default=("",))
    tokens: Mapping[str, str] = field(default_factory=dict)
    elsewhere: int = 404
    unknown: int = 403
    post_by_token: int = 0
    everywhere: bool = False
    narrow: bool = False
    alike: bool = False
    instead: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def about_one(self) -> bool:
        """Whether it is about one advisory; branches and organisations are there whatever is embargoed."""
        return "{" in self.path.replace("{branch}", "").replace("{keeper}", "")

    def expected(self, actor: str, method: str, *, embargoed: bool) -> int:
        """The status that this actor gets."""
        if method not in self.methods:
            return 405
        if (said := self.instead.get(actor, {}).get(method)) is not None:
            return said
        if actor == KEEPER:
            return self.expected("contact", method, embargoed=embargoed)
        if actor == "anonymous" and self.anonymous:
            return self.anonymous
        if actor == "anonymous" and self.anonymous_change and method not in SAFE:
            return self.anonymous_change
        if self.about_one and embargoed and actor not in SEE_EMBARGOED:
            return 404
        if actor not in self.allowed | (self.in_the_room if embargoed else frozenset()):
            return self.denied
        return {"POST": self.post, "PATCH": self.patch, "PUT": self.put}.get(method, 0) or self.status

    def expected_by_token(self, actor: str, method: str, *, embargoed: bool) -> int:
        """The status that a program of `PROGRAMS` gets."""
        one = PROGRAMS[actor]
        if not one.good:
            return 401
        if method not in self.methods:
            return self.unknown
        if self.tokens.get(method) not in one.verbs:
            return 403
        if self.about_one and not self._shown_to(one, embargoed=embargoed):
            return 404
        if (said := self.instead.get(KEEPER if one.person == KEEPER else actor, {}).get(method)) is not None:
            return said
        if one.branches and not self.everywhere and (method in SAFE or self.elsewhere == NOT_THERE):
            return self.elsewhere
        if not self.allowed or (self.allowed != EVERYONE and not embargoed):
            return self.denied  # no token of these speaks for the room of a disclosed one
        changed = {"POST": self.post_by_token or self.post, "PATCH": self.patch, "PUT": self.put}
        return changed.get(method, 0) or self.status

    def _shown_to(self, one: Program, *, embargoed: bool) -> bool:
        if embargoed:
            return one.sees or (self.everywhere and one.embargoed == "secret")
        return not (self.narrow and one.embargoed)


def _data(path: str, methods: tuple[str, ...] = SAFE, *what: Any, changing: str = "", **columns: Any) -> Row:
    """An address of the API: `changing` is what a token must be made for that changes something there."""
    tokens = {method: READING.get(method, changing) for method in methods}
    return Row(path, methods, *what, **{"tokens": tokens, "unknown": 405, "narrow": True, **columns})


def _git(path: str, methods: tuple[str, ...], verb: str, **columns: Any) -> Row:
    """An address that git asks: for tokens alone, whoever's session it is, and for all of an advisory's branches."""
    closed = {actor: dict.fromkeys(methods, 401) for actor in ACTORS}
    tokens = dict.fromkeys(methods, verb)
    return Row(path, methods, tokens=tokens, unknown=405, everywhere=True, narrow=True, instead=closed, **columns)


FORMATS = ("", "?format=json", "?format=raw", "?page=2")
API = ("", "?format=json", "?fields=id", "?cursor=x")
# A series as a file of each kind, and what goes with it.
FILES = tuple(
    (kind, end, f"{name}{'.json' if end else ''}")
    for kind, name in (("mbox", ".mbox"), ("quilt", ".tar"), ("raw", ".patch"), ("p0", "-p0.patch"))
    for end in ("", "_manifest")
)
ASKED = (("quilt", ""), ("raw", "_manifest"))  # of whomever; the others are made by the same code
ROWS: Mapping[str, Row] = {
    "matrix": Row("/", queries=("", "?text=canarytitleqzx", "?text=7123", "?text=CVE-2099-07123", "?outcome=applied")),
    "repository": Row("/r/toy/", queries=("", "?before=9000", "?after=1", "?missing=4.1", "?missing=hermit_xen:4.3")),
    "progress": Row("/r/toy/progress/?newest=9999&oldest=1&since=0"),
    "branch": Row("/r/toy/branches/4.1/", queries=("", "?outcome=applied", "?outcome=conflict")),
    "applied": Row("/r/toy/branches/4.1/applied.mbox", queries=("", "?confidence=review"), tokens=READING),
    "missing": Row("/r/toy/branches/4.1/missing/mbox", tokens=READING),
    "missing_manifest": Row("/r/toy/branches/4.1/missing/raw.json", tokens=READING),
    "advisories": Row("/advisories/", queries=("", "?text=canarytitleqzx", "?after=500")),
    "advisory": Row("/advisories/{number}/", queries=FORMATS),
    "bundle": Row("/advisories/{number}/files.tar", queries=FORMATS, tokens=READING),
    "disclosure": Row("/advisories/{number}/disclosure/", methods=(*SAFE, "POST"), post=400, allowed=TEAM),
    "state": Row(
        "/advisories/{number}/statements/",
        methods=("POST",),
        status=400,
        allowed=frozenset({"contact", "team"}),
        in_the_room=frozenset({"guest"}),
    ),
    "attempt": Row("/attempts/{attempt}/", queries=FORMATS),
    "result": Row("/attempts/{attempt}/result.patch", queries=FORMATS, tokens=READING),
    "file": Row("/files/{file}/raw", queries=FORMATS, tokens=READING),
    "fix": Row("/fixes/{mined}/fix.patch", queries=FORMATS, tokens=READING),
    "retry": Row("/attempts/{attempt}/retry/", methods=("POST",), status=302, anonymous=302),
    "backport": Row("/backports/{backport}/", queries=FORMATS),
    "backport_version": Row("/backports/{backport}/v1/", queries=FORMATS),
    "backport_life": Row(
        "/backports/{backport}/life/", ("POST",), allowed=NOBODY, anonymous=302, instead={KEEPER: {"POST": 400}}
    ),
    "version_comparison": Row("/versions/{backport_version}/comparison/", queries=("", "?with=official", "?with=x")),
    "version_file": Row("/versions/{backport_version}/files/raw", queries=FORMATS, tokens=READING),
    "version_manifest": Row("/versions/{backport_version}/files/raw.json", tokens=READING),
    "uploads": Row("/uploads/", (*SAFE, "POST"), allowed=LOGGED_IN - {"former", "halfway"}, anonymous=302),
    "finish": Row(
        "/attempts/{attempt}/finish/", (*SAFE, "POST"), allowed=LOGGED_IN - {"former", "halfway"}, anonymous=302
    ),
    "unread": Row("/files/unread/", allowed=TEAM),
    "inbound_mails": Row("/mail/in/", allowed=TEAM, queries=("", "?state=quarantined", "?state=acted")),
    "inbound_mail": Row("/mail/in/{inbound}/", (*SAFE, "POST"), allowed=TEAM, denied=404, post=400, queries=FORMATS),
    "inbound_raw": Row("/mail/in/{inbound}/raw", allowed=TEAM, denied=404),
    "queue": Row("/queue/"),
    "repositories": Row("/repositories/"),
    "own_repositories": Row(
        "/organisations/{keeper}/repositories/",
        (*SAFE, "POST"),
        allowed=TEAM,
        denied=404,
        post=403,
        instead={KEEPER: dict.fromkeys(SAFE, 200) | {"POST": 403}},
    ),
    "need_to_know": Row(
        "/organisations/{keeper}/need-to-know/",
        (*SAFE, "POST"),
        allowed=TEAM,
        denied=404,
        post=400,
        instead={KEEPER: dict.fromkeys((*SAFE, "POST"), 403)},
    ),
    "fetch": Row("/repositories/toy/fetch/", methods=("POST",), status=302, allowed=TEAM),
    "glossary": Row("/glossary/"),
    "api_root": _data("/api/v1/", elsewhere=200),
    "api_openapi": _data("/api/v1/openapi.yaml", elsewhere=200),
    "api_advisories": _data(
        "/api/v1/advisories/", elsewhere=200, queries=("", "?text=canarytitleqzx", "?text=7123", "?embargoed=true")
    ),
    "api_advisory": _data("/api/v1/advisories/{number}/", queries=API, everywhere=True),
    "api_fixes": _data("/api/v1/advisories/{number}/fixes/", queries=API, everywhere=True),
    "api_fix": _data("/api/v1/fixes/{fix}/", queries=API),
    "api_branches": _data("/api/v1/branches/", elsewhere=200),
    "api_branch": _data("/api/v1/branches/{branch}/", queries=API),
    "api_attempts": _data(
        "/api/v1/attempts/", elsewhere=200, queries=("", "?advisory=7123", "?missing=true", "?limit=1")
    ),
    "api_attempt": _data("/api/v1/attempts/{attempt}/", queries=API),
    "api_attempt_mbox": _data("/api/v1/attempts/{attempt}/result.mbox", queries=("", "?format=raw")),
    "api_attempt_patch": _data("/api/v1/attempts/{attempt}/result.patch", queries=("", "?format=raw")),
    "api_cell_backports": _data(
        "/api/v1/advisories/{number}/branches/4.1/backports/",
        (*SAFE, "POST"),
        post=400,
        anonymous_change=401,
        changing="upload",
    ),
    "api_backports": _data(
        "/api/v1/backports/", elsewhere=200, queries=("", "?advisory=7123", "?mine=true", "?limit=1")
    ),
    "api_backport": _data(
        "/api/v1/backports/{backport}/",
        (*SAFE, "PATCH"),
        patch=403,
        anonymous_change=401,
        queries=API,
        changing="upload",
        instead={KEEPER: {"PATCH": 428}},
    ),
    "api_versions": _data("/api/v1/backports/{backport}/versions/", queries=API),
    "api_version": _data("/api/v1/versions/{backport_version}/", queries=API),
    "api_version_patch": _data("/api/v1/versions/{backport_version}/patches.patch", queries=("", "?format=raw")),
    **{
        f"api_version_series_{kind}{end}": _data(
            f"/api/v1/versions/{{backport_version}}/series{name}", alike=(kind, end) not in ASKED
        )
        for kind, end, name in FILES
    },
    **{
        f"api_branch_missing_{kind}{end}": _data(
            f"/api/v1/branches/{{branch}}/missing{name}",
            alike=(kind, end) not in ASKED,
            instead={"token-other": dict.fromkeys(SAFE, NOT_THERE)},  # of what it names nothing is missing there
        )
        for kind, end, name in FILES
    },
    "api_uploads": _data(
        "/api/v1/uploads/", (*SAFE, "POST"), elsewhere=200, post=400, anonymous_change=401, changing="upload"
    ),
    "upload": Row("/uploads/{broken}/", (*SAFE, "POST"), **OWN, instead={KEEPER: dict.fromkeys((*SAFE, "POST"), 200)}),
    "api_upload": _data("/api/v1/uploads/{broken}/", **OWN, instead={KEEPER: dict.fromkeys(SAFE, 200)}, queries=API),
    "api_confirm": _data(
        "/api/v1/uploads/{upload}/version/",
        ("POST",),
        **OWN,
        anonymous_change=401,
        changing="upload",
        instead={KEEPER: {"POST": 400}},
    ),
    "api_organisations": _data("/api/v1/organisations/", elsewhere=200),
    "api_organisation": _data("/api/v1/organisations/{keeper}/", elsewhere=200, queries=API),
    "claim": Row("/advisories/{number}/claims/", ("POST",), 400, ROOM, in_the_room=GUEST),
    "change_claims": Row("/advisories/{number}/claims/change/", ("POST",), 400, ROOM, in_the_room=GUEST),
    "timeline": Row("/advisories/{number}/timeline/", (*SAFE, "POST"), post=400, queries=FORMATS),
    "check": Row("/checks/{check}/", queries=FORMATS),
    "check_log": Row("/checks/{check}/log.txt", queries=FORMATS, tokens=READING),
    "api_required_checks": _data(
        "/api/v1/branches/{branch}/required-checks/",
        (*SAFE, "PUT"),
        queries=API,
        put=403,
        anonymous_change=401,
        changing="check",
        instead={"team": {"PUT": 400}},
    ),
    "required_checks": Row("/r/toy/branches/4.1/required-checks/", ("POST",), status=302, allowed=TEAM),
    "api_advisory_claims": _data(
        "/api/v1/advisories/{number}/claims/",
        ("POST",),
        post=400,
        anonymous_change=401,
        changing="upload",
        everywhere=True,
    ),
    "api_claims": _data("/api/v1/claims/", elsewhere=200, queries=("", "?advisory=7123", "?open=false")),
    # Claims stay with the room after the disclosure.
    "api_claim": _data(
        "/api/v1/claims/{claim}/",
        (*SAFE, "PATCH"),
        allowed=ROOM,
        denied=404,
        in_the_room=GUEST,
        patch=428,
        anonymous_change=401,
        queries=API,
        changing="upload",
    ),
    "api_checks": _data(
        "/api/v1/versions/{backport_version}/checks/",
        (*SAFE, "POST"),
        post=403,
        anonymous_change=401,
        queries=API,
        post_by_token=400,
        changing="check",
    ),
    "api_check": _data("/api/v1/checks/{check}/", queries=API),
    "api_check_log": _data("/api/v1/checks/{check}/log.txt", queries=("", "?format=raw")),
    "api_webhooks": _data(
        "/api/v1/webhooks/",
        (*SAFE, "POST"),
        elsewhere=200,
        post=403,
        anonymous_change=401,
        post_by_token=400,
        changing="read",
    ),
    # Of the token that asks alone, which is none of these.
    "api_webhook": _data(
        "/api/v1/webhooks/{webhook}/", (*SAFE, "DELETE"), **OWN, anonymous_change=401, changing="read", queries=API
    ),
    "api_event": _data("/api/v1/events/{event}/", queries=API, everywhere=True),
    "api_events": _data("/api/v1/events/", elsewhere=200, queries=("", "?newest=true", "?advisory=7123", "?limit=1")),
    "review": Row("/versions/{backport_version}/review/", ("POST",), 400, ROOM, in_the_room=GUEST, anonymous=302),
    "comment_line": Row(
        "/versions/{backport_version}/comment/",
        (*SAFE, "POST"),
        allowed=ROOM,
        in_the_room=GUEST,
        anonymous=302,
        post=400,
        queries=("", "?at=p1-f1-h1-2"),
    ),
    "say_of_backport": Row("/backports/{backport}/comments/", ("POST",), 400, ROOM, in_the_room=GUEST, anonymous=302),
    "say": Row("/advisories/{number}/comments/", ("POST",), 400, ROOM, in_the_room=GUEST, anonymous=302),
    "answer": Row("/comments/{comment}/answers/", ("POST",), 400, ROOM, in_the_room=GUEST, anonymous=302),
    "set_quorum": Row("/advisories/{number}/quorum/", ("POST",), 400, TEAM, anonymous=302),
    "api_text_to_sign": _data("/api/v1/versions/{backport_version}/review.txt?verdict=approve", tokens=REVIEWING),
    "api_version_reviews": _data(
        "/api/v1/versions/{backport_version}/reviews/",
        ("POST",),
        post=400,
        anonymous_change=401,
        changing="review",
    ),
    "api_version_comments": _data(
        "/api/v1/versions/{backport_version}/comments/", ("POST",), post=400, anonymous_change=401, changing="review"
    ),
    "api_backport_comments": _data(
        "/api/v1/backports/{backport}/comments/", ("POST",), post=400, anonymous_change=401, changing="review"
    ),
    "api_advisory_comments": _data(
        "/api/v1/advisories/{number}/comments/",
        ("POST",),
        post=400,
        anonymous_change=401,
        changing="review",
        everywhere=True,
    ),
    "api_answers": _data(
        "/api/v1/comments/{comment}/answers/",
        ("POST",),
        422,
        ROOM,
        in_the_room=GUEST,
        anonymous_change=401,
        changing="review",
    ),
    "api_quorum": _data(
        "/api/v1/advisories/{number}/quorum/",
        (*SAFE, "PATCH"),
        patch=400,
        anonymous_change=401,
        queries=API,
        changing="review",
        everywhere=True,
    ),
    "api_reviews": _data("/api/v1/reviews/", elsewhere=200, queries=("", "?advisory=7123", "?stale=true", "?limit=1")),
    "api_review_drafts": _data("/api/v1/reviews/drafts/", elsewhere=200, tokens=REVIEWING),
    "api_review": _data("/api/v1/reviews/{review}/", queries=API),
    "api_signed_review": _data("/api/v1/reviews/{review}/signed.json", queries=("", "?format=raw")),
    "api_comments": _data("/api/v1/comments/", elsewhere=200, queries=("", "?advisory=7123", "?limit=1")),
    "api_comment": _data("/api/v1/comments/{comment}/", queries=API),
    # The last of two services counts.
    "git_refs": _git(
        "/git/xsa-{number}.git/info/refs?service=git-upload-pack",
        SAFE,
        "read",
        queries=("", "&service=git-receive-pack", "&service=x"),
    ),
    "git_fetch": _git("/git/xsa-{number}.git/git-upload-pack", ("POST",), "read", status=400),
    "git_push": _git("/git/xsa-{number}.git/git-receive-pack", ("POST",), "upload", status=400),
    "healthz": Row("/healthz", status=503),
}
# What only some attempts offer, and none of these worlds does: `tests/web/test_resolutions.py` and `test_explained.py`
# look for them in worlds with a conflict, and with commits that are searched for what a fix needs.
EMPTY: Mapping[str, str] = {
    "proposal": "/attempts/{attempt}/proposal.patch",
    "explained": "/attempts/{attempt}/proposals/drops.patch",
}
# Tokens may ask for them.
EMPTY_DATA: Mapping[str, Row] = {name: Row(path, status=404, tokens=READING) for name, path in EMPTY.items()}
# Those about accounts have a matrix of their own: they know of no advisory.
ACCOUNTS = frozenset(ACCOUNT_ROWS)
