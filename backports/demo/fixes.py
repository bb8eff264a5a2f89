"""The demo's security fixes: what each changes, and for which branches upstream made it.

A fix has one series for master and, where older branches need their own, variants: a variant serves the branch it is
named after and every older one until the next variant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .edits import DEVELOPER, INGENIEUR, MAINTAINER, SECURITY, TOOLS, Change, Edit, Person, replace
from .mainline import RELEASES


@dataclass(frozen=True, slots=True)
class Fix:
    """What repairs one advisory. `branches` are those for which upstream made it, newest first.

    `committed` are those of them where it is in the public history; an embargoed fix is in none.
    `introduced_by` is the key of the change that brought the flaw, or "".
    """

    number: int
    branches: tuple[str, ...]
    series: tuple[Change, ...]
    variants: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    committed: tuple[str, ...] | None = None
    introduced_by: str = ""

    @property
    def public(self) -> tuple[str, ...]:
        """The branches that hold the fix in the public history."""
        return self.branches if self.committed is None else self.committed

    def for_branch(self, branch: str) -> tuple[Change, ...]:
        """The series that upstream made for `branch`."""
        if branch == "master":
            return self.series
        newer = [name for name in self.variants if RELEASES.index(name) >= RELEASES.index(branch)]
        return self.variants[min(newer, key=RELEASES.index)] if newer else self.series


def _down_to(oldest: str) -> tuple[str, ...]:
    return ("master", *reversed(RELEASES[RELEASES.index(oldest) :]))


def _change(subject: str, body: str, *edits: Edit, author: Person = SECURITY) -> Change:
    return Change(subject, body, edits, author)


_PORT_CHECK = "    if (!port_is_valid(d, port)) {\n        rc = -EINVAL;\n        goto unlock;\n    }\n\n"
_BIND_BODY = (
    "    chn = evtchn_from_port(d, port);\n    switch (chn->state) {\n"
    "    case ECS_UNBOUND:\n    case ECS_INTERDOMAIN:\n"
)
_BIND_START = (
    "    if (vcpu_id >= d->max_vcpus || !d->vcpu[vcpu_id])\n        return -ENOENT;\n\n"
    "    spin_lock(&d->event_lock);\n\n"
)
_BIND_END = "    spin_unlock(&d->event_lock);\n\n    return rc;\n}\n\nint evtchn_send("
_EVENT_PORT = Fix(
    901,
    _down_to("4.5"),
    (
        _change(
            "event: check the port before binding it to a processor",
            "EVTCHNOP_bind_vcpu took the port from the guest and used it as an index.\n"
            "A guest could so write behind the array of its channels.",
            replace("common/event.c", _BIND_START + _BIND_BODY, _BIND_START + _PORT_CHECK + _BIND_BODY),
            replace("common/event.c", _BIND_END, " unlock:\n" + _BIND_END),
        ),
    ),
)

_SUBPAGE = Fix(
    902,
    _down_to("4.6"),
    (
        _change(
            "grant: do not copy more of a sub-page grant than the caller asked for",
            "The length of the grant was used although the buffer may be shorter,\n"
            "and nothing kept the sum of offset and length within the page.",
            replace(
                "common/grant_v2.c",
                "    if (entry->flags & GRANT_V2_SUBPAGE)\n        length = entry->length;\n",
                "    if (entry->flags & GRANT_V2_SUBPAGE)\n        length = min_u32(length, entry->length);\n"
                "    if (length > PAGE_SIZE - entry->page_offset % PAGE_SIZE)\n        return -ERANGE;\n",
            ),
        ),
    ),
    introduced_by="grant-v2",
)


def _string_limit(value: str) -> Change:
    declared = f"    uint64_t {value};\n    int rc = EMUL_OKAY;\n\n"
    return _change(
        "x86/emulate: do not let a guest repeat a string instruction for ever",
        "The count comes from a guest register of 64 bits, and nothing interrupts the loop.\n"
        "Leave after a page's worth of iterations; the guest's instruction is then started again.",
        replace(
            "arch/x86/emulate.c",
            declared + "    while (count) {",
            declared
            + "    if (ctxt->lock)\n        return EMUL_EXCEPTION;\n    if (count > 4096)\n        count = 4096;\n\n"
            "    while (count) {",
        ),
    )


_STRING = Fix(
    903,
    _down_to("4.6"),
    (_string_limit("value[2] = { 0 }"),),
    variants={"4.7": (_string_limit("value = 0"),)},
)

_PAGING = "arch/x86/include/asm/paging.h"
_LARGE_PAGES = Fix(
    904,
    _down_to("4.6"),
    (
        _change(
            "x86/paging: only two levels can hold large pages",
            "The size bit of a top level entry is reserved. Taking such an entry for a leaf\n"
            "gave a guest a mapping of half a terabyte of somebody else's memory.",
            replace(
                _PAGING,
                "    if (level == 1)\n        return true;\n",
                "    if (level == 1)\n        return true;\n"
                "    if (level > PT_MAX_LEAF_LEVEL)\n        return false;\n",
            ),
            replace(_PAGING, "#define PT_ENTRIES 512\n", "#define PT_ENTRIES 512\n#define PT_MAX_LEAF_LEVEL 3\n"),
            author=MAINTAINER,
        ),
    ),
)

_WRITE_CREATE = "    node = store_lookup(path);\n    if (!node)\n        node = node_create(c, path);\n"
_CHARGE = "static void client_charge(struct store_client *c, int nodes_added)\n{\n    c->nodes += nodes_added;\n}\n\n"
_STORE_PREREQUISITE = Change(
    "store: count the nodes of a client in one place",
    "No functional change. The next patch needs it.",
    (
        replace(
            "tools/store/store_core.c",
            "static struct store_node *node_create(",
            _CHARGE + "static struct store_node *node_create(",
        ),
        replace("tools/store/store_core.c", "    c->nodes++;\n", "    client_charge(c, 1);\n"),
        replace("tools/store/store_core.c", "    c->nodes--;\n", "    client_charge(c, -1);\n"),
    ),
    TOOLS,
    key="client-charge",
)
_STORE_SERIES = (
    _change(
        "store: limit the nodes of one client",
        "A guest could make the daemon use all memory of the control domain.",
        replace(
            "tools/store/store_core.c",
            "    c->nodes += nodes_added;\n",
            "    c->nodes += nodes_added;\n    if (c->nodes > STORE_QUOTA_NODES)\n"
            '        hv_log(LOG_WARN, "store: d%u is over its quota\\n", c->domid);\n',
        ),
        replace(
            "tools/store/store_core.c",
            _WRITE_CREATE,
            "    node = store_lookup(path);\n"
            "    if (!node && c->domid && c->nodes >= STORE_QUOTA_NODES)\n        return -ENOSPC;\n"
            "    if (!node)\n        node = node_create(c, path);\n",
        ),
        author=TOOLS,
    ),
    _change(
        "store: limit the watches of one client",
        "Every watch costs time at each write of anybody.",
        replace(
            "tools/store/store.h",
            "#define STORE_QUOTA_NODES 1000\n",
            "#define STORE_QUOTA_NODES 1000\n#define STORE_QUOTA_WATCHES 128\n",
        ),
        replace(
            "tools/store/store_watch.c",
            "    if (watch_find(c, path))\n        return -EEXIST;\n",
            "    if (watch_find(c, path))\n        return -EEXIST;\n"
            "    if (c->domid && c->watches >= STORE_QUOTA_WATCHES)\n        return -ENOSPC;\n",
        ),
        author=TOOLS,
    ),
    _change(
        "docs: say what the store's limits are",
        "",
        replace(
            "docs/store.md",
            "| nodes of one client | not limited |\n",
            "| nodes of one client | 1000 |\n| watches of one client | 128 |\n",
        ),
        author=TOOLS,
    ),
)
_STORE = Fix(
    905, _down_to("4.6"), _STORE_SERIES, variants={"4.6": (_STORE_PREREQUISITE, *_STORE_SERIES)}
)  # fmt: skip

_TABLES = Fix(
    906,
    _down_to("4.6"),
    (
        _change(
            "firmware: keep the tables within their area",
            "Nothing checked that a table still fits. Signalé par un café de sécurité.",
            replace(
                "firmware/tables.c",
                "    void *slot;\n\n    slot = area->base + area->used;\n",
                "    void *slot;\n\n    if (bytes > TABLE_AREA_BYTES - area->used)\n        return NULL;\n\n"
                "    slot = area->base + area->used;\n",
            ),
            author=INGENIEUR,
        ),
    ),
)

_EFER = Fix(
    907,
    _down_to("4.6"),
    (
        _change(
            "x86/msr: guests must not set the mode bit themselves",
            "The processor sets EFER.LMA when paging is switched on. A guest that wrote it\n"
            "made the hypervisor believe in a mode that the processor was not in.",
            replace(
                "arch/x86/msr.c",
                "        if (value & ~(uint64_t)EFER_KNOWN)\n            break;\n"
                "        m->efer = value;\n        return 0;\n",
                "        if (value & ~(uint64_t)EFER_KNOWN)\n"
                "            break;\n        if ((value ^ m->efer) & EFER_LMA)\n"
                "            break;\n        m->efer = value;\n        return 0;\n",
            ),
            replace(
                "arch/x86/msr.c",
                "    case MSR_APIC_BASE:\n        m->apic_base = value & 0xfffff900;\n        return 0;\n",
                "    case MSR_APIC_BASE:\n        if (value & ~0xfffff900ull)\n            break;\n"
                "        m->apic_base = value;\n        return 0;\n",
            ),
        ),
    ),
)

_PORT_CHECK_AGAIN = (
    "    if (!port_is_valid(d, port) || READ_ONCE(d->state) == DOMAIN_DYING) {\n"
    "        rc = -EINVAL;\n        goto unlock;\n    }\n\n"
)
_EVENT_DYING = Fix(
    908,
    _down_to("4.6"),
    (
        _change(
            "event: do not bind ports of a domain that is being destroyed",
            "The check of the port that XSA-901 added is not enough while another processor\nfrees the array.",
            replace("common/event.c", _BIND_START + _PORT_CHECK, _BIND_START + _PORT_CHECK_AGAIN),
        ),
    ),
)

_HEAP_OLD = "    t->expires = expires;\n    t->active = true;\n"
HEAP_NEW = (
    "    if (h->used == TIMER_HEAP_MAX) {\n        spin_unlock(&h->lock);\n        return -ENOSPC;\n    }\n\n"
    + _HEAP_OLD
)
TIMER_EDIT = replace("common/timer.c", _HEAP_OLD, HEAP_NEW)
_TIMER = Fix(
    909,
    _down_to("4.6"),
    (
        _change(
            "timer: do not write behind the heap",
            "Guests decide how many timers wait. The heap has a fixed size.",
            TIMER_EDIT,
            author=DEVELOPER,
        ),
    ),
)

_CONSOLE = Fix(
    910,
    ("master",),
    (
        _change(
            "console: count what a guest writes",
            "A guest that writes without end keeps the lock from everybody else.",
            replace(
                "drivers/console.c",
                "    uint32_t i, step, total = bytes;\n\n    while (bytes) {\n",
                "    uint32_t i, step, total = bytes;\n\n    if (bytes > CONSOLE_RING_SIZE)\n        return -E2BIG;\n\n"
                "    while (bytes) {\n",
            ),
            replace(
                "drivers/console.c",
                "    if (produced - *cursor > CONSOLE_RING_SIZE)\n",
                "    if (produced - *cursor >= CONSOLE_RING_SIZE)\n",
            ),
        ),
    ),
    committed=(),
)

_MEMORY = Fix(
    911,
    _down_to("4.5"),
    (
        _change(
            "memory: refuse to exchange a page that is not there",
            "The frame number of a hole is zero, and frame zero was then freed.",
            replace(
                "common/memory.c",
                "        old_frame = paging_lookup(d, gfn);\n        new_frame",
                "        old_frame = paging_lookup(d, gfn);\n        if (!old_frame)\n"
                "            return -ENOENT;\n\n        new_frame",
            ),
        ),
    ),
    committed=("master", "4.8", "4.7"),
)

_NAME = Fix(
    912,
    _down_to("4.7"),
    (
        _change(
            "domctl: check the length of a domain's name",
            "The buffer on the stack has 32 bytes, and the length came from the caller.",
            replace(
                "common/domctl.c",
                "    if (guest_copy_in(d, name, op->buffer, op->buffer_bytes))\n"
                "        return -EFAULT;\n\n    mem_copy(d->name",
                "    if (op->buffer_bytes >= sizeof(name))\n        return -E2BIG;\n"
                "    if (guest_copy_in(d, name, op->buffer, op->buffer_bytes))\n        return -EFAULT;\n"
                "    name[op->buffer_bytes] = 0;\n\n    mem_copy(d->name",
            ),
        ),
    ),
)
NAME_FIRST_TRY = _change(
    "domctl: check the length of a domain's name",
    "The buffer on the stack has 32 bytes, and the length came from the caller.",
    replace(
        "common/domctl.c",
        "    if (guest_copy_in(d, name, op->buffer, op->buffer_bytes))\n",
        "    if (op->buffer_bytes > sizeof(name))\n        return -E2BIG;\n"
        "    if (guest_copy_in(d, name, op->buffer, op->buffer_bytes))\n",
    ),
)
"""What version 1 of advisory 912 shipped: the name may still lack its end."""

_CACHE = Fix(
    913,
    _down_to("4.7"),
    (
        _change(
            "x86/cpuid: do not read behind the cache leaves under speculation",
            "The sub-leaf comes from the guest.",
            replace(
                "arch/x86/cpuid.c",
                "    return &p->cache[subleaf];\n",
                "    return &p->cache[array_index_clamp(subleaf, CPUID_CACHE_SUBLEAVES)];\n",
            ),
            author=MAINTAINER,
        ),
    ),
)

_MIGRATE = Fix(
    914,
    _down_to("4.7"),
    (
        _change(
            "sched: check the processor that a domain is moved to",
            "The number came from the tool stack and was used as an index at the next insertion.",
            replace(
                "common/sched.c",
                "    if (v->state == VCPU_RUNNING)\n        return -EBUSY;\n",
                "    if (cpu >= nr_online_cpus)\n        return -EINVAL;\n"
                "    if (v->state == VCPU_RUNNING)\n        return -EBUSY;\n",
            ),
            replace(
                "common/sched.c",
                "        next->state = VCPU_RUNNING;\n    }\n",
                "        next->state = VCPU_RUNNING;\n        next->processor = cpu;\n    }\n",
            ),
        ),
    ),
    committed=(),
)

_RELEASE = Fix(
    915,
    _down_to("4.7"),
    (
        _change(
            "irq: only the owner may release an interrupt",
            "Any domain could take the interrupt of another one away.",
            replace(
                "arch/x86/irq.c",
                "    if (!(desc->status & IRQ_GUEST)) {\n",
                "    if (!(desc->status & IRQ_GUEST) || desc->guest != d->id) {\n",
            ),
        ),
    ),
    committed=(),
)

_COUNTER = Fix(
    916,
    _down_to("4.7"),
    (
        _change(
            "x86/vpmu: check the number of the counter",
            "Sixteen numbers can be written, and four counters exist.",
            replace(
                "arch/x86/vpmu.c",
                "    switch (index & ~VPMU_INDEX_MASK) {\n",
                "    if (counter >= VPMU_COUNTERS)\n        return -EINVAL;\n"
                "\n    switch (index & ~VPMU_INDEX_MASK) {\n",
            ),
        ),
    ),
    committed=(),
    introduced_by="vpmu",
)

_DIVISOR = Fix(
    918,
    _down_to("4.6"),
    (
        _change(
            "devices/uart: a saved divisor of zero must not be loaded",
            "The next write to the port would divide by it.",
            replace(
                "devices/uart.c",
                "    s->dlm = save_get32(stream);\n",
                "    s->dlm = save_get32(stream);\n    if (!s->dll && !s->dlm)\n        s->dll = 1;\n",
            ),
        ),
    ),
    committed=(),
)

FIXES = (
    _EVENT_PORT, _SUBPAGE, _STRING, _LARGE_PAGES, _STORE, _TABLES, _EFER, _EVENT_DYING, _TIMER, _CONSOLE, _MEMORY,
    _NAME, _CACHE, _MIGRATE, _RELEASE, _COUNTER, _DIVISOR,
)  # fmt: skip
"""Every fix for the toyvisor, in the order in which they were made. (917 is for another tree alone.)"""
