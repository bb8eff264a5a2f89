"""Which headers an `#include` finds, and the names that come in with it, on trees of our own."""

from __future__ import annotations

import pytest

from backports.git.includes import plain
from backports.git.store import open_repository
from backports.git.symbols import SymbolIndex

FILES = {
    "xen/include/xen/list.h": b"#include <xen/types.h>\nstruct list;\n",
    "xen/include/xen/types.h": b"typedef int word_t;\n",
    "xen/include/xen/config.h": b"#define ALWAYS 1\n",
    "xen/include/xen/loop.h": b"#include <xen/loop.h>\nint loop;\n",
    "xen/include/asm-x86/hvm/cpu.h": b"int x86_cpu;\n",
    "xen/include/asm-arm/hvm/cpu.h": b"int arm_cpu;\n",
    "xen/arch/x86/private.h": b'#include "../../common/shared.h"\nint own;\n',
    "xen/common/shared.h": b"int shared;\n",
    "xen/common/private.h": b"int others;\n",
    "tools/libs/ctrl/include/ctrl.h": b"int ctrl;\n",
    "xen/arch/x86/mm.c": b"int mm;\n",
}
HERE = "xen/arch/x86/mm.c"


@pytest.fixture
def symbols(project):
    return SymbolIndex().of(open_repository(project.path), project.commit("Add all", FILES))


@pytest.mark.parametrize(
    ("name", "path", "found"),
    [
        (b"xen/list.h", HERE, True),
        (b"xen/none.h", HERE, False),
        (b"asm/hvm/cpu.h", HERE, True),
        (b"hvm/cpu.h", HERE, True),
        (b"private.h", HERE, True),
        (b"../../common/shared.h", HERE, True),
        (b"../../common/none.h", HERE, False),
        (b"../../../../../etc/passwd", HERE, False),
        (b"ctrl.h", HERE, False),
        (b"ctrl.h", "tools/libxl/libxl.c", True),
    ],
)
def test_the_header_that_a_line_means(symbols, name: bytes, path: str, found: bool) -> None:
    assert symbols.headers([name], path) == (frozenset([name]) if found else frozenset())


@pytest.mark.parametrize(
    ("includes", "reached"),
    [
        ([b"xen/list.h"], {b"ALWAYS", b"list", b"word_t"}),
        ([b"xen/loop.h"], {b"ALWAYS", b"loop"}),
        ([b"private.h"], {b"ALWAYS", b"own", b"shared"}),
        ([b"asm/hvm/cpu.h"], {b"ALWAYS", b"x86_cpu"}),
        ([], {b"ALWAYS"}),
    ],
)
def test_the_names_that_come_in(symbols, includes: list[bytes], reached: set[bytes]) -> None:
    asked = [b"ALWAYS", b"list", b"word_t", b"loop", b"own", b"others", b"shared", b"x86_cpu", b"arm_cpu", b"word"]
    assert symbols.reached(asked, HERE, includes) == reached


def test_the_names_that_a_header_brings_itself(symbols) -> None:
    assert symbols.brought([b"list", b"word_t", b"ALWAYS"], HERE, [b"xen/list.h", b"xen/none.h"]) == {b"list"}


def test_code_of_all_architectures_may_mean_the_header_of_any(symbols) -> None:
    asked = [b"x86_cpu", b"arm_cpu"]
    assert symbols.reached(asked, "xen/common/page.c", [b"asm/hvm/cpu.h"]) == set(asked)


def test_folders_of_an_architecture_have_one_name() -> None:
    assert plain("xen/include/asm-x86/hvm") == "xen/include/asm/hvm"
    assert plain("xen/plasma-x/asm") == "xen/plasma-x/asm"
