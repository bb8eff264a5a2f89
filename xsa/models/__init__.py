"""Who there is, what is secret, and who may see it; one module per noun."""

from .advisory import Advisory, AdvisoryVersion, Announcement, Fix, FixPatch, PatchFile
from .disclosure import DisclosureRequest, PlannedDate
from .people import Admission, Membership, Organisation, User
from .statement import Statement

__all__ = [
    "Admission",
    "Advisory",
    "AdvisoryVersion",
    "Announcement",
    "DisclosureRequest",
    "Fix",
    "FixPatch",
    "Membership",
    "Organisation",
    "PatchFile",
    "PlannedDate",
    "Statement",
    "User",
]
