"""Names of attached files, which say where a file goes and are believed as far as that is inside."""

from __future__ import annotations

import re
from email.errors import HeaderParseError

from backports.engine.headers import decoded_words

MAX_NAME = 200
_NOT_PLAIN = re.compile(r"[^\w.+@=~#%,() /-]")


def clean_name(told: str) -> tuple[str, str]:
    """The name as it may be used, with slashes between folders; and a code where it had to be changed, else "".

    Names are folded by some programs in the middle of the word, and Xen's hold slashes (`xsa493/xsa493-01.patch`).
    """
    if not told:
        return "", ""
    unfolded = re.sub(r"[\r\n]+[ \t]*", "", told)
    try:
        unfolded = decoded_words(unfolded.strip())
    except (HeaderParseError, ValueError):
        return "unnamed", "odd-name"
    plain = _NOT_PLAIN.sub("_", unfolded.replace("\\", "/"))
    steps = [step.strip() for step in plain.split("/")]
    kept = [step for step in steps if step not in ("", ".", "..") and not step.startswith("~")]
    name = "/".join(kept)[-MAX_NAME:].lstrip("/") or "unnamed"
    inside = not unfolded.startswith(("/", "\\")) and ".." not in steps and plain == unfolded
    return name, "" if inside and name == unfolded else "odd-name"
