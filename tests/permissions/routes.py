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
from tests.permissions.tokens import PROGRAMS

SAFE = ("GET", "HEAD")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOGGED_IN = frozenset(ACTORS) - {"anonymous"}
EVERYONE = frozenset(ACTORS)
TEAM = frozenset({"team"})
# What a token must be made for, by method, where it opens data.
READING: Mapping[str, str] = {"GET": "read", "HEAD": "read"}


@dataclass(frozen=True)
class Row:
    """One route. `path` may name {number}, {attempt}, {file} and {fix} of an advisory; then it is about that one.

    `methods` are those that it knows, `status` what they answer where allowed, `allowed` who is (else `denied`),
    `anonymous` what somebody who is not logged in gets, where that is a way to the login. `post` is what an empty form
    is answered, where that differs; `in_the_room` who else is allowed while it is embargoed.

    `tokens` are the methods that a token may use, with the verb that it must be made for; none on a page. What is not
    theirs answers 403, whatever stands behind the address, and 401 to a token that is no good; `unknown` is for methods
    that the address does not know either. `elsewhere` is what a token for other branches gets.
    """

    path: str
    methods: tuple[str, ...] = SAFE
    status: int = 200
    allowed: frozenset[str] = EVERYONE
    denied: int = 403
    post: int = 0
    in_the_room: frozenset[str] = frozenset()
    anonymous: int = 0
    queries: tuple[str, ...] = field(default=("",))
    tokens: Mapping[str, str] = field(default_factory=dict)
    elsewhere: int = 404
    unknown: int = 403

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
        if self.about_one and embargoed and actor not in SEE_EMBARGOED:
            return 404
        if actor not in self.allowed | (self.in_the_room if embargoed else frozenset()):
            return self.denied
        return self.post or self.status if method == "POST" else self.status

    def expected_by_token(self, actor: str, method: str, *, embargoed: bool) -> int:
        """The status that a program of `PROGRAMS` gets."""
        one = PROGRAMS[actor]
        if not one.good:
            return 401
        if method not in self.methods:
            return self.unknown
        if self.tokens.get(method) not in one.verbs:
            return 403
        if self.about_one and embargoed and not one.sees:
            return 404
        if one.branches:
            return self.elsewhere
        return self.post or self.status if method == "POST" else self.status


FORMATS = ("", "?format=json", "?format=raw", "?page=2")
ROWS: Mapping[str, Row] = {
    "matrix": Row("/", queries=("", "?text=canarytitleqzx", "?text=7123", "?text=CVE-2099-07123", "?outcome=applied")),
    "repository": Row("/r/toy/", queries=("", "?before=9000", "?after=1", "?missing=4.1")),
    "progress": Row("/r/toy/progress/?newest=9999&oldest=1&since=0"),
    "branch": Row("/r/toy/branches/4.1/", queries=("", "?outcome=applied", "?outcome=conflict")),
    "applied": Row("/r/toy/branches/4.1/applied.mbox", queries=("", "?confidence=review"), tokens=READING),
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
    "retry": Row("/attempts/{attempt}/retry/", methods=("POST",), status=302, anonymous=302),
    "unread": Row("/files/unread/", allowed=TEAM),
    "queue": Row("/queue/"),
    "repositories": Row("/repositories/"),
    "fetch": Row("/repositories/toy/fetch/", methods=("POST",), status=302, allowed=TEAM),
    "glossary": Row("/glossary/"),
    "healthz": Row("/healthz", status=503),
}
# Nothing stands behind these in this world, so that they answer 404 to everyone; their own tests give them something.
EMPTY: Mapping[str, str] = {
    "fix": "/fixes/{fix}/fix.patch",
    "need_to_know": "/organisations/{fix}/need-to-know/",
    "proposal": "/attempts/{attempt}/proposal.patch",
    "explained": "/attempts/{attempt}/proposals/drops.patch",
}
EMPTY_DATA = frozenset({"fix", "proposal", "explained"})  # which tokens may ask for, too
# Those about accounts have a matrix of their own: they know of no advisory.
ACCOUNTS = frozenset(ACCOUNT_ROWS)
