"""Who there is, what is secret, and who may see it; one module per noun."""

from .advisory import Advisory, AdvisoryVersion, Announcement, Fix, FixPatch, PatchFile
from .people import Admission, Membership, Organisation, User

__all__ = [
    "Admission",
    "Advisory",
    "AdvisoryVersion",
    "Announcement",
    "Fix",
    "FixPatch",
    "Membership",
    "Organisation",
    "PatchFile",
    "User",
]
