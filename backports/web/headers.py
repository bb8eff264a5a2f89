"""What every answer says to browsers and proxies, and how forms work where no page tells where it comes from."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POWERS = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
# Passkeys alone are used, and by these pages alone.
OWN_POWERS = ("publickey-credentials-create", "publickey-credentials-get")
FIXED = {
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [*(f"{name}=()" for name in POWERS), *(f"{name}=(self)" for name in OWN_POWERS)],
    ),
}


class EveryAnswer:
    """Outermost: static files, redirects and errors carry these headers too.

    What no cache may keep no proxy may change either: compressing a secret beside text of somebody else's choice
    would tell its length.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in FIXED.items():
            response.setdefault(name, value)
        if "no-store" in response.get("Cache-Control", ""):
            response["Cache-Control"] = "no-store, no-transform"
        return response


class OwnForms:
    """Tells forms of our own pages from others', for the check against forgery that comes next.

    No page of ours says where it comes from (`Referrer-Policy: no-referrer`), so a browser sends its forms with
    `Origin: null`. It also sends `Sec-Fetch-Site`, which no page can set or change: `same-origin` says that the form
    stood on a page of ours. The form's token is asked for all the same.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        from_here = request.headers.get("Sec-Fetch-Site") == "same-origin"
        if from_here and request.META.get("HTTP_ORIGIN") == "null":
            request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"
        return self.get_response(request)
