"""What is done about advisories; one module per noun."""

from .attempt import Attempt
from .backport import Backport, BackportVersion, VersionPatch
from .compilation import Compilation
from .event import Event
from .heartbeat import Heartbeat
from .repository import Branch, Repository
from .request import DoneRequest, RateWindow
from .resolution import Resolution
from .upload import Upload
from .upstream import UpstreamFix

__all__ = [
    "Attempt",
    "Backport",
    "BackportVersion",
    "Branch",
    "Compilation",
    "DoneRequest",
    "Event",
    "Heartbeat",
    "RateWindow",
    "Repository",
    "Resolution",
    "Upload",
    "UpstreamFix",
    "VersionPatch",
]
