"""The toy project, mirrored, and what the tests of the services do to it again and again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db.models import QuerySet

from backports.models import Attempt, Repository
from backports.services import attempts, explaining, places, repositories
from backports.services.advisories import ingest
from backports.services.planning import plan
from tests.backports.toy import Toy, git
from tests.xsa.formats.samples import meta
from tests.xsa.samples import advisory
from xsa.models import Advisory


@pytest.fixture(scope="session")
def toy_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy project, built once."""
    return Toy.build(tmp_path_factory.mktemp("toy") / "toy.git").path


@pytest.fixture
def toy(toy_original: Path, tmp_path: Path) -> Toy:
    """A copy of the toy project that a test may change."""
    path = tmp_path / "toy.git"
    shutil.copytree(toy_original, path)
    return Toy(path, moment=1_400_000_000)


@pytest.fixture
def git_root(tmp_path: Path, settings: Any) -> Path:
    """Where mirrors and results live during the test."""
    folder = tmp_path / "git"
    settings.GIT_ROOT = folder
    return folder


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No worker: messages stay here, as the ids that they carry."""
    sent: list[str] = []
    monkeypatch.setattr(attempts, "message", lambda *pks, **_: sent.extend(map(str, pks)))
    monkeypatch.setattr(explaining, "message", lambda pk, **_: sent.append(f"explain {pk}"))
    return sent


@pytest.fixture
def workshop(db: None, toy: Toy, git_root: Path, unsent: list[str]) -> Iterator[Workshop]:
    """The toy project mirrored as `toy`, with services and no worker."""
    yield Workshop(toy, repositories.add_repository(None, name="toy", url=str(toy.path)), unsent)


class Workshop:
    """A mirror of the toy project and the services around it."""

    def __init__(self, toy: Toy, repository: Repository, sent: list[str]) -> None:
        self.toy = toy
        self.repository = repository
        self.sent = sent

    def take(
        self,
        number: int,
        files: Mapping[str, bytes],
        *,
        lines: str = "",
        version: int = 1,
        recipes: Mapping[str, Mapping[str, object]] | None = None,
    ) -> Advisory:
        """Ingest an advisory; `lines` is its RESOLUTION list (all files for master when it is empty)."""
        lines = lines or "\n".join(f"{name}    xen-unstable" for name in files)
        held = {**files, f"xsa{number}.meta": meta(number, recipes)} if recipes else dict(files)
        ingest(None, files=advisory(number, version=version, lines=lines, files=held), project="toy")
        return Advisory.objects.get(number=number)

    def mine(self) -> list[int]:
        """Fetch, mine and plan."""
        repositories.fetch(self.repository)
        changed = repositories.mine(None, self.repository)
        plan(self.repository, because="mined")
        return changed

    def work(self) -> None:
        """Be the worker until nothing waits."""
        while waiting := list(self.waiting().values_list("pk", flat=True)):
            for pk in waiting:
                attempts.run_attempt(str(pk))

    def explain(self) -> list[str]:
        """Be the worker that explains what is stuck; the outcomes afterwards."""
        rows = Attempt.objects.filter(explaining.unexplained()).order_by("-advisory__number", "-branch__rank")
        return [explaining.explain_attempt(str(pk)) for pk in rows.values_list("pk", flat=True)]

    def run(self, number: int, branch: str, *, before_finish: Callable[[], object] | None = None) -> None:
        """Run one waiting cell; `before_finish` is what happens while it is tried."""
        finish = attempts.finish

        def late(*args: object, **kwargs: object) -> bool:
            attempts.finish = finish
            if before_finish:
                before_finish()
            return finish(*args, **kwargs)

        attempts.finish = late
        try:
            attempts.run_attempt(str(self.cell(number, branch).pk))
        finally:
            attempts.finish = finish

    def waiting(self) -> QuerySet[Attempt]:
        return Attempt.objects.filter(current=True, state=Attempt.State.WAITING).order_by(
            "-advisory__number", "-branch__rank"
        )

    def cell(self, number: int, branch: str) -> Attempt:
        return Attempt.objects.select_related("branch__repository", "advisory", "source").get(
            advisory__number=number, branch__name=branch, branch__repository=self.repository, current=True
        )

    def outcomes(self, number: int) -> dict[str, str]:
        """Outcome by branch, oldest first."""
        rows = Attempt.objects.filter(advisory__number=number, current=True, branch__repository=self.repository)
        return dict(rows.order_by("branch__rank").values_list("branch__name", "outcome"))

    @property
    def mirror(self) -> Path:
        return places.mirror_path(self.repository.name)

    def results(self, number: int) -> Path:
        return places.results_path(self.repository.name, number)

    def parents(self, repository: Path, oid: str) -> list[str]:
        return git(repository, "show", "-s", "--format=%P", oid).decode().split()

    def waiting_cells(self) -> set[tuple[int, str]]:
        return set(self.waiting().values_list("advisory__number", "branch__name"))
