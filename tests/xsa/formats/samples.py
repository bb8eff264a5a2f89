"""Advisories of our own making, in the shapes that Xen publishes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

ALL_PERMITTED = """Deployment of the patches and/or mitigations described above (or
others which are substantially similar) is permitted during the
embargo, even on systems that the public can reach.

But: Distribution of updated software is prohibited.
"""


def header(
    number: int, *, version: int | None = 2, cves: str = "CVE-2031-10001", title: str = "Kettle boils over"
) -> str:
    names = f"{cves} / XSA-{number}" if cves else f"XSA-{number}"
    lines = [f"            Xen Security Advisory {names}"]
    lines += [f"                               version {version}"] if version else []
    return "\n".join([*lines, "", f"                 {title}", ""])


def section(heading: str, text: str) -> str:
    return f"{heading}\n{'=' * len(heading)}\n\n{text}\n"


def digest_block(files: Mapping[str, bytes]) -> str:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items()]
    return "\n".join(["$ sha256sum xsa*", *lines, "$"])


def advisory(
    number: int = 900,
    listing: Sequence[str] = ("xsa900.patch           xen-unstable",),
    files: Mapping[str, bytes] | None = None,
    **head: object,
) -> bytes:
    """A whole text; its sha256 block covers `files`."""
    body = "Apply the patch that fits.\n\n" + "\n".join(listing) + "\n\n" + digest_block(files or {})
    parts = [
        header(number, **head),  # type: ignore[arg-type]
        section("UPDATES IN VERSION 2", "Public release."),
        section("ISSUE DESCRIPTION", "The kettle has no lid."),
        section("RESOLUTION", body),
        section("DEPLOYMENT DURING EMBARGO", ALL_PERMITTED),
    ]
    return "\n".join(parts).encode()


def patch(name: str = "kettle.c", text: str = "lid") -> bytes:
    return f"--- a/{name}\n+++ b/{name}\n@@ -1,1 +1,1 @@\n-open\n+{text}\n".encode()


def meta(number: int, recipes: Mapping[str, Mapping[str, object]], *, supported: Sequence[str] = ()) -> bytes:
    """A .meta file; `recipes` maps branch to the "xen" tree's recipe."""
    inner = {branch: {"Recipes": {"xen": recipe}} for branch, recipe in recipes.items()}
    top = {"XSA": number, "SupportedVersions": list(supported or recipes), "Trees": ["xen"], "Recipes": inner}
    return json.dumps(top).encode()
