"""Who there is, what is secret, and who may see it; one module per noun."""

from .account import Invitation, PasswordReset, Session
from .advisory import Advisory, AdvisoryVersion, Announcement, Fix, FixPatch, PatchFile
from .audit import AuditRecord
from .disclosure import DisclosureRequest, PlannedDate
from .key import PgpKey
from .people import Admission, Membership, Organisation, User
from .statement import Statement
from .token import ApiToken

__all__ = [
    "Admission",
    "Advisory",
    "AdvisoryVersion",
    "Announcement",
    "ApiToken",
    "AuditRecord",
    "DisclosureRequest",
    "Fix",
    "FixPatch",
    "Invitation",
    "Membership",
    "Organisation",
    "PasswordReset",
    "PatchFile",
    "PgpKey",
    "PlannedDate",
    "Session",
    "Statement",
    "User",
]
