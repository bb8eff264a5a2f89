"""What is done about advisories; one module per noun."""

from .attempt import Attempt
from .backport import Backport, BackportVersion, VersionPatch
from .comment import Comment, CommentPlace
from .compilation import Compilation
from .event import Event
from .heartbeat import Heartbeat
from .repository import Branch, Repository
from .request import DoneRequest, RateWindow
from .resolution import Resolution
from .review import Quorum, Review, ReviewDraft
from .upload import Upload
from .upstream import UpstreamFix

__all__ = [
    "Attempt",
    "Backport",
    "BackportVersion",
    "Branch",
    "Comment",
    "CommentPlace",
    "Compilation",
    "DoneRequest",
    "Event",
    "Heartbeat",
    "Quorum",
    "RateWindow",
    "Repository",
    "Resolution",
    "Review",
    "ReviewDraft",
    "Upload",
    "UpstreamFix",
    "VersionPatch",
]
