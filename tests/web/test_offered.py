"""Results of others that stand on one's branch byte for byte are offered there, to begin a backport with."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from backports.models import Attempt, Upload
from backports.services import sharing
from tests import factories
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.backports.rooms import Room, room_in

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]
HEAD = "Results that stand here byte for byte"


@pytest.fixture
def room(workshop: Workshop) -> Room:
    made = room_in(workshop)
    workshop.work()
    Attempt.objects.filter(branch__name="4.3").update(outcome="conflict", result="", evidence={})
    return made


def test_one_click_from_an_attempt_that_is_stuck_to_a_draft_of_ones_own(room: Room) -> None:
    # The author's backport of 4.2 changes one file, which is the same on 4.3.
    version = room.upload(push="", on="4.2")
    stuck = room.workshop.cell(500, "4.3")
    address, reader = f"/attempts/{stuck.pk}/", factories.log_in(Client(), room.reviewer)
    assert HEAD not in reader.get(address).content.decode()
    sharing.share(room.author, backport=version.backport)
    page = reader.get(address).content.decode()
    assert HEAD in page and f'value="{version.pk}"' in page and "v1 of Example author on toy 4.2" in page
    assert HEAD not in reader.get(f"/attempts/{room.workshop.cell(500, '4.4').pk}/").content.decode()
    wanted = {"from_version": str(version.pk), "advisory": "500", "branch": str(stuck.branch_id)}
    answer = reader.post("/uploads/", wanted)
    assert answer.status_code == 302
    upload = Upload.objects.get(made_by=room.reviewer)
    assert reader.post(answer["Location"], wanted).status_code == 302
    made = upload.versions.get()
    assert (made.outcome, made.backport.branch.name, made.derived_from) == ("applied", "4.3", version)


def test_nothing_is_offered_where_a_file_differs(room: Room) -> None:
    version = room.upload(push="", on="4.1")
    sharing.share(room.author, backport=version.backport)
    address = f"/attempts/{room.workshop.cell(500, '4.3').pk}/"
    assert HEAD not in factories.log_in(Client(), room.reviewer).get(address).content.decode()


def marked(page: str) -> set[str]:
    """The matrix's cells with the mark, by number and rank of the branch."""
    return set(re.findall(r'<td id="c([^"]+)"[^>]*><a [^>]*and is offered"><i>.<b aria-hidden="true">\+</b></i>', page))


def test_the_matrix_marks_the_cells_where_something_is_offered(room: Room) -> None:
    version = room.upload(push="", on="4.2")
    cell = f"500-{room.workshop.cell(500, '4.3').branch.rank}"
    reader, author = (factories.log_in(Client(), person) for person in (room.reviewer, room.author))
    assert marked(reader.get("/r/toy/").content.decode()) == set()
    assert marked(author.get("/r/toy/").content.decode()) == {cell}
    sharing.share(room.author, backport=version.backport)
    for path in ("/r/toy/", "/r/toy/progress/?newest=500&oldest=500&since=1"):
        page = reader.get(path).content.decode()
        assert marked(page) == {cell}
        assert page.count(", a result made elsewhere is offered</span>") == 1
    assert marked(Client().get("/r/toy/").content.decode()) == set()
    sharing.withdraw(room.author, backport=version.backport, because="It was made on the wrong branch.")
    assert marked(reader.get("/r/toy/").content.decode()) == set()


def test_no_cell_is_marked_where_a_file_differs(room: Room) -> None:
    sharing.share(room.author, backport=room.upload(push="", on="4.1").backport)
    assert marked(factories.log_in(Client(), room.reviewer).get("/r/toy/").content.decode()) == set()
