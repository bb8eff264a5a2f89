"""The documents name tests and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_claim_about_the_embargo_has_a_test() -> None:
    text = (ROOT / "docs/embargo.md").read_text()
    parts = [text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] for heading in ("Claims", "Channels")]
    rows = [[line for line in part.split("\n") if line.startswith("|") and "---" not in line] for part in parts]
    claims = [[cell.strip() for cell in row.strip("|").split("|")] for table in rows for row in table[1:]]
    assert len(claims) > 100
    for claim, test in claims:
        if test.startswith("not there: "):
            continue
        named = re.fullmatch(r"`(tests/\S+\.py)::(test_\w+)`", test)
        assert named, f"no test is named for: {claim}"
        assert f"def {named[2]}(" in (ROOT / named[1]).read_text(), test


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target
