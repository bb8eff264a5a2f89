"""What a C or assembler text names: identifiers, members, and calls with how many arguments.

A scanner, no parser: most files of the hypervisors that it is meant for do not parse without
their configuration. Comments and strings are blanked first, so that lines and columns stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

C_SUFFIXES = (".c", ".h", ".S", ".s", ".cc", ".cpp", ".hpp", ".inc")
HEADER_SUFFIXES = (".h", ".hpp", ".inc")
MAX_ARGUMENTS = 15
MAX_DEPTH = 64
LONGEST_GAP = 200  # bytes of white space between an arrow and its member
NAME = re.compile(rb"(?<![\w.])[A-Za-z_]\w*")
WORD = re.compile(rb"[A-Za-z_]\w*")
_WORD_BYTE = re.compile(rb"\w")
# For `translate`: all but word bytes become blanks; in chains, `outer.inner` stays one.
_WORDS = bytes(byte if _WORD_BYTE.match(bytes([byte])) else 0x20 for byte in range(256))
_CHAINS = _WORDS[:0x2E] + b"." + _WORDS[0x2F:]
_NO_NAME = frozenset([b"", *(b"%d" % digit for digit in range(10))])
_ARROW = re.compile(rb"\s*(?:->|\.)\s*")
MEMBER = re.compile(rb"(?:->|(?<=[\w)\]])\.)\s*([A-Za-z_]\w*)")
PAIR = re.compile(rb"(?:->|(?<=[\w)\]])\.)\s*+(?=([A-Za-z_]\w*+)\s*+(?:->|\.)\s*+([A-Za-z_]\w*))")
FORMAT = re.compile(rb"%[-+ #0-9.*]*(p[A-Za-z]{1,2})")
_SKIP = re.compile(rb'/\*.*?(?:\*/|\Z)|//[^\n]*|"(?:\\.|[^"\\\n])*+("?)|\'(?:\\.|[^\'\\\n]){1,8}\'', re.DOTALL)
_INCLUDED = re.compile(rb"#[ \t]*+include[ \t]*+[<\"]([^<>\"\n]{1,200}+)[>\"]")
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*(?:include|error|warning|pragma)\b[^\n]*", re.MULTILINE)
_NOT_NEWLINE = re.compile(rb"[^\n]")
_BODY = re.compile(rb"\b(?:struct|union)\b[^;(){}=]{0,200}+\{")
_BRACE = re.compile(rb"[{}]")
_MEMBER_DECLARED = re.compile(rb"([A-Za-z_]\w*+)\s*+(?:\[[^\]]*+\]\s*+)*+(?::[^;,:{}]*+)?[;,)]")
_ASM_MACRO = re.compile(rb"^[ \t]*\.macro[ \t]+([A-Za-z_]\w*)[ \t,]*([^\n]*)$", re.MULTILINE)
_EVENT = re.compile(rb"(?<!\w)([A-Za-z_]\w*+)\s*+\(|[(),]")
KEYWORDS = frozenset(
    b"auto break case char const continue default defined do double else enum extern float for goto if inline int "
    b"long register return short signed sizeof static struct switch typedef typeof union unsigned void volatile "
    b"while __attribute__ __typeof__ asm __asm__ __volatile__ __inline__ elif endif ifdef ifndef undef define "
    b"include error warning pragma".split()
)


@dataclass(frozen=True, slots=True)
class Call:
    """A name followed by parentheses: `start` is its byte, `stop` the byte after the closing one."""

    name: bytes
    arguments: int
    start: int
    stop: int


def is_c(path: str) -> bool:
    """Whether the path's suffix says C, C++ or assembler."""
    return path.endswith(C_SUFFIXES)


def is_header(path: str) -> bool:
    """Whether other files include the path, by its suffix."""
    return path.endswith(HEADER_SUFFIXES)


def code_only(data: bytes) -> bytes:
    """The text with comments, strings and `#include`, `#error` lines blanked; every newline stays in place."""
    return _INCLUDE.sub(_blank, _SKIP.sub(_blank, data))


def names_in(data: bytes) -> set[bytes]:
    """What `names` finds in `code_only` of the text, in a third of the time: nothing but words is asked for."""
    parts, at = list[bytes](), 0
    for match in _SKIP.finditer(data):
        if not match.lastindex or match.group(1):
            parts += data[at : match.start()], b"\n" if b"\n" in match.group() else b" "
            at = match.end()
    code = _INCLUDE.sub(b"", b"".join([*parts, data[at:]]))
    chains = set(code.translate(_CHAINS).split())
    return {name for chain in chains if (name := chain.partition(b".")[0])[:1] not in _NO_NAME} - KEYWORDS


def words_in(data: bytes) -> set[bytes]:
    """Every word of a text, whatever it stands in; what `names_in` and the parts of `tokens` hold is among them."""
    return set(data.translate(_WORDS).split())


def without_comments(data: bytes) -> bytes:
    """The text with comments taken for one blank; strings stay."""
    return _SKIP.sub(lambda match: b" " if match.group()[:1] == b"/" else match.group(), data)


def _blank(match: re.Match[bytes]) -> bytes:
    text = match.group()
    if match.lastindex and not match.group(1):
        return text  # no string: the quote is never closed
    if b"\n" in text:
        return _NOT_NEWLINE.sub(b" ", text)
    return (b'""' if text[:1] == b'"' else b" 0" if text[:1] == b"'" else b"  ") + b" " * (len(text) - 2)


def included(data: bytes) -> list[bytes]:
    """What the `#include` lines name, in order, as they write it."""
    found = _INCLUDED.finditer(data)  # a pattern that starts at every line takes ten times as long
    return [
        match.group(1) for match in found if not data[data.rfind(b"\n", 0, match.start()) + 1 : match.start()].strip()
    ]


def has_word(text: bytes, name: bytes) -> bool:
    """Whether the text holds the name as a word; far faster than a pattern that looks behind."""
    at = text.find(name)
    while at >= 0:
        stop = at + len(name)
        if not (_WORD_BYTE.match(text, at - 1) if at else None) and not _WORD_BYTE.match(text, stop):
            return True
        at = text.find(name, stop)
    return False


def has_member(text: bytes, parts: Sequence[bytes]) -> bool:
    """Whether the text uses `parts[0]` as a member, and each next part as a member of the one before."""
    at = text.find(parts[0])
    while at >= 0:
        before = text[max(0, at - LONGEST_GAP) : at].rstrip()
        if before.endswith((b"->", b".")) and _follow(text, at + len(parts[0]), parts[1:]):
            return True
        at = text.find(parts[0], at + 1)
    return False


def _follow(text: bytes, at: int, parts: Sequence[bytes]) -> bool:
    """Whether these members, and nothing more of the last one's name, follow the place."""
    for part in parts:
        arrow = _ARROW.match(text, at)
        if arrow is None or not text.startswith(part, arrow.end()):
            return False
        at = arrow.end() + len(part)
    return _WORD_BYTE.match(text, at) is None


def names(code: bytes) -> set[bytes]:
    """Every identifier of code that was blanked before, without C's keywords."""
    return set(NAME.findall(code)) - KEYWORDS


def members(code: bytes) -> set[bytes]:
    """`.name` for every name that follows `->` or `.`, and `.outer.inner` for two in a row."""
    found = {b"." + name for name in MEMBER.findall(code)}
    return found | {b".%s.%s" % pair for pair in PAIR.findall(code)}


def calls(code: bytes) -> Iterator[Call]:
    """Every call, prototype, definition and macro with its number of arguments, innermost first.

    `f()` and `f(void)` have none. Linear; what nests deeper than MAX_DEPTH is passed over.
    """
    stack: list[tuple[bytes, int, int]] = []
    commas: list[int] = []
    for event in _EVENT.finditer(code):
        mark = event.group()[-1:]
        if mark == b"(":
            if len(stack) >= MAX_DEPTH:
                stack.clear()
                commas.clear()
            stack.append((event.group(1) or b"", event.start(), event.end()))
            commas.append(0)
        elif not stack:
            continue
        elif mark == b",":
            commas[-1] += 1
        else:
            name, start, inside = stack.pop()
            count = commas.pop()
            if name and name not in KEYWORDS:
                yield Call(name, _arguments(code[inside : event.start()], count), start, event.end())


def _arguments(inside: bytes, commas: int) -> int:
    if commas:
        return min(commas + 1, MAX_ARGUMENTS)
    stripped = inside.strip()
    return 0 if not stripped or stripped == b"void" else 1


def declared_members(code: bytes) -> set[bytes]:
    """`.name` for every member that the bodies of structures and unions declare, those of nested ones included.

    Parameters of function pointers count as well: better one name too many than one too few.
    """
    found: set[bytes] = set()
    at = 0
    while body := _BODY.search(code, at):
        at = _body_end(code, body.end())
        found.update(b"." + name for name in _MEMBER_DECLARED.findall(code, body.end(), at))
    return found


def _body_end(code: bytes, start: int) -> int:
    """The byte of the brace that closes a body whose inside starts at `start`; the end of the text when none does."""
    depth = 1
    for brace in _BRACE.finditer(code, start):
        depth += 1 if brace.group() == b"{" else -1
        if not depth:
            return brace.start()
    return len(code)


def asm_macros(code: bytes) -> set[bytes]:
    """`@name/3` for every assembler macro with so many parameters."""
    return {b"@%s/%d" % (name, asm_arguments(rest)) for name, rest in _ASM_MACRO.findall(code)}


def asm_arguments(text: bytes) -> int:
    """How many parameters or operands stand in the rest of an assembler line; MAX_ARGUMENTS at most.

    Commas part them, or blanks when there are none; commas inside parentheses belong to one operand.
    """
    depth, commas = 0, 0
    for byte in text:
        depth += (byte == 0x28) - (byte == 0x29)
        commas += byte == 0x2C and not depth
    words = text.replace(b",", b" ").split()
    return min(commas + 1 if commas else len(words), MAX_ARGUMENTS)


def tokens(data: bytes) -> set[bytes]:
    """All that a file names, for an index.

    `name`, `.member` (used or declared), `.outer.inner`, `name/2` (a call), `%pv`, `@macro/3` (of the assembler).
    """
    code = code_only(data)
    found = names(code)
    found.update(b"%" + form for form in FORMAT.findall(data))
    found |= members(code) | declared_members(code) | asm_macros(code)
    found.update(b"%s/%d" % (call.name, call.arguments) for call in calls(code))
    return found
