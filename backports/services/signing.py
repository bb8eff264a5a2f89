"""Signatures of reviews: the text that they are made over, and what the server can tell of one."""

from __future__ import annotations

from dataclasses import dataclass

from backports.engine import lineage
from backports.engine.render import render
from backports.export.signed import NAMESPACE, Statement, signed_review, statement_text
from backports.models import BackportVersion, Review
from xsa.formats.detached import check_detached
from xsa.formats.errors import FormatError
from xsa.models import Organisation

from .contents import patches_of, tree_of
from .errors import NotDone


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a signature is kept with a review."""

    text: str = ""
    signature: str = ""
    kind: str = ""
    state: str = ""
    signer: str = ""


UNSIGNED = Signed()


def text_to_sign(version: BackportVersion, verdict: str, tested_on: str = "") -> str:
    """What a reviewer of this version signs. Raises NotDone where it gave no tree."""
    tree = tree_of(version)
    if not tree:
        raise NotDone("nothing-landed", "Nothing of it landed: there is no resulting tree to sign.", "signature")
    backport = version.backport
    said = Statement(
        advisory=backport.advisory.number,
        repository=backport.branch.repository.name,
        branch=backport.branch.name,
        base=version.base,
        patch_ids=[lineage.patch_id(patch.files) for patch in patches_of(version)],
        tree=tree,
        verdict=verdict,
        tested_on=tested_on,
    )
    return statement_text(said)


def checked(
    version: BackportVersion, *, verdict: str, tested_on: str, signature: str, organisation: Organisation
) -> Signed:
    """The signature as it is kept; `UNSIGNED` without one. Raises NotDone for one of something else."""
    if not signature.strip():
        return UNSIGNED
    text = text_to_sign(version, verdict, tested_on)
    signature = signature.replace("\r\n", "\n").strip() + "\n"
    try:
        found = check_detached(text.encode(), signature, certs=(organisation.pgp_key,), namespace=NAMESPACE)
    except FormatError as error:
        raise NotDone(error.code, error.sentence, "signature") from error
    return Signed(text, signature, found.kind, found.state, found.signer)


def review_file(review: Review, notes: tuple[str, ...]) -> bytes:
    """Everything that is needed to check a signed review elsewhere."""
    version = review.version
    return signed_review(
        text=review.signed_text,
        signature=review.signature,
        kind=review.signature_kind,
        signer=review.signer,
        organisation=review.organisation.name,
        patches=[render(patch.files) for patch in patches_of(version)],
        notes=notes,
    )
