"""The page of what an organisation keeps of its own: added, taken in, shown; and who may."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from backports.models import Branch, Repository
from backports.services import repositories
from tests import factories
from tests.backports.conftest import Workshop, git_root, toy, toy_original, unsent, workshop
from tests.backports.test_own_repositories import patch_of
from tests.backports.toy import queue, table
from xsa.models import Membership, Organisation

__all__ = ["git_root", "toy", "toy_original", "unsent", "workshop"]


@pytest.fixture
def organisation(db: None) -> Organisation:
    user = factories.person("one", listed=True)
    Membership.objects.filter(user=user).update(role="admin")
    return Organisation.objects.get(memberships__user=user)


@pytest.fixture
def admin(organisation: Organisation) -> Client:
    return factories.log_in(Client(), organisation.memberships.get().user)


@pytest.fixture
def team(db: None) -> Client:
    return factories.log_in(Client(), factories.person("team", security_team=True))


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be sent to a worker."""
    sent: list[str] = []
    monkeypatch.setattr(repositories.refresh_repository, "delay", sent.append)
    return sent


def ask(client: Client, organisation: Organisation, step: str, **form: Any) -> Any:
    values = {"step": step, "project": "toy", "visibility": "organisation", "name": "ours"} | form
    return client.post(f"/organisations/{organisation.pk}/repositories/", values, follow=True)


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def package(workshop: Workshop) -> list[SimpleUploadedFile]:
    """A source as a tarball, and its quilt series."""
    notes = b"".join(b"%d of many notes\n" % at for at in range(9_000))
    files = {"common/table.c": table().encode(), "common/queue.c": queue().encode(), "docs/notes.txt": notes}
    source = packed({f"toy-4.1.3/{name}": data for name, data in files.items()})
    series = packed({"patches/series": b"one.patch\n", "patches/one.patch": patch_of(workshop)})
    return [SimpleUploadedFile("toy_4.1.3.orig.tar.gz", source), SimpleUploadedFile("patches.tar.gz", series)]


def test_a_repository_is_added(
    workshop: Workshop,
    admin: Client,
    organisation: Organisation,
    later: list[str],
    tmp_path: Path,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.ORGANISATION_GIT = str(tmp_path / "from-members")
    folder = tmp_path / "from-members" / str(organisation.pk)
    folder.mkdir(parents=True)
    workshop.toy.path.rename(folder / "toy.git")
    with django_capture_on_commit_callbacks(execute=True):
        page = ask(admin, organisation, "add", url="toy.git", heads="stable-4.1 stable-4.2").content.decode()
    row = Repository.objects.get(organisation=organisation)
    assert (row.heads, row.project, later) == (["stable-4.1", "stable-4.2"], "toy", [str(row.pk)])
    assert "example-one_ours is fetched now" in page
    assert "none yet" in page
    assert "toy.git" in page and str(tmp_path) not in page


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"url": "/etc"}, "Give an https:// or git:// address."),
        ({"url": "https://127.0.0.1/x.git"}, "That machine is not on the public network."),
        ({"url": "https://me:secret@git.example.org/x.git"}, "without a name or password"),
        ({"url": "https://git.example.org:99999/x"}, "The host or the port of the address cannot be read"),
        ({"url": "https://[::1/x"}, "The host or the port of the address cannot be read"),
        ({"url": "a\0b"}, "Null characters are not allowed."),
        ({"url": ""}, "This field is required."),
        ({"url": "https://127.0.0.1/x.git", "project": "none"}, "Select a valid choice."),
    ],
)
def test_a_bad_address_is_told(
    workshop: Workshop, admin: Client, organisation: Organisation, form: dict[str, str], told: str
) -> None:
    assert told in ask(admin, organisation, "add", **form).content.decode()
    assert not Repository.objects.filter(organisation=organisation).exists()


def test_a_package_becomes_a_branch(
    workshop: Workshop, admin: Client, organisation: Organisation, later: list[str]
) -> None:
    page = ask(admin, organisation, "package", files_of_it=package(workshop), version="4.1.3-1").content.decode()
    assert "The package is a branch of example-one_ours now." in page
    branch = Branch.objects.get(repository__organisation=organisation)
    assert branch.name == "4.1"
    assert f"/r/example-one_ours/branches/{branch.name}/" in page
    assert "Nothing was tried here yet." in admin.get("/r/example-one_ours/branches/4.1/").content.decode()


@pytest.mark.parametrize("name", ["notes.txt", "toy.tar.gz", "toy.dsc"])
def test_a_bad_package_is_told(admin: Client, organisation: Organisation, name: str) -> None:
    files = [SimpleUploadedFile(name, b"these are only words")]
    page = ask(admin, organisation, "package", files_of_it=files, version="4.1.3").content.decode()
    assert 'class="error"' in page
    assert not Repository.objects.filter(organisation=organisation).exists()


def test_it_is_shown_to_the_room_and_back(admin: Client, organisation: Organisation) -> None:
    row = factories.repository("example-one_ours", organisation=organisation)
    other = factories.log_in(Client(), factories.person("two", listed=True))
    assert other.get("/r/example-one_ours/").status_code == 404
    page = ask(admin, organisation, "show", repository=str(row.pk), visibility="room").content.decode()
    assert "is shown to the room" in page
    assert other.get("/r/example-one_ours/").status_code == 200
    ask(admin, organisation, "show", repository=str(row.pk), visibility="organisation")
    assert other.get("/r/example-one_ours/").status_code == 404
    ask(admin, organisation, "show", repository=str(row.pk), visibility="everybody")
    assert Repository.objects.get().visibility == "organisation"


def test_who_is_no_admin_is_told_and_others_find_nothing(admin: Client, organisation: Organisation) -> None:
    address = f"/organisations/{organisation.pk}/repositories/"
    Membership.objects.filter(organisation=organisation).update(role="member")
    reason = "Only admins of the organisation say what of its own is kept here."
    assert reason in admin.get(address).content.decode()
    assert ask(admin, organisation, "add").status_code == 403
    other = factories.log_in(Client(), factories.person("two", listed=True))
    assert other.get(address).status_code == 404
    assert ask(other, organisation, "add").status_code == 404


def test_own_branches_stand_beside_upstreams_for_those_who_may_see_them(
    workshop: Workshop, admin: Client, organisation: Organisation, later: list[str]
) -> None:
    ask(admin, organisation, "package", files_of_it=package(workshop), version="4.1.3-1")
    branch = Branch.objects.get(repository__organisation=organisation)
    workshop.take(500, {"xsa500.patch": patch_of(workshop)})
    workshop.work()
    tried = branch.attempts.get(current=True)
    assert tried.state == "done"
    other = factories.log_in(Client(), factories.person("two", listed=True))
    addresses = ("/r/toy/", "/r/toy/progress/?newest=500&oldest=500&since=0")
    for address in addresses:
        page = admin.get(address).content.decode()
        assert f'id="c500-{branch.pk.hex}"' in page and 'id="c500-401"' in page
        assert f"/attempts/{tried.pk}/" in page
        page = other.get(address).content.decode()
        assert branch.pk.hex not in page and "example-one" not in page and 'id="c500-401"' in page
    assert "/r/example-one_ours/branches/4.1/" in admin.get("/r/toy/").content.decode()
    ask(admin, organisation, "show", repository=str(branch.repository_id), visibility="room")
    assert branch.pk.hex in other.get("/r/toy/").content.decode()
    assert branch.pk.hex not in Client().get("/r/toy/").content.decode()


def test_the_matrix_is_narrowed_to_what_ones_own_branch_lacks(
    organisation: Organisation, admin: Client, team: Client
) -> None:
    xen = factories.repository("xen")
    upstream = factories.branch(xen, "4.11")
    own = factories.branch(factories.repository("example-one_ours", organisation=organisation, project="xen"), "4.11")
    first, second = factories.advisory(301), factories.advisory(302)
    for row, there, here in ((first, "conflict", "fixed-upstream"), (second, "fixed-upstream", "conflict")):
        factories.attempt(row, upstream, there)
        factories.attempt(row, own, here)
    assert shown(admin, "missing=4.11") == shown(team, "missing=4.11") == [301]
    assert shown(admin, "missing=example-one_ours:4.11") == [302]
    assert shown(admin, "outcome=conflict") == [302, 301]
    group = '<optgroup label="example-one_ours"><option value="example-one_ours:4.11">4.11</option></optgroup>'
    assert group in _unspaced(admin.get("/").content.decode())
    # Nobody else has that choice; asking for it is as asking for what was never there.
    assert shown(team, "missing=example-one_ours:4.11") == shown(team, "missing=nothing:4.11") == [302, 301]
    assert shown(team, "outcome=conflict") == [301]
    assert page(team, "example-one_ours:4.11") == page(team, "nothing:4.11")


def page(client: Client, missing: str) -> str:
    """The page without what was asked for, which it tells back, and the form's own token."""
    found = client.get(f"/?missing={missing}").content.decode().replace(missing, "")
    return re.sub(r'value="\w{64}"', "", found)


def shown(client: Client, query: str) -> list[int]:
    return [row.advisory.number for row in client.get(f"/?{query}").context["rows"]]


def _unspaced(page: str) -> str:
    return re.sub(r">\s+<", "><", page)
