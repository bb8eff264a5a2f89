"""What is done about advisories; one module per noun."""

from .attempt import Attempt
from .backport import Backport, BackportVersion, VersionPatch
from .check import Check, RequiredCheck
from .claim import Claim
from .comment import Comment, CommentPlace
from .compilation import Compilation
from .event import Event
from .heartbeat import Heartbeat
from .inbound import InboundMail
from .look import Look
from .outbox import OutboxMail, OutboxText
from .repository import Branch, Repository
from .request import DoneRequest, RateWindow
from .resolution import Resolution
from .review import Quorum, Review, ReviewDraft
from .subscription import Subscription
from .upload import Upload
from .upstream import UpstreamFix
from .webhook import Webhook

__all__ = [
    "Attempt",
    "Backport",
    "BackportVersion",
    "Branch",
    "Check",
    "Claim",
    "Comment",
    "CommentPlace",
    "Compilation",
    "DoneRequest",
    "Event",
    "Heartbeat",
    "InboundMail",
    "Look",
    "OutboxMail",
    "OutboxText",
    "Quorum",
    "RateWindow",
    "Repository",
    "RequiredCheck",
    "Resolution",
    "Review",
    "ReviewDraft",
    "Subscription",
    "Upload",
    "UpstreamFix",
    "VersionPatch",
    "Webhook",
]
