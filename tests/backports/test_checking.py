"""Checks: posted by programs alone, the latest of each counts, logs kept up to a limit, branches say what they want."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from backports.models import BackportVersion, Check, Event, RequiredCheck
from backports.services import checking
from backports.services.checking import MOST_LOG, Standing
from backports.services.errors import NotDone
from tests import factories
from xsa.identity import reading
from xsa.models import Membership, Organisation, User


@pytest.fixture
def robot(db: None) -> User:
    user = factories.person("builder", listed=True)
    user.speaks_for = user.memberships.get().organisation_id
    return user


@pytest.fixture
def version(robot: User) -> BackportVersion:
    branch = factories.branch(factories.repository())
    own = Organisation.objects.get(memberships__user=robot)
    return factories.version(factories.backport(factories.advisory(777, disclosed=False), branch, own, robot))


def post(robot: User, version: BackportVersion, **columns: Any) -> Check:
    with reading(robot):
        return checking.post(robot, version=version, **({"name": "build", "state": "success"} | columns))


def share(version: BackportVersion) -> None:
    backport = version.backport
    backport.life, backport.shared_at = "shared", factories.DAY
    backport.save(update_fields=["life", "shared_at"])


def standings(version: BackportVersion, *required: str) -> dict[str, Standing]:
    return {one.name: one.standing for one in checking.standing(version.checks.all(), required)}


def test_a_person_posts_no_check(version: BackportVersion) -> None:
    person = factories.person("person", listed=True)
    with pytest.raises(PermissionDenied, match="come from programs"):
        post(person, version)


def test_the_latest_of_each_organisation_counts(robot: User, version: BackportVersion) -> None:
    for state, told in (("pending", Standing.PENDING), ("failure", Standing.FAILED), ("success", Standing.PASSED)):
        post(robot, version, state=state)
        assert standings(version) == {"build": told}
    assert Check.objects.count() == 3


@pytest.mark.parametrize("state", ["failure", "error"])
def test_a_failure_anywhere_counts_more_than_a_success(robot: User, version: BackportVersion, state: str) -> None:
    share(version)
    other = factories.person("other", listed=True)
    other.speaks_for = other.memberships.get().organisation_id
    post(other, version, state=state)
    post(robot, version, state="success")
    assert standings(version) == {"build": Standing.FAILED}


def test_what_is_required_and_was_not_run_is_missing(robot: User, version: BackportVersion) -> None:
    post(robot, version, state="warning")
    found = checking.standing(version.checks.all(), ["xtf"])
    assert [(one.name, one.standing, one.required) for one in found] == [
        ("xtf", Standing.MISSING, True),
        ("build", Standing.PASSED, False),
    ]


def test_the_same_again_is_kept_once(robot: User, version: BackportVersion) -> None:
    first = post(robot, version, log_text=b"made all\n")
    assert post(robot, version, log_text=b"made all\n") == first
    assert post(robot, version, log_text=b"made ALL\n") != first
    assert Event.objects.filter(kind="check.result").count() == 2


def test_of_a_long_log_its_end_is_kept(robot: User, version: BackportVersion) -> None:
    row = post(robot, version, log_text=b"a" * MOST_LOG + b"the end\n")
    row.refresh_from_db()
    assert (len(row.log), row.log_size, row.log_cut) == (MOST_LOG, MOST_LOG + 8, True)
    assert bytes(row.log).endswith(b"the end\n")


@pytest.mark.parametrize(
    ("columns", "code"), [({"name": "../x"}, "bad-name"), ({"artefact_sha256": "12"}, "bad-digest")]
)
def test_bad_input_says_what_is_wrong(
    robot: User, version: BackportVersion, columns: dict[str, str], code: str
) -> None:
    with pytest.raises(NotDone) as caught:
        post(robot, version, **columns)
    assert caught.value.code == code
    assert not Check.objects.exists()


@pytest.mark.parametrize("shared", [False, True])
def test_a_check_of_a_draft_is_told_to_its_organisation_alone(
    robot: User, version: BackportVersion, shared: bool
) -> None:
    if shared:
        share(version)
    post(robot, version)
    for name, there in (("colleague", True), ("stranger", shared)):
        user = factories.person(name, listed=True)
        if name == "colleague":
            Membership.objects.filter(user=user).update(organisation=version.backport.organisation)
        with reading(user):
            assert Event.objects.filter(kind="check.result").exists() is there


def test_upstreams_requirements_are_the_teams_and_an_organisations_its_admins(robot: User) -> None:
    admin, team = factories.person("admin", listed=True), factories.person("team", security_team=True)
    Membership.objects.filter(user=admin).update(role="admin")
    place = admin.memberships.get().organisation
    theirs = factories.branch(factories.repository("own_xen", organisation=place))
    upstream = factories.branch(factories.repository())
    for actor, branch, may in ((admin, upstream, False), (team, upstream, True), (team, theirs, False)):
        if may:
            checking.require(actor, branch=branch, names=["build"])
            continue
        with pytest.raises(PermissionDenied):
            checking.require(actor, branch=branch, names=["build"])
    assert [row.name for row in checking.require(admin, branch=theirs, names=["xtf", "build"])] == ["build", "xtf"]
    assert [row.name for row in checking.require(admin, branch=theirs, names=["xtf"])] == ["xtf"]
    assert RequiredCheck.objects.count() == 2
    with pytest.raises(NotDone, match="no name of a check"):
        checking.require(admin, branch=theirs, names=["Build it"])
