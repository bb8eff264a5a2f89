"""What an organisation keeps of its own: git repositories and source packages, and who sees them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from backports.engine.errors import EngineError
from backports.git import packages
from backports.git.errors import GitError
from backports.models import Repository
from backports.services import own_repositories
from backports.services.addresses import shown
from backports.services.errors import NotDone
from xsa.models import Organisation
from xsa.permissions import can_keep_repositories, demand
from xsa.visibility import visible_to

from .actor import actor
from .downloads import safe_name
from .held import holding_files
from .lookup import DEFAULT
from .people import visible_organisations
from .seen import note
from .upload_forms import Files, FilesField

NAME = "Letters, digits and '-'; your organisation's name is put before it."
SERIES = (".tar.gz", ".tar.xz", ".tar.bz2", ".tar", ".tgz")


class Kept(forms.Form):
    """What every way of keeping asks for."""

    name = forms.CharField(max_length=30, help_text=NAME)
    project = forms.ChoiceField(help_text="Whose fixes are for it.")
    visibility = forms.ChoiceField(
        label="Who sees it",
        choices=[("organisation", "your organisation alone"), ("room", "every listed organisation")],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Repository.objects.filter(organisation=None).order_by("project").values_list("project", flat=True)
        names = sorted({*rows, DEFAULT}, key=lambda name: (name != DEFAULT, name))
        self.fields["project"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


class NewRepository(Kept):
    """A git repository to mirror."""

    url = forms.CharField(label="Address", max_length=500, help_text="https:// or git://, without a password.")
    heads = forms.CharField(
        label="Branches to follow",
        required=False,
        max_length=2_000,
        help_text="By a blank between them; without any, all with a version in their name.",
    )
    field_order = ("name", "url", "heads")


class NewPackage(Kept):
    """A source package: a .dsc with the files that it names, or a tarball and its quilt series."""

    files_of_it = FilesField(
        label="Files",
        widget=Files(attrs={"multiple": True}),
        help_text="A .dsc with all files that it names; or a tarball, the larger, and a tar of its patches.",
    )
    version = forms.CharField(
        required=False, max_length=100, help_text="Where there is no .dsc to say it: such as 4.14.6-1."
    )
    field_order = ("name", "files_of_it", "version")


@require_http_methods(["GET", "HEAD", "POST"])
@holding_files
def repositories(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An organisation's repositories with their branches; its admins add to them and say who sees them."""
    organisation = get_object_or_404(visible_organisations(request), pk=pk)
    if request.method != "POST":
        return _page(request, organisation)
    demand(can_keep_repositories(request.user, organisation))
    steps = {"add": _add, "package": _package, "show": _show}
    if (step := steps.get(request.POST.get("step", ""))) is None:
        raise BadRequest("No such step.")
    return step(request, organisation)


def _page(
    request: HttpRequest, organisation: Organisation, new: forms.Form | None = None, package: forms.Form | None = None
) -> HttpResponse:
    rows = visible_to(request.user, Repository.objects.filter(organisation=organisation)).prefetch_related("branches")
    note(request, secret=bool(rows))
    context = {
        "organisation": organisation,
        "rows": [(row, shown(row), [one for one in row.branches.all() if not one.gone]) for row in rows],
        "may": can_keep_repositories(request.user, organisation),
        "new": new or NewRepository(auto_id="new-%s"),
        "package": package or NewPackage(auto_id="package-%s"),
    }
    return render(request, "organisations/repositories.html", context)


def _add(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = NewRepository(request.POST, auto_id="new-%s")
    if form.is_valid():
        values = form.cleaned_data | {"heads": form.cleaned_data["heads"].split()}
        try:
            row = own_repositories.add(actor(request), organisation=organisation, **values)
        except NotDone as error:
            _say(form, error)
        else:
            messages.success(request, f"{row.name} is fetched now; its branches appear here, and in the matrix.")
            return redirect("own_repositories", organisation.pk)
    return _page(request, organisation, new=form)


def _say(form: forms.Form, error: NotDone) -> None:
    form.add_error(error.field if error.field in form.fields else None, str(error))


def _package(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    form = NewPackage(request.POST, request.FILES, auto_id="package-%s")
    if form.is_valid():
        try:
            row = _taken(request, organisation, form.cleaned_data)
        except NotDone as error:
            _say(form, error)
        except (GitError, EngineError) as error:
            form.add_error("files_of_it", error.sentence)
        else:
            messages.success(request, f"The package is a branch of {row.name} now.")
            return redirect("own_repositories", organisation.pk)
    return _page(request, organisation, package=form)


def _taken(request: HttpRequest, organisation: Organisation, values: dict[str, Any]) -> Repository:
    """The package as a branch. Raises NotDone, GitError, EngineError."""
    with _on_disk(values["files_of_it"]) as files:
        package = _read(files, values["name"], values["version"])
        return own_repositories.add_package(
            actor(request),
            organisation=organisation,
            name=values["name"],
            package=package,
            visibility=values["visibility"],
            project=values["project"],
        )


@contextmanager
def _on_disk(files: Sequence[Any]) -> Iterator[dict[str, Path]]:
    """The files in a folder of their own that nobody else reads, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for one in files:
            name = safe_name(one.name)
            paths[name] = Path(folder) / name
            paths[name].write_bytes(one.read())
        yield paths


def _read(files: dict[str, Path], name: str, version: str) -> packages.Package:
    """What the files are. Raises NotDone, GitError, EngineError."""
    if any(one.endswith(".dsc") for one in files):
        return packages.from_dsc(files)
    tars = sorted((one for one in files if one.endswith(SERIES)), key=lambda one: -files[one].stat().st_size)
    if not tars or len(tars) != len(files) or len(tars) > 2:
        raise NotDone("bad-package", "Send a .dsc with its files, or a tarball and one tar of patches.", "files_of_it")
    series = (tars[1], files[tars[1]].read_bytes()) if len(tars) > 1 else None
    return packages.from_tarball(name, version, files[tars[0]], series)


def _show(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    rows = visible_to(request.user, Repository.objects.filter(organisation=organisation))
    row = next((one for one in rows if str(one.pk) == request.POST.get("repository")), None)
    if row is None:
        raise Http404
    try:
        own_repositories.show_to(actor(request), repository=row, visibility=request.POST.get("visibility", ""))
    except NotDone as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{row.name} is shown to {'the room' if row.visibility == 'room' else 'you alone'}.")
    return redirect("own_repositories", organisation.pk)
