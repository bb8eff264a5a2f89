"""The text that a review's signature is made over, and the file with which it can be checked anywhere.

The text is ASCII or UTF-8, one `name: value` a line, always in this order, and ends with a newline; so whoever has the
patches, the tree and the verdict can write it again. The file is JSON: the text, the signature, and the patches
in git's style, whose ids the text names. `tools/verify_review` reads it with gpg, ssh-keygen and git alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

FORMAT = "backports-review 1"
NAMESPACE = "backports-review"  # of SSH signatures


@dataclass(frozen=True, slots=True)
class Statement:
    """What a reviewer signs. `patch_ids` are `git patch-id --stable` of the patches in order, `tree` what they give on
    the commit `base`; `tested_on` is one line, or empty.
    """

    advisory: int
    repository: str
    branch: str
    base: str
    patch_ids: Sequence[str]
    tree: str
    verdict: str
    tested_on: str = ""


def statement_text(said: Statement) -> str:
    """The text to sign."""
    lines = [
        FORMAT,
        f"advisory: XSA-{said.advisory}",
        f"repository: {said.repository}",
        f"branch: {said.branch}",
        f"base: {said.base}",
        *(f"patch-id: {one}" for one in said.patch_ids),
        f"tree: {said.tree}",
        f"verdict: {said.verdict}",
        *([f"tested-on: {said.tested_on}"] if said.tested_on else []),
    ]
    return "".join(f"{line}\n" for line in lines)


def signed_review(
    *,
    text: str,
    signature: str,
    kind: str,
    signer: str,
    organisation: str,
    patches: Sequence[bytes],
    notes: Sequence[str],
) -> bytes:
    """The file; `notes` are what a reader must know first, such as an embargo."""
    told = {
        "format": FORMAT,
        "notes": list(notes),
        "organisation": organisation,
        "kind": kind,
        "signer": signer,
        "text": text,
        "signature": signature,
        "patches": [patch.decode("latin-1") for patch in patches],
    }
    return json.dumps(told, indent=1).encode() + b"\n"
