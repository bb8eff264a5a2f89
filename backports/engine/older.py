"""How older Xen says what newer Xen says otherwise: a table of words and member paths that changed between releases.

A rule holds for a file when the hunks use the new form, the target's file has it nowhere in its code, shows the
old one, and the target's tree lacks a name that came with the new form (the source's tree has it). Source: the
commits that made the changes (`bool` everywhere with 4.8, as was `mfn_max`; `arch.pv` and `arch.hvm` with 4.12,
`cf_check` and `__ro_after_init` with 4.17). Motivated by XSA-290 516671a54e54, XSA-304 9474622f0229,
XSA-298 ca185ab0a7d3 and XSA-404 2e82446cb252.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .locate import Index

_VCPU = rb"\b(v|vcpu|curr|current|sv|[a-z]+_vcpu)"
_DOMAIN = rb"\b(d|domain|currd|rd|ld|td|[a-z]+_domain)"
_BOOL = re.compile(rb"\b(?:bool|true|false)\b")
_LITERAL = re.compile(rb'"(?:\\.|[^"\\])*"|/\*.*?(?:\*/|$)|//.*|^\s*\*(?:\s|/|$).*')


@dataclass(frozen=True, slots=True)
class Rule:
    """What newer code says (`new`), and how older code says it (`old`, a template).

    `came_with` is the name that the target's tree must lack; `shows` must be in the target's file when it is not empty;
    `unless` is what must not be in its code besides `new`, which it holds.
    """

    new: re.Pattern[bytes]
    old: bytes
    came_with: bytes
    shows: bytes = b""
    unless: re.Pattern[bytes] | None = None

    def translate(self, line: bytes) -> bytes:
        """The line in the old form; comments and strings are left alone."""
        if not self.new.search(line):
            return line
        out, at = b"", 0
        for literal in _LITERAL.finditer(line):
            out += self.new.sub(self.old, line[at : literal.start()]) + literal.group()
            at = literal.end()
        return out + self.new.sub(self.old, line[at:])

    def is_in(self, lines: Sequence[bytes]) -> bool:
        """Whether the code of these lines has the new form, or what comes with it."""
        sought = self.unless or self.new
        return any(sought.search(_LITERAL.sub(b"", line)) for line in lines if sought.search(line))

    def is_in_file(self, file: Index) -> bool:
        """The same for a whole file, whose text is searched first."""
        return bool((self.unless or self.new).search(file.text)) and self.is_in(file.lines)


def _member(owner: bytes, new: bytes, old: bytes, came_with: bytes) -> Rule:
    return Rule(re.compile(owner + rb"->" + re.escape(new) + rb"\b"), rb"\1->" + old, came_with)


RULES: tuple[Rule, ...] = (
    Rule(re.compile(rb"\bbool\b"), b"bool_t", b"mfn_max", b"bool_t", _BOOL),
    Rule(re.compile(rb"\btrue\b"), b"1", b"mfn_max", b"bool_t", _BOOL),
    Rule(re.compile(rb"\bfalse\b"), b"0", b"mfn_max", b"bool_t", _BOOL),
    Rule(re.compile(rb"\b__ro_after_init\b"), b"__read_mostly", b"__ro_after_init"),
    Rule(re.compile(rb"\bXEN_GUEST_HANDLE_PARAM\b"), b"XEN_GUEST_HANDLE", b"XEN_GUEST_HANDLE_PARAM"),
    Rule(re.compile(rb"\bcf_check[ \t]+"), b"", b"cf_check"),
    Rule(re.compile(rb"^FUNC\(", re.MULTILINE), b"ENTRY(", b"FUNC"),
    _member(_VCPU, b"arch.hvm.vmx", b"arch.hvm_vmx", b".hvm.vmx"),
    _member(_VCPU, b"arch.hvm.svm", b"arch.hvm_svm", b".hvm.vmx"),
    _member(_VCPU, b"arch.hvm", b"arch.hvm_vcpu", b".hvm.vmx"),
    _member(_DOMAIN, b"arch.hvm", b"arch.hvm_domain", b".hvm.vmx"),
    _member(_VCPU, b"arch.pv", b"arch.pv_vcpu", b".arch.pv"),
    _member(_DOMAIN, b"arch.pv", b"arch.pv_domain", b".arch.pv"),
)


UNSIGNED = Rule(re.compile(rb"\b(0[xX][0-9a-fA-F]+|[0-9]+)[uU]\b"), rb"\1", b"")
"""Numbers whose U suffix came with the rules of MISRA C; XSA-488 9f070ec78856."""


def drops_suffixes(old: Sequence[bytes], new: Sequence[bytes]) -> bool:
    """Whether lines of the author's file stand in the target without the U suffix of their numbers, else the same."""
    without = {UNSIGNED.translate(line) for line in old if UNSIGNED.new.search(line)}
    return any(line in without and not UNSIGNED.new.search(line) for line in new)


def rules_for(used: Sequence[bytes], target: Index, lacks: Callable[[bytes], bool]) -> tuple[Rule, ...]:
    """The rules that hold for hunks with the lines `used` in the file `target`.

    `lacks(name)` tells whether the target's tree lacks a name that the source's tree has.
    """
    text = b"".join(used)
    return tuple(
        rule
        for rule in RULES
        if rule.new.search(text) and rule.shows in target.text and lacks(rule.came_with) and not rule.is_in_file(target)
    )
