"""Writes the repetitive part of the demo's source code: device models, the opcode table, their documentation.

The device models come from the register lists in `source/devices.txt`. A model may be written in an older and a
newer manner (`Manner`), so that a change of house style shows in the history as it does in real projects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "source"


@dataclass(frozen=True, slots=True)
class Register:
    """One register: byte `offset`, `width` in bits, `access` (`rc`: read clears, `w1c`: write one clears)."""

    name: str
    offset: int
    width: int
    access: str
    reset: int
    meaning: str

    @property
    def member(self) -> str:
        """The name of the state member."""
        return self.name.lower()

    @property
    def mask(self) -> int:
        """The bits that exist."""
        return (1 << self.width) - 1


@dataclass(frozen=True, slots=True)
class Device:
    """One device model: `since` is the release that brought it, `line` its interrupt line."""

    name: str
    since: str
    title: str
    line: int
    registers: tuple[Register, ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """The house style of a release: `versioned` save records carry a version, `logger` reports odd accesses."""

    versioned: bool = False
    logger: str = "device_log"


def devices() -> tuple[Device, ...]:
    """Every device of `source/devices.txt`, in its order."""
    found: list[tuple[list[str], list[Register]]] = []
    for line in (SOURCE / "devices.txt").read_text("ascii").splitlines():
        if line.startswith("  "):
            found[-1][1].append(_register(line))
        elif line and not line.startswith("#"):
            found.append(([part.strip() for part in line.split("|")], []))
    return tuple(Device(name, since, title, int(irq), tuple(regs)) for (name, since, title, irq), regs in found)


def _register(line: str) -> Register:
    name, offset, width, access, reset, meaning = line.split(None, 5)
    return Register(name, int(offset, 16), int(width), access, int(reset, 16), meaning)


def header(device: Device) -> str:
    """The header of a device model."""
    guard = f"TOYVISOR_{device.name.upper()}_H"
    prefix = device.name.upper()
    lines = [f"/* The {device.title}. */", f"#ifndef {guard}", f"#define {guard}", "", "#include <device.h>", ""]
    lines += [f"#define {prefix}_{r.name} 0x{r.offset:x}u" for r in device.registers]
    lines += ["", f"#define {prefix}_IRQ_LINE {device.line}", "", f"struct {device.name}_state {{"]
    lines += [f"    uint{r.width}_t {r.member};" for r in device.registers]
    lines += ["    bool irq_level;", "};", ""]
    state = f"struct {device.name}_state *s"
    lines += [
        f"void {device.name}_reset({state});",
        f"int {device.name}_read({state}, uint32_t offset, uint32_t *value);",
        f"int {device.name}_write({state}, uint32_t offset, uint32_t value);",
        f"void {device.name}_save(const {state}, struct save_stream *stream);",
        f"int {device.name}_load({state}, struct save_stream *stream);",
        f"void {device.name}_dump(const {state});",
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def model(device: Device, manner: Manner) -> str:
    """The C file of a device model."""
    parts = [
        _opening(device),
        _table(device),
        _reset(device),
        _interrupt(device),
        _read(device, manner),
        _write(device, manner),
        _save(device, manner),
        _load(device, manner),
        _dump(device),
    ]
    return "\n".join(parts)


def _opening(device: Device) -> str:
    return f"/*\n * Model of the {device.title}.\n */\n#include <devices/{device.name}.h>\n"


def _table(device: Device) -> str:
    prefix = device.name.upper()
    rows = [
        f'    {{ "{r.name}", {prefix}_{r.name}, 0x{r.mask:x}, 0x{r.reset:x} }}, /* {r.meaning} */'
        for r in device.registers
    ]
    opening = f"static const struct device_register {device.name}_registers[] = {{"
    return "\n".join([opening, *rows, "};", ""])


def _reset(device: Device) -> str:
    body = [f"    s->{r.member} = 0x{r.reset:x};" for r in device.registers]
    opening = f"void {device.name}_reset(struct {device.name}_state *s)"
    return "\n".join([opening, "{", *body, "    s->irq_level = false;", "}", ""])


def _interrupt(device: Device) -> str:
    pending = next((r for r in device.registers if r.access in {"w1c", "rc"}), None)
    level = f"s->{pending.member} != 0" if pending else "false"
    return f"""static void {device.name}_update_irq(struct {device.name}_state *s)
{{
    bool level = {level};

    if (level == s->irq_level)
        return;
    s->irq_level = level;
    device_raise_irq({device.name.upper()}_IRQ_LINE, level);
}}
"""


def _read_case(device: Device, register: Register, manner: Manner) -> Iterator[str]:
    yield f"    case {device.name.upper()}_{register.name}:"
    if register.access == "wo":
        yield f'        {manner.logger}("{device.name}", "read of {register.name}", offset, 0);'
        yield "        *value = 0;"
    else:
        yield f"        *value = s->{register.member};"
    if register.access == "rc":
        yield f"        s->{register.member} = 0;"
        yield f"        {device.name}_update_irq(s);"
    yield "        break;"


def _read(device: Device, manner: Manner) -> str:
    cases = [line for r in device.registers for line in _read_case(device, r, manner)]
    opening = f"int {device.name}_read(struct {device.name}_state *s, uint32_t offset, uint32_t *value)"
    ending = ["    default:", "        *value = ~0u;", "        return -EINVAL;", "    }", "", "    return 0;", "}", ""]
    return "\n".join([opening, "{", "    switch (offset) {", *cases, *ending])


def _write_case(device: Device, register: Register, manner: Manner) -> Iterator[str]:
    yield f"    case {device.name.upper()}_{register.name}:"
    if register.access in {"ro", "rc"}:
        yield f'        {manner.logger}("{device.name}", "write to {register.name}", offset, value);'
    elif register.access == "w1c":
        yield f"        s->{register.member} &= ~value;"
        yield f"        {device.name}_update_irq(s);"
    else:
        yield f"        s->{register.member} = value & 0x{register.mask:x};"
    yield "        break;"


def _write(device: Device, manner: Manner) -> str:
    cases = [line for r in device.registers for line in _write_case(device, r, manner)]
    opening = f"int {device.name}_write(struct {device.name}_state *s, uint32_t offset, uint32_t value)"
    ending = ["    default:", "        return -EINVAL;", "    }", "", "    return 0;", "}", ""]
    return "\n".join([opening, "{", "    switch (offset) {", *cases, *ending])


def _save(device: Device, manner: Manner) -> str:
    version = [f"    save_put32(stream, {len(device.registers)});"] if manner.versioned else []
    body = [f"    save_put32(stream, s->{r.member});" for r in device.registers]
    opening = f"void {device.name}_save(const struct {device.name}_state *s, struct save_stream *stream)"
    return "\n".join([opening, "{", *version, *body, "}", ""])


def _load(device: Device, manner: Manner) -> str:
    opening = f"int {device.name}_load(struct {device.name}_state *s, struct save_stream *stream)"
    version = [f"    if (save_get32(stream) != {len(device.registers)})", "        return -EINVAL;", ""]
    body = [f"    s->{r.member} = save_get32(stream);" for r in device.registers]
    ending = ["    if (stream->overflow)", "        return -EINVAL;", f"    {device.name}_update_irq(s);"]
    checked = version if manner.versioned else []
    return "\n".join([opening, "{", *checked, *body, *ending, "", "    return 0;", "}", ""])


def _dump(device: Device) -> str:
    body = [f'    hv_log(LOG_INFO, "  {r.name:<16} %x\\n", s->{r.member});' for r in device.registers]
    return f"""void {device.name}_dump(const struct {device.name}_state *s)
{{
    unsigned int i;

    hv_log(LOG_INFO, "{device.title}, %u registers\\n", (unsigned int)ARRAY_SIZE({device.name}_registers));
    for (i = 0; i < ARRAY_SIZE({device.name}_registers); i++)
        hv_log(LOG_DEBUG, "  %s at %x\\n", {device.name}_registers[i].name, {device.name}_registers[i].offset);
""" + "\n".join([*body, "}", ""])


def documentation(known: tuple[Device, ...]) -> str:
    """The page that lists every register of `known`."""
    lines = ["# Devices", "", "Registers that a guest finds, by device. Offsets are in bytes.", ""]
    for device in known:
        lines += [f"## {device.title.capitalize()} (`{device.name}`)", "", f"Interrupt line {device.line}.", ""]
        lines += ["| offset | name | bits | access | after reset | meaning |", "|---|---|---|---|---|---|"]
        lines += [
            f"| 0x{r.offset:x} | {r.name} | {r.width} | {r.access} | 0x{r.reset:x} | {r.meaning} |"
            for r in device.registers
        ]
        lines.append("")
    return "\n".join(lines)


_ALU = ("add", "or", "adc", "sbb", "and", "sub", "xor", "cmp")
_ALU_FORMS = (
    "OP_MODRM | OP_BYTE | OP_DST_MEM",
    "OP_MODRM | OP_DST_MEM",
    "OP_MODRM | OP_BYTE | OP_DST_REG",
    "OP_MODRM | OP_DST_REG",
    "OP_BYTE | OP_DST_ACC | OP_IMM8",
    "OP_DST_ACC | OP_IMM32",
)
_CONDITIONS = ("o", "no", "b", "nb", "z", "nz", "be", "nbe", "s", "ns", "p", "np", "l", "nl", "le", "nle")
_OTHERS = {
    0x26: ("es", "OP_PREFIX"), 0x2E: ("cs", "OP_PREFIX"), 0x36: ("ss", "OP_PREFIX"), 0x3E: ("ds", "OP_PREFIX"),
    0x63: ("movsxd", "OP_MODRM | OP_DST_REG"), 0x64: ("fs", "OP_PREFIX"), 0x65: ("gs", "OP_PREFIX"),
    0x66: ("data", "OP_PREFIX"), 0x67: ("address", "OP_PREFIX"), 0x68: ("push", "OP_STACK | OP_IMM32"),
    0x69: ("imul", "OP_MODRM | OP_DST_REG | OP_IMM32"), 0x6A: ("push", "OP_STACK | OP_IMM8"),
    0x6B: ("imul", "OP_MODRM | OP_DST_REG | OP_IMM8"), 0x6C: ("insb", "OP_STRING | OP_BYTE | OP_IO"),
    0x6D: ("ins", "OP_STRING | OP_IO"), 0x6E: ("outsb", "OP_STRING | OP_BYTE | OP_IO"),
    0x6F: ("outs", "OP_STRING | OP_IO"), 0x80: ("group1", "OP_MODRM | OP_BYTE | OP_DST_MEM | OP_IMM8"),
    0x81: ("group1", "OP_MODRM | OP_DST_MEM | OP_IMM32"), 0x83: ("group1", "OP_MODRM | OP_DST_MEM | OP_IMM8"),
    0x84: ("test", "OP_MODRM | OP_BYTE"), 0x85: ("test", "OP_MODRM"),
    0x86: ("xchg", "OP_MODRM | OP_BYTE | OP_DST_MEM"), 0x87: ("xchg", "OP_MODRM | OP_DST_MEM"),
    0x88: ("mov", "OP_MODRM | OP_BYTE | OP_DST_MEM"), 0x89: ("mov", "OP_MODRM | OP_DST_MEM"),
    0x8A: ("mov", "OP_MODRM | OP_BYTE | OP_DST_REG"), 0x8B: ("mov", "OP_MODRM | OP_DST_REG"),
    0x8D: ("lea", "OP_MODRM | OP_DST_REG"), 0xA4: ("movsb", "OP_STRING | OP_BYTE"), 0xA5: ("movs", "OP_STRING"),
    0xA6: ("cmpsb", "OP_BYTE"), 0xAA: ("stosb", "OP_BYTE"), 0xC3: ("ret", "OP_STACK"),
    0xC6: ("mov", "OP_MODRM | OP_BYTE | OP_DST_MEM | OP_IMM8"), 0xC7: ("mov", "OP_MODRM | OP_DST_MEM | OP_IMM32"),
    0xCD: ("int", "OP_IMM8"), 0xE4: ("inb", "OP_IO | OP_BYTE | OP_IMM8"), 0xE5: ("in", "OP_IO | OP_IMM8"),
    0xE6: ("outb", "OP_IO | OP_BYTE | OP_IMM8"), 0xE7: ("out", "OP_IO | OP_IMM8"),
    0xE8: ("call", "OP_STACK | OP_BRANCH"),
    0xE9: ("jmp", "OP_BRANCH | OP_IMM32"), 0xEB: ("jmp", "OP_BRANCH | OP_IMM8"), 0xF0: ("lock", "OP_PREFIX"),
    0xF2: ("repnz", "OP_PREFIX"), 0xF3: ("rep", "OP_PREFIX"), 0xF4: ("hlt", "OP_NONE"),
    0xF6: ("group3", "OP_MODRM | OP_BYTE | OP_DST_MEM"), 0xF7: ("group3", "OP_MODRM | OP_DST_MEM"),
    0xFE: ("group4", "OP_MODRM | OP_BYTE | OP_DST_MEM"), 0xFF: ("group5", "OP_MODRM | OP_DST_MEM"),
}  # fmt: skip


def _opcode(byte: int) -> tuple[str, str] | None:
    if byte in _OTHERS:
        return _OTHERS[byte]
    if byte < 0x40 and byte & 7 < 6:
        return _ALU[byte >> 3], _ALU_FORMS[byte & 7]
    families = {0x4: ("rex", "OP_PREFIX"), 0x7: (f"j{_CONDITIONS[byte & 15]}", "OP_BRANCH | OP_IMM8")}
    if byte >> 4 == 5:
        return ("push" if byte < 0x58 else "pop"), "OP_STACK"
    if byte >> 4 == 0xB:
        return "mov", ("OP_BYTE | OP_IMM8" if byte < 0xB8 else "OP_IMM32")
    return families.get(byte >> 4)


def opcode_table() -> str:
    """The C file with one row for each one-byte opcode that the emulator knows."""
    known = ((byte, _opcode(byte)) for byte in range(256))
    rows = [f'    [0x{byte:02x}] = {{ "{op[0]}", {op[1]} }},' for byte, op in known if op]
    opening = "/*\n * One-byte opcodes.\n */\n#include <asm/emulate.h>\n\nconst struct opcode opcode_table[256] = {\n"
    return opening + "\n".join(rows) + "\n};\n"
