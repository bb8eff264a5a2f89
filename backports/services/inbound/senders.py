"""Whose a mail may be: the person who has the address, and the keys of their organisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backports.services import keys
from xsa.models import Organisation, User
from xsa.speaking import speak_for


@dataclass(frozen=True, slots=True)
class Sender:
    """A person, and an organisation that they speak for in a mail."""

    person: User
    organisation: Organisation


def person_of(address: str) -> User | None:
    """The one active person who has this address; None for nobody, and where several have it."""
    rows = list(User.objects.filter(email__iexact=address, is_active=True)[:2]) if address else []
    return rows[0] if len(rows) == 1 else None


def organisations_of(person: User | None) -> list[Organisation]:
    """Those that the person belongs to, by name."""
    if person is None:
        return []
    return list(Organisation.objects.filter(memberships__user=person).order_by("name"))


def keys_of(organisations: Sequence[Organisation]) -> list[str]:
    """The public keys that are pinned for them and not retired, armoured."""
    return [armoured for one in organisations for _, armoured in _pinned(one)]


def _pinned(organisation: Organisation) -> list[tuple[str, str]]:
    """Fingerprint and key of each; of an organisation whose key is older than the proofs, the one that its row has."""
    rows = [(row.fingerprint, row.armoured) for row in keys.live_keys(organisation)]
    return rows or [(organisation.pgp_fingerprint, organisation.pgp_key)] * bool(organisation.pgp_key)


def whose(fingerprint: str, organisations: Sequence[Organisation]) -> Organisation | None:
    """Whose key this is."""
    return next((one for one in organisations if fingerprint in [name for name, _ in _pinned(one)]), None)


def as_sender(person: User, organisation: Organisation) -> Sender:
    """The person as they act by mail: for this organisation alone, with what their membership of it shows them.

    A good signature by its key stands for the proof that a browser asks for, or somebody of the security team who
    accepted the mail: the organisation answers for its members, and for nothing that they see elsewhere.
    """
    return Sender(speak_for(person, organisation), organisation)
