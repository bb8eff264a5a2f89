"""Forms by which patches come in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F, QuerySet
from django.http import HttpRequest

from backports.export.mbox import as_bundle
from backports.models import Branch
from backports.services.planning import FIRST_RANK
from backports.services.sources import STAGING_RANK
from xsa.models import Advisory, Organisation
from xsa.visibility import Reader, own_organisations, visible_advisories, visible_to

PASTED = "pasted.patch"
SEVERAL = "files.tar"


class Files(forms.ClearableFileInput):
    """Takes several files; browsers take what is dropped on it too."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[UploadedFile[Any]]:  # noqa: ARG002
        """All of them."""
        return list(files.getlist(name)) if hasattr(files, "getlist") else []


class FilesField(forms.FileField):
    """Any number of files."""

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """Each of them, checked."""
        return [super(FilesField, self).clean(one, initial) for one in data or ()]


class SendForm(forms.Form):
    """Files, or text that was pasted; and for which of one's organisations."""

    patches = FilesField(
        label="Files: drop them here, or choose them",
        required=False,
        allow_empty_file=True,
        widget=Files(attrs={"multiple": True}),
        help_text="A patch, an mbox, a tar of patches, a quilt series or a .debian.tar. Several files are one series.",
    )
    text = forms.CharField(
        label="Or paste a patch",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="Where carriage returns matter, send the file: browsers change them in what is pasted.",
    )
    organisation = forms.ModelChoiceField(Organisation.objects.none(), label="In the name of", empty_label=None)

    def __init__(self, data: Any = None, files: Any = None, *, reader: Reader) -> None:
        super().__init__(data, files, auto_id="send-%s")
        self.fields["organisation"].queryset = speaking_for(reader)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """There is something in it. Raises ValidationError."""
        found = super().clean() or {}
        if not found.get("patches") and not found.get("text", "").strip() and not self.errors:
            raise forms.ValidationError("Choose a file, or paste a patch.")
        return found

    @property
    def sent(self) -> tuple[str, bytes]:
        """Name and bytes of what was sent; several files become one tar in the order of their names."""
        files = self.cleaned_data["patches"]
        if len(files) == 1:
            return files[0].name, files[0].read()
        if files:
            named = sorted((one.name, one.read()) for one in files)
            return SEVERAL, as_bundle(named)
        return PASTED, self.cleaned_data["text"].replace("\r\n", "\n").encode("utf-8", "surrogatepass")


def speaking_for(reader: Reader) -> QuerySet[Organisation]:
    """The organisations in whose name a person uploads."""
    return Organisation.objects.filter(pk__in=own_organisations(reader)).order_by("name")


class BranchField(forms.ModelChoiceField):  # type: ignore[type-arg]  # has none when it runs
    """Branches with their repository's name."""

    def label_from_instance(self, obj: Branch) -> str:
        """`xen 4.8`."""
        return f"{obj.repository.name} {obj.name}"


class ConfirmForm(forms.Form):
    """What an upload is for. Only what the reader sees can be chosen; the rest does not exist."""

    advisory = forms.ModelChoiceField(
        Advisory.objects.none(),
        to_field_name="number",
        label="Advisory",
        widget=forms.NumberInput(attrs={"min": 0}),
        error_messages={"invalid_choice": "There is no such advisory.", "required": "Say which advisory it is for."},
        help_text="Its number.",
    )
    branch = BranchField(
        Branch.objects.none(),
        label="Branch",
        empty_label="Choose one",
        error_messages={"invalid_choice": "There is no such branch.", "required": "Say which branch it is for."},
    )
    note = forms.CharField(
        label="Note for those who read it",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Any = None, *, request: HttpRequest, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="for-%s")
        self.fields["advisory"].queryset = visible_advisories(request.user)  # type: ignore[attr-defined]
        self.fields["branch"].queryset = branches_of(request.user)  # type: ignore[attr-defined]


def branches_of(reader: Reader) -> QuerySet[Branch]:
    """Branches that fixes are tried on, upstream's first, newest first."""
    rows = Branch.objects.filter(gone=False, history_only=False, rank__gte=FIRST_RANK, rank__lt=STAGING_RANK)
    order = (F("repository__organisation").asc(nulls_first=True), "repository__name", "-rank")
    return visible_to(reader, rows.select_related("repository")).order_by(*order)
