"""Keys are pinned with proof that they are held, rotated with overlap, and warned about before they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from backports.models import OutboxMail
from backports.services import keys
from backports.services.errors import NotDone
from tests import factories
from tests.mail.conftest import give_key
from tests.pgp.keys import CURVE, CURVE_FOR_SHORT, Correspondent, Ring, ring
from xsa.models import AuditRecord, Organisation, PgpKey, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    user = factories.person("admin", listed=True)
    user.memberships.update(role="admin")
    return user


def place_of(user: User) -> Organisation:
    found: Organisation = user.memberships.get().organisation
    return found


def proof(made: Ring, user: User, holder: Any) -> str:
    """What gpg makes of the text on the page."""
    return made.gpg("--clearsign", data=keys.challenge(user, holder).encode()).decode()


def test_an_admin_pins_a_key_by_the_page(admin: User) -> None:
    place = place_of(admin)
    client = factories.log_in(Client(), admin)
    address = f"/organisations/{place.pk}/keys/"
    page = client.get(address).content.decode()
    text = page.partition('<pre class="letter"')[2].partition(">")[2].partition("</pre>")[0]
    with ring() as made:
        fingerprint = made.make(CURVE)
        signed = made.gpg("--clearsign", data=text.encode()).decode().replace("\n", "\r\n")
        answer = client.post(address, {"armoured": made.public().replace("\n", "\r\n"), "proof": signed})
    assert answer.status_code == 302, answer.content.decode()
    assert keys.standing(place).current == PgpKey.objects.get(organisation=place, fingerprint=fingerprint)
    assert fingerprint in client.get(address).content.decode()
    place.refresh_from_db()
    assert place.pgp_fingerprint == fingerprint
    assert AuditRecord.objects.get(verb="pgp-key-added").detail == {"key": fingerprint}
    row = PgpKey.objects.get()
    assert client.post(f"/keys/{row.pk}/end/").status_code == 302
    place.refresh_from_db()
    assert (keys.standing(place).current, place.pgp_key) == (None, "")


def test_a_person_pins_a_key_of_their_own(admin: User) -> None:
    with ring() as made:
        made.make(CURVE)
        keys.add(admin, holder=admin, armoured=made.public(), proof=proof(made, admin, admin))
    assert keys.standing(admin).usable
    assert not keys.standing(place_of(admin)).usable


def test_only_who_holds_a_key_can_pin_it(admin: User) -> None:
    place, other = place_of(admin), factories.person("other")
    with ring() as made, ring() as stranger:
        made.make(CURVE)
        stranger.make(CURVE)
        wrong = {
            "no-proof": [
                "",
                keys.challenge(admin, place),
                proof(stranger, admin, place),
                proof(made, admin, place).replace("I hold", "I held"),
            ],
            "other-holder": [proof(made, other, place), proof(made, admin, admin)],
            "other-text": [made.gpg("--clearsign", data=b"something else").decode()],
            "stale-proof": [
                made.gpg("--clearsign", data=(keys.challenge(admin, place).rstrip() + "x\n").encode()).decode()
            ],
        }
        for code, proofs in wrong.items():
            for one in proofs:
                with pytest.raises(NotDone) as caught:
                    keys.add(admin, holder=place, armoured=made.public(), proof=one)
                assert caught.value.code == code
    assert not PgpKey.objects.exists()


def test_a_proof_ends_after_an_hour(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with ring() as made:
        made.make(CURVE)
        with monkeypatch.context() as patch:
            patch.setattr("django.core.signing.time.time", lambda: timezone.now().timestamp() - 3700)
            old = proof(made, admin, place_of(admin))
        with pytest.raises(NotDone, match="older than an hour"):
            keys.add(admin, holder=place_of(admin), armoured=made.public(), proof=old)


def test_a_new_key_takes_over_and_the_old_one_is_believed_for_a_while(admin: User) -> None:
    place = place_of(admin)
    old = give_key(place, Correspondent(), added_at=timezone.now() - timedelta(days=300))
    with ring() as made:
        fingerprint = made.make(CURVE)
        keys.add(admin, holder=place, armoured=made.public(), proof=proof(made, admin, place))
    current = keys.standing(place).current
    assert current is not None
    assert current.fingerprint == fingerprint
    assert [row.organisation_id for row in keys.holders_of(old.fingerprint)] == [place.pk]
    assert len(keys.live_keys(place)) == 2
    later = timezone.now() + keys.OVERLAP + timedelta(minutes=1)
    assert [row.fingerprint for row in keys.live_keys(place, now=later)] == [fingerprint]


def test_alarms_come_before_a_key_ends_and_when_it_has(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    team = place_of(factories.person("team", security_team=True))
    with ring() as made:
        fingerprint = made.make(CURVE_FOR_SHORT)
        row = PgpKey.objects.create(
            organisation=place_of(admin),
            armoured=made.public(),
            fingerprint=fingerprint,
            state="usable",
            checked_at=timezone.now(),
            added_by=admin,
            added_at=timezone.now(),
        )
    assert keys.check_keys() == 1
    row.refresh_from_db()
    assert (row.warned_days, row.state) == (7, "usable")
    assert keys.check_keys() == 0
    assert set(OutboxMail.objects.values_list("organisation", flat=True)) == {row.organisation_id, team.pk}
    moment = timezone.now() + timedelta(days=6)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert keys.check_keys() == 1
    row.refresh_from_db()
    assert (row.warned_days, row.state) == (0, "expired")
    assert not keys.standing(place_of(admin)).usable
    assert OutboxMail.objects.filter(kind="alarm").count() == 4
