"""Files that are sent: held in memory, never on a disk that others read, and no more of them than fits."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from backports.engine.intake import MAX_UPLOAD

View = Callable[..., HttpResponse]
TOO_LARGE = f"That is more than {MAX_UPLOAD // (1024 * 1024)} MB. Send the patches alone, without a source tree."
PASTED_TOO_LARGE = "That is too long to paste. Send it as a file."


class HeldInMemory(FileUploadHandler):
    """Keeps files' bytes; `too_large` when all together were more than the limit, and then none is left of the last."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.held = io.BytesIO()
        self.left = MAX_UPLOAD
        self.too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.held = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002
        self.left -= len(raw_data)
        if self.left < 0:
            self.too_large = True
            raise StopUpload(connection_reset=False)
        self.held.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile | None:
        if self.too_large:
            return None
        self.held.seek(0)
        return InMemoryUploadedFile(
            self.held, self.field_name, self.file_name or "", self.content_type or "", file_size, self.charset
        )


def holding_files(view: View) -> View:
    """For a page with a form that takes files. The check against forgery reads the form, so it comes after the handler
    is in place; and here is said what was too long.
    """

    @wraps(view)
    def fitting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST is not None and any(one.too_large for one in _handlers(request)):
            return _too_large(request, TOO_LARGE)
        return view(request, *args, **kwargs)

    checked = csrf_protect(fitting)

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.upload_handlers = [HeldInMemory(request)]
        try:
            return checked(request, *args, **kwargs)
        except RequestDataTooBig:
            return _too_large(request, PASTED_TOO_LARGE)

    return answer


def _handlers(request: HttpRequest) -> list[HeldInMemory]:
    return [one for one in request.upload_handlers if isinstance(one, HeldInMemory)]


def _too_large(request: HttpRequest, sentence: str) -> HttpResponse:
    return render(request, "413.html", {"reason": sentence}, status=413)
