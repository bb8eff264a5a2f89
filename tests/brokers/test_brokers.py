"""The same promises on each broker: every attempt is run, a killed worker loses nothing, and nothing is done twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from backports.models import Attempt
from backports.services import attempts, repositories
from backports.services.advisories import ingest
from backports.services.places import results_path
from tests.backports.toy import Edits, Toy, git, guard
from tests.brokers import daemons
from tests.brokers.crew import Crew
from tests.xsa.samples import advisory

BROKERS = ("filesystem", "redis", "rabbitmq")
ADVISORIES = 6
LINES = 40_000
SMALL = ("pick", "place", "drop", "sort")
SLOW = 960  # the highest number is sent first; a worker takes the others along with it

pytestmark = [pytest.mark.broker, pytest.mark.timeout(150)]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, daemons.Ready]]:
    """All brokers, started together, since one of them takes its time."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(getattr(daemons, name)(tmp_path_factory.mktemp(name)))
            for name in reversed(BROKERS)
        }


@pytest.fixture(scope="module", params=BROKERS)
def crew(
    request: pytest.FixtureRequest,
    started: dict[str, daemons.Ready],
    django_db_setup: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Crew]:
    """The scheduler and two workers on one broker, for all its tests."""
    made = Crew(started[request.param](), tmp_path_factory.mktemp(f"crew-{request.param}"))
    try:
        made.start_scheduler()
        made.start_worker("one")
        made.start_worker("two")
        yield made
    finally:
        made.end()


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test plans is sent by the workers' own sweep."""
    monkeypatch.setattr(attempts, "send", lambda: 0)


@pytest.fixture
def toy(committed_db: None, unsent: None, tmp_path: Path) -> Toy:
    return Toy.build(tmp_path / "toy.git")


def mirror(toy: Toy) -> str:
    name = f"toy-{toy.path.parent.name[-30:].strip('-_').replace('_', '-')}"
    repositories.add_repository(None, name=name, url=str(toy.path), project="toy")
    return name


def take(number: int, patch: bytes) -> None:
    name = f"xsa{number}.patch"
    files = advisory(number, lines=f"{name}    xen-unstable", files={name: patch})
    ingest(None, files=files, project="toy")


def several(toy: Toy) -> list[Attempt]:
    """Thirty attempts: six fixes on five branches."""
    for number, verb in enumerate(("pick", "place", "drop", "sort", "walk"), 950):
        take(number, toy.patch("master", {"common/table.c": [guard(f"table_{verb}")]}, f"table: {verb}"))
    take(955, toy.patch("master", {"common/queue.c": [guard("queue_push")]}, "queue: push"))
    return list(Attempt.objects.all())


def all_done() -> bool:
    return not Attempt.objects.exclude(state="done").exists()


def test_two_workers_run_every_attempt_once(toy: Toy, crew: Crew) -> None:
    name = mirror(toy)
    rows = several(toy)
    crew.wait_until(all_done, "every attempt is done")
    assert len(rows) == ADVISORIES * 5
    assert set(Attempt.objects.values_list("outcome", "starts")) == {("applied", 1)}
    finishers = [crew.who_finished(row.pk) for row in rows]
    assert {len(names) for names in finishers} == {1}
    assert {name for names in finishers for name in names} == {"one", "two"}
    for row in Attempt.objects.select_related("advisory"):
        refs = git(results_path(name, row.advisory.number), "for-each-ref", "--format=%(objectname) %(refname)")
        assert f"{row.result} refs/attempts/{row.pk}\n" in refs.decode()


def test_the_same_message_twice_changes_nothing(toy: Toy, crew: Crew) -> None:
    mirror(toy)
    take(950, toy.patch("master", {"common/table.c": [guard("table_pick")]}, "table: pick"))
    crew.wait_until(all_done, "every attempt is done")
    before = list(Attempt.objects.order_by("pk").values())
    probe = Attempt.objects.order_by("pk").first()
    assert probe is not None
    for row in before:
        crew.send(row["id"])
        crew.send(row["id"])
    master = probe.branch.repository.branches.get(name="master")
    later = Attempt.objects.create(advisory=probe.advisory, branch=master, tip=probe.tip, seen_tip=probe.tip)
    crew.send(later.pk)
    crew.wait_until(all_done, "the message after them was run")
    assert list(Attempt.objects.exclude(pk=later.pk).order_by("pk").values()) == before


def lines(count: int) -> str:
    return "".join(f"    value_{n} = compute_{n % 977}(toy, {n});\n" for n in range(count))


def slow_toy(toy: Toy) -> None:
    """One branch, and a patch of two thousand hunks: a second or two of work."""
    text = lines(LINES)
    toy.commit("master", {"big.c": text}, "big: begin")
    toy.commit("4.1", {"big.c": "/* moved */\n" * 7 + text}, "big: begin")
    for name in ("4.2", "4.3", "4.4", "4.5"):
        toy.repo.references.delete(f"refs/heads/stable-{name}")


def slow_patch(toy: Toy) -> bytes:
    text = lines(LINES).splitlines(keepends=True)
    for n in range(10, LINES - 10, 20):
        text[n] += f"    checked_{n}(toy);\n"
    edits: Edits = {"big.c": "".join(text)}
    patch = toy.patch("master", edits, "big: check")
    return b"".join(line for line in patch.splitlines(keepends=True) if not line.startswith(b"index "))


def test_a_worker_killed_in_the_middle_loses_nothing_and_another_finishes_once(toy: Toy, crew: Crew) -> None:
    slow_toy(toy)
    name = mirror(toy)
    crew.stop("two")
    crew.freeze("one")
    for number, verb in enumerate(SMALL, 950):
        take(number, toy.patch("master", {"common/table.c": [guard(f"table_{verb}")]}, f"table: {verb}"))
    take(SLOW, slow_patch(toy))
    crew.thaw("one")
    slow = Attempt.objects.get(advisory__number=SLOW)
    crew.wait_until(lambda: running(slow), "the slow attempt runs", every=0.01)
    crew.freeze("one")
    assert running(slow), "it was done before the worker could be killed"
    assert not Attempt.objects.filter(sent_at=None).exists()
    crew.kill("one")
    crew.start_worker("three")
    crew.wait_until(all_done, "every attempt is done")
    slow.refresh_from_db()
    assert (slow.outcome, slow.starts, slow.lease) == ("applied", 2, None)
    assert crew.who_finished(slow.pk) == ["three"]
    others = Attempt.objects.exclude(pk=slow.pk)
    assert set(others.values_list("outcome", "starts")) == {("applied", 1)}
    assert {len(crew.who_finished(row.pk)) for row in others} == {1}
    refs = git(results_path(name, SLOW), "for-each-ref", "--format=%(objectname) %(refname)").decode().splitlines()
    assert refs == [f"{slow.result} refs/attempts/{slow.pk}"]


def running(attempt: Attempt) -> bool:
    attempt.refresh_from_db()
    return attempt.state == Attempt.State.RUNNING
