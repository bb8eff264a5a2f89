"""Series to take away, each applied again from its own bytes first: a version's, and all that a branch lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.http import Http404, HttpResponse
from django.urls import URLPattern, path
from rest_framework.request import Request

from backports.git.errors import GitError
from backports.services.lacking import lacked_on
from backports.services.taking import SUFFIXES, Taken, can_give, take
from backports.services.taking_all import take_all
from backports.web import missing_files
from backports.web.missing_files import delivered, notes_of, shown_of
from xsa.models import Advisory

from .attempts import attempts
from .backports import backports
from .base import Endpoint, Operation
from .branches import branches
from .problems import Problem
from .reviews import reviews
from .versions import secrets_of, versions

TEXT = {"GET": Operation(media="text/plain", problems=(409,))}
TAR = {"GET": Operation(media="application/x-tar", problems=(409,))}
JSON = {"GET": Operation(problems=(409,))}


class Series(Endpoint):
    """A series as one file."""

    operations = TEXT
    kind: ClassVar[str] = ""
    manifest: ClassVar[bool] = False

    def get(self, request: Request, **kwargs: object) -> HttpResponse:  # noqa: ARG002
        self.asked()
        try:
            taken, secrets = self.taken(**kwargs)
        except GitError as error:
            raise Problem(409, error.code, error.sentence) from error
        if taken is None:
            raise Http404
        return delivered(taken, self.kind, secrets, manifest=self.manifest)

    def taken(self, **kwargs: object) -> tuple[Taken | None, list[Advisory]]:
        """The file and the embargoed advisories whose content is in it. Raises Http404, GitError."""
        raise NotImplementedError


class VersionSeries(Series):
    """A version's series as one file, made from its result; what is embargoed stands at its top."""

    def taken(self, **kwargs: object) -> tuple[Taken | None, list[Advisory]]:
        related = ("backport__branch__repository", "backport__organisation")
        version = self.find(versions(self.request.user).select_related(*related), pk=kwargs["pk"])
        backport = version.backport
        self.note([backport.advisory, *backport.prerequisites], version)
        if not can_give(version, self.kind):
            return None, []
        secrets = secrets_of(backport)
        notes = [note for told in notes_of(secrets).values() for note in told]
        return take(version, self.kind, notes, reviews(self.request.user).filter(version__backport=backport)), secrets


class BranchSeries(Series):
    """All that applies of what a branch lacks, in order, each on top of those before."""

    def taken(self, **kwargs: object) -> tuple[Taken | None, list[Advisory]]:
        branch = self.find(branches(self.request.user), pk=kwargs["pk"])
        user = self.request.user
        lacked = lacked_on(branch, attempts=attempts(user), backports=backports(user), reviews=reviews(user))
        self.note(shown_of(lacked), branch)
        secrets = missing_files.secrets_of(lacked)
        return take_all(branch, lacked, self.kind, notes_of(secrets)), secrets


def addresses(base: type[Series], stem: str, name: str) -> Iterator[URLPattern]:
    """An address of each kind of file, and of its manifest: `missing.mbox`, `missing.mbox.json`."""
    for kind, suffix in SUFFIXES.items():
        for manifest in (False, True):
            operations = JSON if manifest else TAR if kind == "quilt" else TEXT
            told = f"What goes with that file: hashes, base, verdicts, reviews. {base.__doc__}"
            view: type[Series] = type(
                f"{base.__name__}{kind.title()}{'Manifest' if manifest else ''}",
                (base,),
                {
                    "kind": kind,
                    "manifest": manifest,
                    "operations": operations,
                    "__doc__": told if manifest else base.__doc__,
                },
            )
            json = ".json" if manifest else ""
            yield path(f"{stem}{suffix}{json}", view.as_view(), name=f"{name}_{kind}{'_manifest' if manifest else ''}")
