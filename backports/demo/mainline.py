"""The demo's main line of development: what happened between the releases 4.1 and 4.8, and after."""

from __future__ import annotations

from collections.abc import Mapping

from .edits import (
    DEVELOPER,
    MAINTAINER,
    TOOLS,
    Change,
    Edit,
    Files,
    add,
    add_later,
    indent_with_spaces,
    indent_with_tabs,
    move_folder,
    replace,
    substitute,
    with_crlf,
)
from .generate import SOURCE, Device, Manner, devices, documentation, header, model, opcode_table

RELEASES = ("4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8")


def _known(release: str) -> tuple[Device, ...]:
    position = RELEASES.index(release)
    return tuple(device for device in devices() if RELEASES.index(device.since) <= position)


def _write_models(known: tuple[Device, ...], manner: Manner) -> Edit:
    def edit(files: Files) -> None:
        for device in known:
            files[f"devices/{device.name}.c"] = model(device, manner).encode()
            files[f"include/devices/{device.name}.h"] = header(device).encode()

    return edit


def _document(release: str) -> Edit:
    def edit(files: Files) -> None:
        files["docs/devices.md"] = documentation(_known(release)).encode()

    return edit


def _add_device(release: str, manner: Manner) -> Change:
    new = tuple(device for device in _known(release) if device.since == release)
    edits = (_write_models(new, manner), _document(release))
    title = new[0].title
    return Change(f"devices: add a model of the {title}", f"Guests may now be given a {title}.", edits)


def _base(*prefixes: str) -> Edit:
    def edit(files: Files) -> None:
        root = SOURCE / "base"
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            name = path.relative_to(root).as_posix()
            if name.startswith(prefixes):
                files[name] = path.read_bytes()

    return edit


_IMPORT = (
    Change(
        "Add the build rules and the public headers",
        "The interface comes first, so that guests can be written against it.",
        (_base("Makefile", "README", "include/public", "include/types.h", "include/errno.h"),),
        MAINTAINER,
    ),
    Change(
        "common: add domains, events, grants, memory, timers and the scheduler",
        "Everything that does not depend on the processor.",
        (_base("common", "include/"), indent_with_tabs("common/sched.c")),
        MAINTAINER,
    ),
    Change(
        "x86: add page tables, interrupts, registers and the emulator",
        "The emulator knows the instructions that drivers use for device memory, and no more.",
        (_base("arch", "drivers"), add("arch/x86/opcodes.c", opcode_table())),
        MAINTAINER,
    ),
    Change(
        "devices: add the models that every guest expects",
        "Each model has a table of its registers, and can be saved and loaded.",
        (_write_models(_known("4.1"), Manner()),),
    ),
    Change(
        "firmware, tools: add tables, the store and toyctl",
        "The firmware tables keep the line endings of the program that they were written with.",
        (_base("firmware", "tools"), with_crlf("firmware/tables.c")),
        TOOLS,
    ),
    Change("docs: describe hypercalls, the store and devices", "", (_base("docs"), _document("4.1")), TOOLS),
)

_STATUS = """static int evtchn_status(struct domain *d, struct evtchn_op *op)
{
    const struct evtchn *chn;

    if (!port_is_valid(d, op->port))
        return -EINVAL;

    spin_lock(&d->event_lock);
    chn = evtchn_from_port(d, op->port);
    op->status = chn->state;
    op->vcpu = chn->notify_vcpu;
    op->remote_port = chn->state == ECS_INTERDOMAIN ? chn->remote_port : 0;
    spin_unlock(&d->event_lock);

    return 0;
}

"""
_BIND_VCPU = "int evtchn_bind_vcpu(struct domain *d, port_t port, unsigned int vcpu_id)\n"

_TO_4_2 = (
    Change(
        "grant: add the second version of grant tables",
        "Frames have 64 bits, and a part of a page can be granted.",
        (add_later("common/grant_v2.c", "grant_v2.c"),),
        DEVELOPER,
        key="grant-v2",
    ),
    Change(
        "event: implement the status operation",
        "Guests use it after migration to find out which of their ports are still bound.",
        (
            replace("common/event.c", _BIND_VCPU, _STATUS + _BIND_VCPU),
            replace(
                "common/event.c",
                "        rc = evtchn_close(d, op.port);\n        break;\n",
                "        rc = evtchn_close(d, op.port);\n        break;\n"
                "    case EVTCHNOP_status:\n        rc = evtchn_status(d, &op);\n        break;\n",
            ),
        ),
    ),
    _add_device("4.2", Manner()),
    Change(
        "docs: say what a write to the store guarantees",
        "",
        (
            replace(
                "docs/store.md",
                "\n## Requests\n",
                "\n## Order\n\nWrites of one client are seen by all in the order in which they were made.\n\n"
                "## Requests\n",
            ),
        ),
        TOOLS,
    ),
)

_TO_4_3 = (
    Change(
        "Add bounds that hold under speculation",
        "A bounds check alone does not stop the processor from reading past the end.",
        (
            add_later("include/nospec.h", "nospec.h"),
            replace("include/lib.h", "#include <errno.h>\n", "#include <errno.h>\n#include <nospec.h>\n"),
        ),
        MAINTAINER,
        key="nospec",
    ),
    Change(
        "sched: indent with spaces like the rest of the code",
        "No functional change.",
        (indent_with_spaces("common/sched.c"),),
        MAINTAINER,
    ),
    _add_device("4.3", Manner()),
    Change(
        "toyctl: name the command that was not understood",
        "",
        (
            replace(
                "tools/ctl/main.c",
                "    if (!command || argc",
                '    if (!command && argc > 1)\n        hv_log(LOG_ERR, "unknown command: %s\\n", argv[1]);\n'
                "    if (!command || argc",
            ),
        ),
        TOOLS,
    ),
)

_VCPU_PART = """enum vcpu_state {
    VCPU_OFFLINE,
    VCPU_RUNNABLE,
    VCPU_RUNNING,
    VCPU_BLOCKED,
};

struct vcpu {
    unsigned int id;
    enum vcpu_state state;
    unsigned int processor;
    int credit;
    uint64_t pending;
    s_time_t last_run;
    struct domain *domain;
    struct vcpu *next;
};

"""
_VCPU_CALLS = """
void vcpu_wake(struct vcpu *v);
void vcpu_block(struct vcpu *v);
void vcpu_notify(struct vcpu *v, port_t port);
"""

_TO_4_4 = (
    Change(
        "guest: pass the domain to the copy functions",
        "Domains will get address spaces of different sizes, so the copy must know for whom it works.",
        (
            substitute(r"\b(guest_copy_(?:in|out))\((?!void|guest_ptr_t)", r"\1(d, "),
            replace("common/domctl.c", "guest_copy_in(d, &op", "guest_copy_in(caller, &op"),
            replace("common/domctl.c", "guest_copy_out(d, arg", "guest_copy_out(caller, arg"),
            substitute(r"\b(guest_copy_(?:in|out))\((?=void|guest_ptr_t)", r"\1(struct domain *d, "),
            replace(
                "include/guest.h",
                "typedef uint64_t guest_ptr_t;\n",
                "struct domain;\n\ntypedef uint64_t guest_ptr_t;\n",
            ),
            replace(
                "common/guest.c",
                "    if (!guest_range_ok(src, bytes))",
                "    (void)d;\n    if (!guest_range_ok(src, bytes))",
            ),
            replace(
                "common/guest.c",
                "    if (!guest_range_ok(dst, bytes))",
                "    (void)d;\n    if (!guest_range_ok(dst, bytes))",
            ),
        ),
        MAINTAINER,
    ),
    Change(
        "headers: split virtual processors from domains",
        "The scheduler needs the one without the other.",
        (
            add_later("include/vcpu.h", "vcpu.h"),
            replace("include/domain.h", _VCPU_PART, ""),
            replace("include/domain.h", _VCPU_CALLS, ""),
            replace("include/domain.h", "#include <spinlock.h>\n", "#include <spinlock.h>\n#include <vcpu.h>\n"),
        ),
        MAINTAINER,
    ),
    Change(
        "store: add watches",
        "A client is told when something below a path changes, and need not ask again and again.",
        (
            add_later("tools/store/store_watch.c", "store_watch.c"),
            replace(
                "tools/store/store.h",
                "int store_remove(",
                "int store_watch_add(struct store_client *c, const char *path, const char *token);\n"
                "unsigned int store_watch_fire(const char *path);\n"
                "void store_watch_forget(struct store_client *c);\nint store_remove(",
            ),
        ),
        TOOLS,
    ),
    Change(
        "irq: log who asked for an interrupt that is not theirs",
        "",
        (
            replace(
                "arch/x86/irq.c",
                "        rc = -EINVAL;\n        goto out;\n",
                '        rc = -EINVAL;\n        hv_log(LOG_WARN, "d%u does not own irq %u\\n", d->id, irq);\n'
                "        goto out;\n",
            ),
        ),
    ),
    Change(
        "devices: give saved state a version",
        "A model that gained a register must not read the state of an older one.",
        (_write_models(_known("4.3"), Manner(versioned=True)),),
    ),
    _add_device("4.4", Manner(versioned=True)),
)

_EXTENT_OK = """static bool extent_order_ok(const struct domain *d, unsigned int order)
{
    return d->privileged ? order <= MAX_EXTENT_ORDER : order <= MAX_EXTENT_ORDER / 2;
}

"""
_INCREASE = "static int increase_reservation(struct domain *d, struct memory_reservation *r)\n"

_TO_4_5 = (
    Change(
        "memory: let only the control domain ask for large extents",
        "",
        (
            replace("common/memory.c", _INCREASE, _EXTENT_OK + _INCREASE),
            replace(
                "common/memory.c",
                "    if (r.nr_done > r.nr_extents)\n        return -EINVAL;\n",
                "    if (r.nr_done > r.nr_extents || !extent_order_ok(d, r.extent_order))\n        return -EINVAL;\n",
            ),
        ),
    ),
    Change(
        "firmware: count the tables",
        "",
        (
            replace(
                "firmware/tables.c",
                "    uint32_t used;\n};\n",
                "    uint32_t used;\n    uint32_t tables;\n};\n",
            ),
            replace(
                "firmware/tables.c",
                "    return 0;\n}\n\nconst",
                "    area->tables++;\n\n    return 0;\n}\n\nconst",
            ),
        ),
        TOOLS,
    ),
    _add_device("4.5", Manner(versioned=True)),
    Change(
        "timer: say whether a timer waits",
        "",
        (
            replace(
                "include/timer.h", "void timer_stop(", "bool timer_active(const struct timer *t);\nvoid timer_stop("
            ),
            replace(
                "common/timer.c",
                "void timer_run(unsigned int cpu)\n",
                "bool timer_active(const struct timer *t)\n{\n    return READ_ONCE(t->active);\n}\n\n"
                "void timer_run(unsigned int cpu)\n",
            ),
        ),
    ),
)

_RDMSR_CHAIN = "    if (index == MSR_APIC_BASE)\n        *value = m->apic_base;\n" + "".join(
    f"    else if (index == MSR_{name.upper()})\n        *value = m->{name};\n"
    for name in ("misc_enable", "pat", "efer", "star", "lstar", "fs_base", "gs_base")
)
_RDMSR_SWITCH = (
    "    switch (index) {\n"
    + "".join(
        f"    case MSR_{name.upper()}:\n        *value = m->{name};\n        return 0;\n"
        for name in ("apic_base", "misc_enable", "pat", "efer", "star", "lstar", "fs_base", "gs_base")
    )
    + "    default:\n        return -EINVAL;\n    }\n}\n"
)
_WRMSR_TAIL = "".join(
    f"    }} else if (index == MSR_{name.upper()}) {{\n        m->{name} = value;\n"
    for name in ("star", "lstar", "fs_base", "gs_base")
)
_WRMSR_CHAIN = (
    "    if (index == MSR_APIC_BASE) {\n        m->apic_base = value & 0xfffff900;\n"
    "    } else if (index == MSR_MISC_ENABLE) {\n        m->misc_enable = value;\n"
    "    } else if (index == MSR_PAT) {\n        if (!pat_valid(value))\n            return -EINVAL;\n"
    "        m->pat = value;\n"
    "    } else if (index == MSR_EFER) {\n        if (value & ~(uint64_t)EFER_KNOWN)\n            return -EINVAL;\n"
    "        m->efer = value;\n" + _WRMSR_TAIL + "    } else {\n        return -EINVAL;\n    }\n\n    return 0;\n}\n"
)
_WRMSR_SWITCH = (
    "    switch (index) {\n"
    "    case MSR_APIC_BASE:\n        m->apic_base = value & 0xfffff900;\n        return 0;\n"
    "    case MSR_MISC_ENABLE:\n        m->misc_enable = value;\n        return 0;\n"
    "    case MSR_PAT:\n        if (!pat_valid(value))\n"
    "            break;\n        m->pat = value;\n        return 0;\n"
    "    case MSR_EFER:\n        if (value & ~(uint64_t)EFER_KNOWN)\n            break;\n"
    "        m->efer = value;\n        return 0;\n"
    + "".join(
        f"    case MSR_{name.upper()}:\n        m->{name} = value;\n        return 0;\n"
        for name in ("star", "lstar", "fs_base", "gs_base")
    )
    + "    }\n\n    return -EINVAL;\n}\n"
)

_TO_4_6 = (
    Change(
        "x86: keep headers beside the code",
        "No functional change. The symbolic link that the build made is gone.",
        (
            move_folder("include/asm-x86", "arch/x86/include/asm"),
            replace("Makefile", "-Iinclude\n", "-Iinclude -Iarch/x86/include\n"),
            replace("Makefile", "check: include/asm\n", "check:\n"),
            replace("Makefile", "\ninclude/asm:\n\tln -s asm-x86 $@\n", ""),
        ),
        MAINTAINER,
    ),
    Change(
        "x86/msr: turn the chains into switch statements",
        "No functional change; the compiler makes better code of it.",
        (
            replace(
                "arch/x86/msr.c",
                _RDMSR_CHAIN + "    else\n        return -EINVAL;\n\n    return 0;\n}\n",
                _RDMSR_SWITCH,
            ),
            replace("arch/x86/msr.c", _WRMSR_CHAIN, _WRMSR_SWITCH),
        ),
    ),
    Change(
        "x86/emulate: honour the address size in string instructions",
        "",
        (
            replace(
                "arch/x86/emulate.c",
                "static int emulate_string(",
                "static uint64_t string_address(const struct emulate_ctxt *ctxt, unsigned int reg)\n{\n"
                "    return ctxt->address_bytes == 4 ? (uint32_t)ctxt->regs[reg] : ctxt->regs[reg];\n}\n\n"
                "static int emulate_string(",
            ),
            replace(
                "arch/x86/emulate.c", "ctxt->read(ctxt, ctxt->regs[6],", "ctxt->read(ctxt, string_address(ctxt, 6),"
            ),
            replace(
                "arch/x86/emulate.c", "ctxt->write(ctxt, ctxt->regs[7],", "ctxt->write(ctxt, string_address(ctxt, 7),"
            ),
        ),
    ),
    Change(
        "sched: call things what they do",
        "sched_pick() also burns credit, and queue_unlink() was the only one not named after its opposite.",
        (
            substitute(r"\bsched_pick\b", "sched_select", "common/sched.c", "include/sched.h"),
            substitute(r"\bqueue_unlink\b", "queue_remove", "common/sched.c"),
        ),
        MAINTAINER,
    ),
    _add_device("4.6", Manner(versioned=True)),
)

_TO_4_7 = (
    Change(
        "x86: add performance counters for guests",
        "",
        (add_later("arch/x86/vpmu.c", "vpmu.c"), add_later("arch/x86/include/asm/vpmu.h", "vpmu.h")),
        key="vpmu",
    ),
    Change(
        "store: count the nodes of a client in one place",
        "No functional change.",
        (
            replace(
                "tools/store/store_core.c",
                "static struct store_node *node_create(",
                "static void client_charge(struct store_client *c, int nodes_added)\n{\n"
                "    c->nodes += nodes_added;\n}\n\nstatic struct store_node *node_create(",
            ),
            replace("tools/store/store_core.c", "    c->nodes++;\n", "    client_charge(c, 1);\n"),
            replace("tools/store/store_core.c", "    c->nodes--;\n", "    client_charge(c, -1);\n"),
        ),
        TOOLS,
        key="client-charge",
    ),
    Change(
        "irq: remember whether an interrupt was pending when it was released",
        "",
        (
            replace(
                "arch/x86/irq.c",
                "    struct irq_desc *desc = &irq_table[irq];\n    int rc = 0;\n",
                "    struct irq_desc *desc = &irq_table[irq];\n    int rc = 0;\n    bool pending = false;\n",
            ),
            replace(
                "arch/x86/irq.c",
                "    desc->in_flight = 0;\n",
                "    pending = desc->in_flight || (desc->status & IRQ_PENDING);\n    desc->in_flight = 0;\n",
            ),
            replace(
                "arch/x86/irq.c",
                '"d%u released irq %u\\n", d->id, irq);',
                '"d%u released irq %u (%d)\\n", d->id, irq, pending);',
            ),
        ),
    ),
    Change(
        "devices: report odd accesses through one function for all devices",
        "No functional change.",
        (
            _write_models(_known("4.6"), Manner(True, "device_report")),
            substitute(r"\bdevice_log\b", "device_report", "include/device.h"),
        ),
        MAINTAINER,
    ),
)

_TO_4_8 = (
    Change(
        "x86/emulate: move up to sixteen bytes with one string instruction",
        "",
        (
            replace(
                "arch/x86/emulate.c",
                "    uint64_t value = 0;\n    int rc = EMUL_OKAY;\n\n    while (count) {",
                "    uint64_t value[2] = { 0 };\n    int rc = EMUL_OKAY;\n\n    while (count) {",
            ),
            replace("arch/x86/emulate.c", "string_address(ctxt, 6), &value,", "string_address(ctxt, 6), value,"),
            replace("arch/x86/emulate.c", "string_address(ctxt, 7), &value,", "string_address(ctxt, 7), value,"),
        ),
    ),
    Change(
        "memory: say how often an allocation failed",
        "",
        (
            replace(
                "common/memory.c",
                "static int account_pages(",
                "static uint32_t allocation_failures;\n\nstatic int account_pages(",
            ),
            replace(
                "common/memory.c",
                "        if (!new_frame)\n            return -ENOMEM;\n",
                "        if (!new_frame) {\n            allocation_failures++;\n"
                "            return -ENOMEM;\n        }\n",
            ),
        ),
    ),
    Change(
        "docs: list what the control domain may change while a guest runs",
        "",
        (
            replace(
                "docs/hypercalls.md",
                "\nA call that cannot finish",
                "\nNames, limits and placement may be changed at any time; the number of processors may not.\n"
                "\nA call that cannot finish",
            ),
        ),
        TOOLS,
    ),
)

_AFTER_4_8 = (
    Change(
        "toyctl: show the page list of a domain",
        "",
        (
            replace(
                "tools/ctl/main.c",
                '    { "vcpu-pin",',
                '    { "pages", DOMCTL_get_page_list, 2, "list the frames of a domain" },\n    { "vcpu-pin",',
            ),
        ),
        TOOLS,
    ),
    Change(
        "console: log how much a guest wrote",
        "",
        (
            replace("drivers/console.c", "    uint32_t i, step;\n", "    uint32_t i, step, total = bytes;\n"),
            replace(
                "drivers/console.c", '"d%u wrote to the console\\n", d->id);', '"d%u wrote %u bytes\\n", d->id, total);'
            ),
        ),
    ),
)

IMPORT = _IMPORT
DEVELOPMENT: Mapping[str, tuple[Change, ...]] = {
    "4.2": _TO_4_2,
    "4.3": _TO_4_3,
    "4.4": _TO_4_4,
    "4.5": _TO_4_5,
    "4.6": _TO_4_6,
    "4.7": _TO_4_7,
    "4.8": _TO_4_8,
    "master": _AFTER_4_8,
}
"""The changes that lead up to each release, and those on master since the last."""
