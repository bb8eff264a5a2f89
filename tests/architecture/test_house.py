"""The house's rules, held by reading the code."""

from __future__ import annotations

import ast
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_LINES = 600


def _tracked(*suffixes: str) -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def _sources() -> list[Path]:
    return [path for path in _tracked(".py") if "migrations" not in path.parts]


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _python(code: str, *, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("ours_first", [True, False])
def test_other_distributions_keep_their_part_of_the_backports_namespace(tmp_path: Path, ours_first: bool) -> None:
    other = tmp_path / "backports" / "fake_pkg"
    other.mkdir(parents=True)
    (tmp_path / "backports" / "__init__.py").write_text(
        "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
    )
    (other / "__init__.py").write_text("word = 'found'\n")
    order = [str(ROOT), str(tmp_path)] if ours_first else [str(tmp_path), str(ROOT)]
    code = "import backports.fake_pkg, backports.engine; print(backports.fake_pkg.word)"
    done = _python(code, path=os.pathsep.join(order))
    assert done.stdout == "found\n", done.stderr


def test_a_namespace_without_init_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "backports").mkdir()
    (tmp_path / "backports" / "bare_pkg.py").write_text("word = 'found'\n")
    code = "import backports.engine, backports.bare_pkg; print(backports.bare_pkg.word)"
    done = _python(code, path=os.pathsep.join([str(ROOT), str(tmp_path)]))
    assert done.stdout == "found\n", done.stderr


def test_no_module_of_ours_has_the_name_of_a_known_backport() -> None:
    taken = {"tarfile", "zstd", "zoneinfo", "asyncio", "csv", "ssl_match_hostname", "functools_lru_cache", "strenum"}
    assert not taken & {path.stem for path in (ROOT / "backports").iterdir()}


@pytest.mark.parametrize("package", ["backports.engine", "backports.git", "xsa.formats", "backports.runtime.embedded"])
def test_what_stands_alone_loads_neither_django_nor_celery(package: str) -> None:
    code = (
        f"import importlib, pkgutil, sys; found = importlib.import_module({package!r})\n"
        "for module in pkgutil.walk_packages(getattr(found, '__path__', []), found.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'django', 'celery', 'kombu', 'psycopg2'}))"
    )
    done = _python(code, path=str(ROOT))
    assert done.stdout == "[]\n", done.stderr


def test_the_packages_for_this_test_are_there() -> None:
    assert len(_sources()) > 50


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert text.count("\n") <= MAX_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "shell":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False
    if path != ROOT / "backports" / "engine" / "diff.py" and ROOT / "tests" not in path.parents:
        assert "unidiff" not in _imported(tree)


def _imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_no_file_names_the_machine_that_it_was_written_on() -> None:
    pattern = re.compile(r"(?<![\w.~-])/(?:work|root/\.pyenv|home/[a-z]+)/[a-z.]")
    found = []
    for path in _tracked(".py", ".md", ".toml", ".txt", ".sh", ".yaml", ".yml", ".html", ".css", ""):
        text = path.read_text(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text)]
    assert found == []


def test_every_requirement_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z0-9,-]+\])?==[0-9][0-9A-Za-z.]*", line), line


@pytest.mark.parametrize("path", sorted((ROOT / "backports" / "web").rglob("*.py")), ids=lambda path: path.stem)
def test_views_ask_for_permission_and_name_no_role(path: Path) -> None:
    """Who may do what is said in xsa/permissions.py; a form may offer roles to choose from."""
    named = re.findall(r"in_security_team|Role\.ADMIN|\.role [!=]=|is_staff|is_superuser", path.read_text())
    assert named == []


def test_functions_are_small() -> None:
    lengths = [
        (function.end_lineno or function.lineno) - function.lineno + 1
        for path in _sources()
        if ROOT / "tests" not in path.parents
        for function in _functions(path)
    ]
    median = statistics.median(lengths)
    print(f"{len(lengths)} functions, median {median:g} lines, longest {max(lengths)}")
    assert median <= 12


def test_import_contracts() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
