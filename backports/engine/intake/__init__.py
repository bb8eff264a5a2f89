"""What somebody sends as a fix, read into ordered patches: bytes and a file's name in, frozen values out.

Nothing is written anywhere, and nothing of an archive is unpacked but into memory, within limits.
"""

from .arrived import Arrived, Intake, Kind, Note, Refused
from .reading import MAX_UPLOAD, read

__all__ = ["MAX_UPLOAD", "Arrived", "Intake", "Kind", "Note", "Refused", "read"]
