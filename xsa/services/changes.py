"""What a new version of an advisory changed, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from xsa.models import AdvisoryVersion

Change = dict[str, str]


def what_changed(before: AdvisoryVersion | None, after: AdvisoryVersion) -> list[Change]:
    """Differences between two stored versions: title, CVEs, deployment, files. Empty for the first one."""
    if before is None or before.number == 0:
        return []
    return [*_facts(before, after), *_files(before, after)]


def _change(code: str, sentence: str, file: str = "") -> Change:
    return {"code": code, "sentence": sentence, "file": file}


def _facts(before: AdvisoryVersion, after: AdvisoryVersion) -> Iterator[Change]:
    if before.title != after.title:
        yield _change("title", f"The title was “{before.title}”.")
    if before.cves != after.cves:
        yield _change("cves", f"The CVEs were {', '.join(before.cves) or 'not given'}.")
    if before.deployment != after.deployment:
        yield _change("deployment", "The rules for deployment during the embargo changed.")


def _files(before: AdvisoryVersion, after: AdvisoryVersion) -> Iterator[Change]:
    old = dict(before.files.exclude(kind="text").values_list("name", "sha256"))
    new = dict(after.files.exclude(kind="text").values_list("name", "sha256"))
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield _change("file-removed", "The file is no longer part of the advisory.", name)
        elif name not in old:
            yield _change("file-added", "The file is new.", name)
        elif old[name] != new[name]:
            yield _change("file-changed", "The file has other content.", name)
