"""What is done about advisories; one module per noun."""

from .attempt import Attempt
from .backport import Backport, BackportVersion, VersionPatch
from .compilation import Compilation
from .heartbeat import Heartbeat
from .repository import Branch, Repository
from .resolution import Resolution
from .upload import Upload
from .upstream import UpstreamFix

__all__ = [
    "Attempt",
    "Backport",
    "BackportVersion",
    "Branch",
    "Compilation",
    "Heartbeat",
    "Repository",
    "Resolution",
    "Upload",
    "UpstreamFix",
    "VersionPatch",
]
