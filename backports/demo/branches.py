"""What happened on the demo's stable branches besides security fixes."""

from __future__ import annotations

from collections.abc import Mapping

from .edits import DEVELOPER, DISTRIBUTION, MAINTAINER, TOOLS, Change, replace
from .fixes import TIMER_EDIT

_HELP = replace("tools/ctl/main.c", "destroy a domain at once", "destroy a domain without asking it")
_MEMORY_HELP = replace(
    "tools/ctl/main.c", "limit a domain's memory, in pages", "limit the memory of a domain, in pages"
)
_RETRY = replace("docs/hypercalls.md", "and is made again by the guest.", "and the guest makes it again.")
_ORDER = replace("docs/store.md", "may read what it was given and", "may read what it was given, and")
_README = replace("README", "It boots nowhere.", "It boots nowhere, on purpose.")


OWN: Mapping[str, tuple[Change, ...]] = {
    "4.1": (
        Change("toyctl: say what destroy does", "", (_HELP,), TOOLS),
        Change(
            "timer: refuse more timers than fit",
            "Seen with a guest that arms a timer for each of its sockets.",
            (TIMER_EDIT,),
            DISTRIBUTION,
        ),
    ),
    "4.2": (Change("toyctl: clearer help for mem-max", "", (_MEMORY_HELP,), TOOLS),),
    "4.3": (
        Change("docs: who repeats a hypercall", "", (_RETRY,), DEVELOPER),
        Change(
            "timer: return an error when too many timers wait",
            "Found by a soak test of ours.",
            (TIMER_EDIT,),
            DISTRIBUTION,
        ),
    ),
    "4.4": (
        Change("docs: punctuation", "", (_ORDER,), TOOLS),
        Change("toyctl: say what destroy does", "", (_HELP,), TOOLS),
    ),
    "4.5": (Change("README: say that it is meant so", "", (_README,), MAINTAINER),),
    "4.6": (Change("toyctl: clearer help for mem-max", "", (_MEMORY_HELP,), TOOLS),),
    "4.7": (Change("docs: who repeats a hypercall", "", (_RETRY,), DEVELOPER),),
    "4.8": (Change("toyctl: say what destroy does", "", (_HELP,), TOOLS),),
}
"""Changes that each stable branch got between its first and its second release."""
