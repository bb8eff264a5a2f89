"""What is done about advisories; one module per noun."""

from .attempt import Attempt
from .compilation import Compilation
from .heartbeat import Heartbeat
from .repository import Branch, Repository
from .resolution import Resolution
from .upstream import UpstreamFix

__all__ = ["Attempt", "Branch", "Compilation", "Heartbeat", "Repository", "Resolution", "UpstreamFix"]
