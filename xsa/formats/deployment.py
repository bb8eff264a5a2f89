"""The deployment notice: what predisclosure members may run before disclosure.

When the notice can be read two ways, the stricter one is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Deployment = Literal["all-permitted", "patches-only", "nothing", "no-embargo", "unknown"]

_LACK = re.compile(r"\bLACK OF EMBARGO\b")
_RULE = re.compile(
    r"\bdeployment\b(?P<what>(?:(?!\bdeployment\b|[.:]\s).){0,400}?)\b(?:is|are)(?P<no>\s+(?:\w+\s+)?not)?(?:\s+\w+)?\s+permitted\b",
    re.I,
)
_PATCHES = re.compile(r"\b(?:patch(?:es)?|fix(?:es)?|series)\b", re.I)
_MITIGATIONS = re.compile(r"\b(?:mitigations?|workarounds?|configuration)\b", re.I)


def read_deployment(sections: Sequence[tuple[str, str]]) -> Deployment:
    """Which of the four classes the text of an advisory belongs to; `unknown` when it does not say."""
    if any(_LACK.search(heading) for heading, _ in sections):
        return "no-embargo"
    own = [text for heading, text in sections if heading.startswith("DEPLOYMENT")]
    prose = " ".join(" ".join(text.split()) for text in own or [text for _, text in sections])
    allowed, denied = _rules(prose)
    if "patches" in denied or (denied and "patches" not in allowed):
        return "nothing"
    if "patches" not in allowed:
        return "unknown"
    return "all-permitted" if "mitigations" in allowed and not denied else "patches-only"


def _rules(prose: str) -> tuple[set[str], set[str]]:
    allowed: set[str] = set()
    denied: set[str] = set()
    for match in _RULE.finditer(prose):
        (denied if match["no"] else allowed).update(_subjects(match["what"]))
    return allowed, denied


def _subjects(what: str) -> set[str]:
    """What a rule is about; one that names nothing is about everything."""
    found = {name for name, sign in (("patches", _PATCHES), ("mitigations", _MITIGATIONS)) if sign.search(what)}
    return found or {"patches", "mitigations"}
