"""The demo's advisories: their texts, which files they ship, and the truth about each branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backports.engine.result import Outcome

from .edits import Change
from .fixes import NAME_FIRST_TRY
from .publish import Notice, Style
from .repository import cve

UPSTREAM = Outcome.FIXED_UPSTREAM
APPLIED = Outcome.APPLIED


@dataclass(frozen=True, slots=True)
class Cell:
    """The truth about one branch."""

    branch: str
    outcome: Outcome
    how: str = ""


@dataclass(frozen=True, slots=True)
class Shipped:
    """One patch file: the patch at `position` of the fix's series for `branch`.

    `instead` replaces its change (a first try), `keep` is the part of the bytes that survived, 0 to 1.
    """

    name: str
    branch: str
    position: int = 0
    style: Style = Style.GIT
    encoding: str = "utf-8"
    instead: Change | None = None
    keep: float = 1.0


@dataclass(frozen=True, slots=True)
class Version:
    """What one version of an advisory shipped."""

    number: int
    files: tuple[Shipped, ...]


@dataclass(frozen=True, slots=True)
class Meta:
    """What the .meta file says: patches by branch, and the advisories that must be fixed before."""

    recipes: Mapping[str, tuple[str, ...]]
    prereqs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One advisory. `days` until the planned disclosure, or 0 when it is disclosed."""

    notice: Notice
    versions: tuple[Version, ...]
    recipes: Mapping[str, tuple[str, ...]]
    cells: tuple[Cell, ...]
    days: int = 0
    meta: Meta | None = None
    other_trees: Mapping[str, str] = field(default_factory=dict)
    wrong_digests: frozenset[str] = frozenset()


def _cells(*rows: tuple[str, Outcome] | tuple[str, Outcome, str]) -> tuple[Cell, ...]:
    return tuple(Cell(branch, *row[1:]) for row in rows for branch in row[0].split())


def _recipes(rows: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {branch: files for branches, files in rows.items() for branch in branches.split()}


def _notice(
    number: int,
    title: str,
    description: str,
    impact: str,
    vulnerable: str,
    resolution: tuple[tuple[str, str], ...],
    deployment: str = "all",
    updates: Mapping[int, str] | None = None,
) -> Notice:
    return Notice(number, cve(number), title, description, impact, vulnerable, resolution, deployment, updates)


_OTHER_TREE = """From: Security Engineer One <one@example.org>
Subject: {subject}

This is XSA-{number} / {cve}.

Signed-off-by: Security Engineer One <one@example.org>

--- a/{path}
+++ b/{path}
@@ -40,6 +40,8 @@ {context}
 \tstruct ring_request request;

 \tring_copy(&request, ring, index);
+\tif (request.count > RING_SEGMENTS)
+\t\treturn -EINVAL;

 \tfor (i = 0; i < request.count; i++)
 \t\tmap_segment(&request.segment[i]);
""".replace("\n\n \tring", "\n \n \tring").replace("\n\n \tfor", "\n \n \tfor")


def _other(number: int, path: str, context: str) -> str:
    subject = "check the number of segments once, on our own copy"
    return _OTHER_TREE.format(subject=subject, number=number, cve=cve(number), path=path, context=context)


_EVENT_PORT = Entry(
    _notice(
        901,
        "out of bounds access through a port that is not checked",
        "The operation that binds a port to a virtual processor used the port as an index before anything checked it.",
        "A guest can crash the hypervisor, and may be able to raise its privileges.",
        "All versions are vulnerable.",
        (("xsa901.patch", "xen-unstable - Xen 4.6.x"), ("xsa901-4.5.patch", "Xen 4.5.x")),
    ),
    (Version(1, (Shipped("xsa901.patch", "master"), Shipped("xsa901-4.5.patch", "4.5"))),),
    _recipes({"master 4.8 4.7 4.6": ("xsa901.patch",), "4.5": ("xsa901-4.5.patch",)}),
    _cells(
        ("master 4.8 4.7 4.6 4.5", UPSTREAM),
        ("4.4 4.3 4.2", APPLIED, "exact"),
        ("4.1", APPLIED, "offset"),
    ),
)

_SUBPAGE = Entry(
    _notice(
        902,
        "sub-page grants may be copied beyond their end",
        "The second version of grant tables takes the length of a copy from memory that the other side can write.",
        "A guest can read memory of the hypervisor.",
        "Versions from 4.2 on are vulnerable; 4.1 has no second version of grant tables.",
        (("xsa902.patch", "xen-unstable, Xen 4.8.x, 4.7.x, 4.6.x"),),
    ),
    (Version(1, (Shipped("xsa902.patch", "master", style=Style.PLAIN),)),),
    _recipes({"master 4.8 4.7 4.6": ("xsa902.patch",)}),
    _cells(
        ("master 4.8 4.7 4.6", UPSTREAM),
        ("4.5 4.4", APPLIED, "exact"),
        ("4.3 4.2", APPLIED, "three-way"),
        ("4.1", Outcome.NOT_AFFECTED, "introduced later"),
    ),
)

_STRING = Entry(
    _notice(
        903,
        "string instructions can be repeated without end",
        "The emulator took the number of repetitions from a guest register and did not stop in between.",
        "A guest can keep a processor for hours, which is a denial of service to all others.",
        "All versions are vulnerable.",
        (("xsa903.patch", "xen-unstable, Xen 4.8.x"), ("xsa903-4.7.patch", "Xen 4.7.x - Xen 4.6.x.")),
        "patches",
    ),
    (Version(1, (Shipped("xsa903.patch", "master"), Shipped("xsa903-4.7.patch", "4.7"))),),
    _recipes({"master 4.8": ("xsa903.patch",), "4.7 4.6": ("xsa903-4.7.patch",)}),
    _cells(("master 4.8 4.7 4.6", UPSTREAM), ("4.5 4.4 4.3 4.2 4.1", APPLIED, "three-way")),
)

_LARGE_PAGES = Entry(
    _notice(
        904,
        "entries of the top level taken for large pages",
        "A reserved bit made the walk of guest page tables end one level too early.",
        "A guest can read and write memory of other guests.",
        "All versions are vulnerable.",
        (("xsa904.patch", "xen-unstable - Xen 4.6"),),
    ),
    (Version(1, (Shipped("xsa904.patch", "master"),)),),
    _recipes({"master 4.8 4.7 4.6": ("xsa904.patch",)}),
    _cells(("master 4.8 4.7 4.6", UPSTREAM), ("4.5 4.4 4.3 4.2 4.1", APPLIED, "moved file")),
)

_STORE_46 = tuple(f"xsa905/xsa905-4.6-0{n}.patch" for n in range(4))
_STORE_NEW = tuple(f"xsa905/xsa905-0{n}.patch" for n in (1, 2, 3))
_STORE = Entry(
    _notice(
        905,
        "guests can fill the store",
        "The store daemon kept any number of nodes and watches for a guest.",
        "A guest can use up the memory of the control domain, which is a denial of service to the whole host.",
        "All versions are vulnerable. Watches exist from 4.4 on.",
        (
            ("xsa905/xsa905-??.patch", "xen-unstable - Xen 4.7.x"),
            ("xsa905/xsa905-4.6-??.patch", "Xen 4.6.x"),
        ),
    ),
    (
        Version(
            1,
            tuple(Shipped(name, "master", n) for n, name in enumerate(_STORE_NEW))
            + tuple(Shipped(name, "4.6", n) for n, name in enumerate(_STORE_46)),
        ),
    ),
    _recipes({"master 4.8 4.7": _STORE_NEW, "4.6": _STORE_46}),
    _cells(
        ("master 4.8 4.7 4.6", UPSTREAM),
        ("4.5", APPLIED, "exact"),
        ("4.4", APPLIED, "exact"),
        ("4.3 4.2 4.1", Outcome.PARTLY_APPLIED, "no watches"),
    ),
)

_TABLES = Entry(
    _notice(
        906,
        "firmware tables may be written beyond their area",
        "Nothing checked that a table still fits when the control domain adds it.",
        "A guest with many devices cannot be started, and may crash its builder.",
        "All versions are vulnerable.",
        (("xsa906.patch", "Xen 4.8.x ... 4.6.x, xen-unstable"),),
    ),
    (Version(1, (Shipped("xsa906.patch", "master", style=Style.PLAIN, encoding="latin-1"),)),),
    _recipes({"master 4.8 4.7 4.6": ("xsa906.patch",)}),
    _cells(
        ("master 4.8 4.7 4.6", UPSTREAM),
        ("4.5", APPLIED, "exact"),
        ("4.4 4.3 4.2 4.1", APPLIED, "offset"),
    ),
)

_EFER = Entry(
    _notice(
        907,
        "guests can claim a processor mode that they are not in",
        "Two registers took bits from guests that only the processor may set.",
        "A guest can crash the hypervisor.",
        "All versions are vulnerable.",
        (("xsa907.patch", "xen-unstable, Xen 4.8.x Xen 4.7.x Xen 4.6.x"),),
        "nothing",
    ),
    (Version(1, (Shipped("xsa907.patch", "master", style=Style.QUILT),)),),
    _recipes({"master 4.8 4.7 4.6": ("xsa907.patch",)}),
    _cells(("master 4.8 4.7 4.6", UPSTREAM), ("4.5 4.4 4.3 4.2 4.1", Outcome.CONFLICT)),
)

_EVENT_DYING = Entry(
    _notice(
        908,
        "ports of a dying domain can be bound",
        "The check that XSA-901 added did not look at whether the domain is being destroyed at the same time.",
        "A guest can crash the hypervisor while it is destroyed.",
        "Versions with the fix of XSA-901 are vulnerable; the others have the worse problem.",
        (("xsa908.patch", "xen-unstable - Xen 4.6.x"),),
    ),
    (Version(1, (Shipped("xsa908.patch", "master"),)),),
    _recipes({"master 4.8 4.7 4.6": ("xsa908.patch",)}),
    _cells(
        ("master 4.8 4.7 4.6", UPSTREAM),
        ("4.5", APPLIED, "exact"),
        ("4.4 4.3 4.2 4.1", Outcome.NEEDS_PREREQUISITE, "after 901"),
    ),
    meta=Meta(_recipes({"master 4.8 4.7 4.6": ("xsa908.patch",)}), (901, 908)),
)

_TIMER = Entry(
    _notice(
        909,
        "too many timers overwrite memory",
        "The heap of timers has a fixed size, and guests decide how many wait.",
        "A guest can crash the hypervisor.",
        "All versions are vulnerable, unless a distribution fixed theirs on its own.",
        (("xsa909.patch", "xen-unstable - 4.6"),),
    ),
    (Version(1, (Shipped("xsa909.patch", "master", style=Style.HG),)),),
    _recipes({"master 4.8 4.7 4.6": ("xsa909.patch",)}),
    _cells(
        ("master 4.8 4.7 4.6", UPSTREAM),
        ("4.5 4.4 4.2", APPLIED, "exact"),
        ("4.3 4.1", Outcome.ALREADY_APPLIED, "by a distribution"),
    ),
)

_CONSOLE = Entry(
    _notice(
        910,
        "console writes without a limit",
        "A guest that writes without end keeps the lock of the console ring from everybody else.",
        "A guest can slow down the host.",
        "All versions are vulnerable.",
        (("xsa910.patch", "xen-unstable - Xen 4.1"),),
        "none",
    ),
    (Version(1, (Shipped("xsa910.patch", "master", keep=0.75),)),),
    _recipes({"master 4.8 4.7 4.6 4.5 4.4 4.3 4.2 4.1": ("xsa910.patch",)}),
    _cells(("master 4.8 4.7 4.6 4.5 4.4 4.3 4.2 4.1", Outcome.MALFORMED, "cut off in the mail")),
)

_MEMORY = Entry(
    _notice(
        911,
        "exchange of pages that do not exist",
        "A hole in the guest's memory was exchanged like a page, and frame zero was freed for it.",
        "A guest can make the allocator hand out a frame that is in use.",
        "All versions are vulnerable.",
        (("xsa911.patch", "xen-unstable, Xen 4.8.x"), ("xsa911-4.7.patch", "Xen 4.7.x ... 4.5.x")),
    ),
    (Version(1, (Shipped("xsa911.patch", "master"), Shipped("xsa911-4.7.patch", "4.7", style=Style.P0))),),
    _recipes({"master 4.8": ("xsa911.patch",), "4.7 4.6 4.5": ("xsa911-4.7.patch",)}),
    _cells(
        ("master 4.8 4.7", UPSTREAM),
        ("4.6 4.5", APPLIED, "exact"),
        ("4.4 4.3 4.2 4.1", APPLIED, "offset"),
    ),
    wrong_digests=frozenset({"xsa911-4.7.patch"}),
)

_NAME_FILES = (Shipped("xsa912.patch", "master"),)
_NAME = Entry(
    _notice(
        912,
        "names of domains overrun a buffer",
        "The length of a new name came from the caller and was not compared with the buffer on the stack.",
        "A tool stack with limited rights can take over the hypervisor.",
        "All versions are vulnerable.",
        (("xsa912.patch", "xen-unstable, Xen 4.8.x Xen 4.7.x"),),
        updates={2: "The patch of version 1 let names through that have no end. Public release."},
    ),
    (
        Version(1, (Shipped("xsa912.patch", "master", instead=NAME_FIRST_TRY),)),
        Version(2, _NAME_FILES),
    ),
    _recipes({"master 4.8 4.7": ("xsa912.patch",)}),
    _cells(
        ("master 4.8 4.7", UPSTREAM),
        ("4.6 4.5 4.4", APPLIED, "exact"),
        ("4.3 4.2 4.1", APPLIED, "argument added"),
    ),
)

_CACHE = Entry(
    _notice(
        913,
        "cache leaves can be read past their end under speculation",
        "The check of the sub-leaf does not hold while the processor guesses.",
        "A guest may be able to learn what lies behind the table.",
        "All versions are vulnerable.",
        (("xsa913.patch", "xen-unstable - Xen 4.7.x"),),
    ),
    (Version(1, (Shipped("xsa913.patch", "master"),)),),
    _recipes({"master 4.8 4.7": ("xsa913.patch",)}),
    _cells(
        ("master 4.8 4.7", UPSTREAM),
        ("4.6 4.5 4.4 4.3", APPLIED, "exact"),
        ("4.2 4.1", Outcome.NEEDS_PREREQUISITE, "symbol missing"),
    ),
)

_MIGRATE = Entry(
    _notice(
        914,
        "moving a virtual processor to one that does not exist",
        "The number of the processor came from the tool stack and was used as an index later.",
        "A tool stack with limited rights can crash the hypervisor.",
        "All versions are vulnerable.",
        (("xsa914.patch", "xen-unstable - Xen 4.7.x"),),
    ),
    (Version(1, (Shipped("xsa914.patch", "master"),)),),
    _recipes({"master 4.8 4.7": ("xsa914.patch",)}),
    _cells(
        ("master 4.8 4.7 4.6", APPLIED, "exact"),
        ("4.5 4.4 4.3", APPLIED, "three-way"),
        ("4.2 4.1", APPLIED, "re-indented"),
    ),
    days=12,
)

_RELEASE = Entry(
    _notice(
        915,
        "interrupts can be released by domains that do not own them",
        "The owner of an interrupt was not compared with the caller.",
        "A guest can stop the devices of another one.",
        "All versions are vulnerable.",
        (("xsa915.patch", "xen-unstable, Xen 4.8.x, 4.7.x"),),
        "patches",
    ),
    (Version(1, (Shipped("xsa915.patch", "master", style=Style.QUILT),)),),
    _recipes({"master 4.8 4.7": ("xsa915.patch",)}),
    _cells(("master 4.8 4.7", APPLIED, "exact"), ("4.6 4.5 4.4 4.3 4.2 4.1", APPLIED, "fuzz")),
    days=12,
)

_COUNTER = Entry(
    _notice(
        916,
        "counters that do not exist can be written",
        "Four counters exist, and the interface takes sixteen numbers. Two other trees have the same mistake.",
        "A guest can overwrite memory of the hypervisor.",
        "Versions from 4.7 on are vulnerable; older ones have no performance counters for guests.",
        (
            ("xsa916.patch", "xen-unstable, Xen 4.8.x, Xen 4.7.x"),
            ("xsa916-qemuu.patch", "mainline qemu"),
            ("xsa916-linux.patch", "Linux"),
        ),
        "nothing",
    ),
    (Version(1, (Shipped("xsa916.patch", "master", style=Style.HG),)),),
    _recipes({"master 4.8 4.7": ("xsa916.patch",), "4.6": ()}),
    _cells(
        ("master 4.8 4.7", APPLIED, "exact"),
        ("4.6", Outcome.NOT_AFFECTED, "no patches in .meta"),
        ("4.5 4.4 4.3 4.2 4.1", Outcome.NOT_AFFECTED, "introduced later"),
    ),
    days=26,
    meta=Meta(_recipes({"master 4.8 4.7": ("xsa916.patch",), "4.6": ()})),
    other_trees={
        "xsa916-qemuu.patch": _other(916, "hw/block/ring.c", "static int ring_handle(struct ring *ring)"),
        "xsa916-linux.patch": _other(916, "drivers/block/ring-back.c", "static int dispatch(struct ring *ring)"),
    },
)

_LINUX = Entry(
    _notice(
        917,
        "a driver reads the shared ring twice",
        "The driver in the control domain's kernel checked one copy of a request and used another.",
        "A guest can crash the control domain.",
        "Every version with this driver is vulnerable; the hypervisor itself is not.",
        (("xsa917-linux.patch", "Linux"),),
    ),
    (Version(1, ()),),
    {},
    (),
    other_trees={"xsa917-linux.patch": _other(917, "drivers/net/ring-back.c", "static int receive(struct ring *ring)")},
)

_DIVISOR = Entry(
    _notice(
        918,
        "a saved divisor of zero is loaded",
        "The model of the serial port trusted the state of a guest that was saved elsewhere.",
        "Whoever can hand in a saved guest can crash the hypervisor.",
        "All versions are vulnerable.",
        (("xsa918.patch", "xen-unstable - 4.6"),),
    ),
    (Version(1, (Shipped("xsa918.patch", "master"),)),),
    _recipes({"master 4.8 4.7 4.6": ("xsa918.patch",)}),
    _cells(("master 4.8 4.7 4.6 4.5 4.4", APPLIED, "exact"), ("4.3 4.2 4.1", APPLIED, "offset")),
    days=26,
)

CATALOGUE = (
    _EVENT_PORT, _SUBPAGE, _STRING, _LARGE_PAGES, _STORE, _TABLES, _EFER, _EVENT_DYING, _TIMER, _CONSOLE, _MEMORY,
    _NAME, _CACHE, _MIGRATE, _RELEASE, _COUNTER, _LINUX, _DIVISOR,
)  # fmt: skip
"""Every advisory of the demo, by number."""
