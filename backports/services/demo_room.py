"""What the demo's members have done: a backport of an embargoed fix in two versions, reviews, a question, a claim."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from backports.models import BackportVersion, Branch
from backports.models.review import Verdict
from xsa.models import Advisory, Organisation, PatchFile, User

from . import claiming, commenting, receiving, reviewing, sharing, taking
from .reviewing import Said

NUMBER, BRANCH = 915, "4.4"
CLAIMED, FIRST, LAST = 914, "4.2", "4.1"
HOURS = 48
Speaker = tuple[User, Organisation]


def furnish(project: str) -> None:
    """Let the members share, review, ask and claim. The advisories, the branches and the people are there."""
    author, reviewer = _speaker("member-one"), _speaker("member-two")
    first = _first(author, project)
    _review(
        reviewer, first, Said(Verdict.NEEDS_CHANGES, text="`git am` refuses it here. Please send it as it applies.")
    )
    second = _refreshed(author, first)
    _review(reviewer, second, Said(Verdict.APPROVE, text="Same change as upstream's."))
    _review(reviewer, second, Said(Verdict.TESTED, tested_on="4.4, two hosts, one night"))
    _ask(reviewer, author, second)
    _claim(reviewer, project)


def _speaker(username: str) -> Speaker:
    person = User.objects.get(username=username)
    person.cleared = True
    return person, person.memberships.get().organisation


def _branches(project: str) -> QuerySet[Branch]:
    return Branch.objects.filter(repository__name=project, gone=False)


def _first(author: Speaker, project: str) -> BackportVersion:
    """Upstream's own patch, which lands there by the ladder alone; shared as it is."""
    file = PatchFile.objects.get(version__advisory__number=NUMBER, kind=PatchFile.Kind.PATCH)
    version = _sent(author, file.name, bytes(file.data), NUMBER, _branches(project).get(name=BRANCH))
    sharing.share(author[0], backport=version.backport)
    return version


def _refreshed(author: Speaker, version: BackportVersion) -> BackportVersion:
    """The same as it came out, so that git applies it as it stands."""
    taken = taking.take(version, "mbox")
    return _sent(author, taken.name, taken.data, NUMBER, version.backport.branch)


def _sent(author: Speaker, name: str, data: bytes, number: int, branch: Branch) -> BackportVersion:
    person, organisation = author
    advisory = Advisory.objects.get(number=number)
    upload = receiving.receive(person, organisation=organisation, name=name, data=data)
    received = receiving.confirm(person, upload=upload, advisory=advisory, branch=branch)
    if received.version is None:
        raise RuntimeError(f"The demo's {name} was not taken: {received.upload.problem_code}")
    return received.version


def _review(reviewer: Speaker, version: BackportVersion, said: Said) -> None:
    person, organisation = reviewer
    reviewing.give(person, version=version, organisation=organisation, said=said)


def _ask(asker: Speaker, author: Speaker, version: BackportVersion) -> None:
    backport = version.backport
    thread = commenting.say(
        asker[0],
        organisation=asker[1],
        advisory=backport.advisory,
        backport=backport,
        text="Does 4.1 need more than this?",
    )
    commenting.answer(
        author[0], organisation=author[1], thread=thread, text="It lands there in the same way. We did not run it."
    )


def _claim(claimant: Speaker, project: str) -> None:
    branches = _branches(project)
    claiming.claim(
        claimant[0],
        organisation=claimant[1],
        advisory=Advisory.objects.get(number=CLAIMED),
        branches=claiming.stretch(branches, branches.get(name=FIRST), branches.get(name=LAST)),
        until=timezone.now() + timedelta(hours=HOURS),
    )
