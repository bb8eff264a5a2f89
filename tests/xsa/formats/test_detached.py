"""Detached signatures made by gpg and ssh-keygen themselves, and what is no such thing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.signing import SPACE, OpenPgp, ssh_key, ssh_sign
from xsa.formats.detached import LONGEST, check_detached
from xsa.formats.errors import FormatError

TEXT = b"backports-review 1\nverdict: approve\n"
OTHER = TEXT.replace(b"approve", b"needs-changes")


@pytest.fixture(scope="module")
def role(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenPgp]:
    key = OpenPgp(tmp_path_factory)
    yield key
    key.close()


def refused(text: bytes, signature: str, **known: tuple[str, ...]) -> str:
    with pytest.raises(FormatError) as error:
        check_detached(text, signature, namespace=SPACE, **known)  # type: ignore[arg-type]
    assert error.value.sentence.endswith(".")
    return error.value.code


def test_gpg_by_a_known_key_is_good(role: OpenPgp) -> None:
    found = check_detached(TEXT, role.sign(TEXT), certs=(role.public,), namespace=SPACE)
    assert (found.kind, found.state, found.signer) == ("openpgp", "good", role.fingerprint)


def test_gpg_by_an_unknown_key_is_not_checked(role: OpenPgp) -> None:
    found = check_detached(OTHER, role.sign(TEXT), namespace=SPACE)
    assert (found.state, found.signer) == ("unchecked", role.fingerprint)


def test_gpg_over_another_text_is_refused(role: OpenPgp) -> None:
    assert refused(OTHER, role.sign(TEXT), certs=(role.public,)) == "other-text"


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_ssh_is_intact_and_names_its_key(tmp_path: Path, kind: str) -> None:
    key = ssh_key(tmp_path, kind)
    found = check_detached(TEXT, ssh_sign(key, TEXT), namespace=SPACE)
    told = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, check=True).stdout
    assert (found.kind, found.state, found.signer) == ("ssh", "intact", told.split()[1])


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_ssh_over_another_text_is_refused(tmp_path: Path, kind: str) -> None:
    assert refused(OTHER, ssh_sign(ssh_key(tmp_path, kind), TEXT)) == "other-text"


def test_ssh_for_another_purpose_is_refused(tmp_path: Path) -> None:
    assert refused(TEXT, ssh_sign(ssh_key(tmp_path), TEXT, namespace="git")) == "other-namespace"


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        ("", "no-signature"),
        ("-----BEGIN PGP SIGNED MESSAGE-----", "no-signature"),
        ("-----BEGIN PGP SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----", "malformed-signature"),
        ("-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----", "malformed-signature"),
        ("-----BEGIN SSH SIGNATURE-----\nAAA\n-----END SSH SIGNATURE-----", "malformed-signature"),
        ("x" * (LONGEST + 1), "signature-too-long"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(signature: str, code: str) -> None:
    assert refused(TEXT, signature) == code


def test_a_cut_ssh_signature_is_refused(tmp_path: Path) -> None:
    lines = ssh_sign(ssh_key(tmp_path), TEXT).splitlines()
    assert refused(TEXT, "\n".join([*lines[:2], lines[-1]])) == "malformed-signature"
