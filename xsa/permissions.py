"""Who may do what: `can_<verb>(user, thing)` answers `Allowed` or `Denied` with the reason as people read it.

The one place beside the read rule (`xsa.visibility`) that knows roles. Ask only about what the person may see; what
they may not see does not exist for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from .belonging import memberships
from .identity import is_cleared
from .models import Advisory, ApiToken, DisclosureRequest, Membership, Organisation
from .models.disclosure import REQUEST_LASTS
from .visibility import Reader, in_room, in_security_team, speaking_for


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes; true in a condition."""

    reason: str = ""

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True, slots=True)
class Denied:
    """No; false in a condition. `reason` is a sentence for the person who asked."""

    reason: str

    def __bool__(self) -> Literal[False]:
        return False


Answer = Allowed | Denied
YES = Allowed()


def demand(answer: Answer) -> None:
    """Go on only when allowed. Raises PermissionDenied, which is answered with 403 and the reason."""
    if not answer:
        raise PermissionDenied(answer.reason)


def _team_only(user: Reader, reason: str) -> Answer:
    return YES if in_security_team(user) else Denied(reason)


def can_fetch_repository(user: Reader) -> Answer:
    """Fetch a mirror before its time."""
    return _team_only(user, "Only the security team may fetch on demand; every repository is fetched on schedule too.")


def can_see_source_addresses(user: Reader) -> Answer:
    """Read where mirrors are fetched from, which may be a path or a host inside."""
    return _team_only(user, "Addresses that repositories are fetched from are for the security team.")


def can_read_unplaced_files(user: Reader) -> Answer:
    """Read files that nobody could tell the advisory of."""
    return _team_only(user, "Files that could not be read are for the security team.")


def can_see_worker_names(user: Reader) -> Answer:
    """Read which machines work."""
    return _team_only(user, "The names of workers are for the security team.")


def can_announce(user: Reader) -> Answer:
    """Tell the public a number and a planned date."""
    return _team_only(user, "Only the security team announces advisories.")


def can_read_rehearsal(user: Reader) -> Answer:
    """Read what a disclosure would open, or opened, and who decided it."""
    return _team_only(user, "Only the security team plans and makes disclosures.")


def can_plan_disclosure(user: Reader, advisory: Advisory) -> Answer:
    """Set or confirm the planned date of an embargoed advisory, and ask for its disclosure."""
    answer = can_read_rehearsal(user)
    return _while_embargoed(advisory) if answer else answer


def can_move_plan(user: Reader, advisory: Advisory, at: datetime, *, now: datetime) -> Answer:
    """Set the planned date to `at`. One person alone brings nothing forward: that would open it before its time."""
    answer = can_plan_disclosure(user, advisory)
    if not answer:
        return answer
    before = advisory.planned_disclosure_at
    if before is not None and at < before:
        return Denied(
            "One person cannot bring the date forward. Ask for disclosure, and another person of the security team "
            "confirms; or take in the advisory's next version with its date."
        )
    if before is None and at < now + REQUEST_LASTS:
        return Denied("A first date must be at least 24 hours ahead, so that others of the security team can see it.")
    return YES


def _while_embargoed(advisory: Advisory) -> Answer:
    if advisory.embargoed:
        return YES
    return Denied(f"XSA-{advisory.number} is disclosed. What is public stays public: it cannot go back under embargo.")


def can_disclose(
    user: Reader, advisory: Advisory, *, planned: datetime | None, now: datetime, already_public: bool
) -> Answer:
    """Open an advisory alone: at or after the time that is planned for it (`planned`), or what is public already."""
    answer = can_plan_disclosure(user, advisory)
    if not answer or already_public or (planned is not None and planned <= now):
        return answer
    return Denied(
        "Before its planned time a disclosure needs two people of the security team: ask, and another confirms."
    )


def can_confirm_disclosure(user: Reader, request: DisclosureRequest, *, now: datetime) -> Answer:
    """Be the second person who opens an advisory before its time."""
    answer = can_plan_disclosure(user, request.advisory)
    if not answer:
        return answer
    if not request.is_open(now):
        return Denied("This request is closed or too old. Ask anew.")
    if request.asked_by_id == user.pk:
        return Denied("You asked for it yourself; another person of the security team must confirm.")
    team = Membership.objects.filter(organisation__security_team=True, user__is_active=True)
    if not team.filter(user=request.asked_by_id).exists():
        return Denied("Whoever asked has left the security team since. Ask anew.")
    return YES


def _is_admin(user: Reader, organisation: Organisation) -> bool:
    rows = memberships(user.pk)
    return any(one.role == Membership.Role.ADMIN and one.organisation_id == organisation.pk for one in rows)


def can_administer(user: Reader, organisation: Organisation) -> Answer:
    """Run an organisation: its admins, and the security team."""
    if in_security_team(user):
        return YES
    if user.is_authenticated and is_cleared(user) and _is_admin(user, organisation):
        return YES
    return Denied("Only admins of the organisation and the security team may do this.")


def can_keep_keys(user: Reader, organisation: Organisation) -> Answer:
    """Pin and end an organisation's OpenPGP keys: its own admins alone, since mail to it is encrypted to them."""
    if user.is_authenticated and is_cleared(user) and _is_admin(user, organisation):
        return YES
    return Denied("Only admins of the organisation itself keep its OpenPGP keys.")


def can_keep_own(user: Reader) -> Answer:
    """Pin one's own OpenPGP key, and say when one's own digests come."""
    return YES if user.is_authenticated and is_cleared(user) else Denied(SECOND_FACTOR)


def can_read_outbox(user: Reader) -> Answer:
    """Read to whom mail went, when, and what became of it; what it says is for its reader alone."""
    if not user.is_authenticated or not is_cleared(user):
        return Denied(SECOND_FACTOR)
    return YES


def can_list_organisations(user: Reader) -> Answer:
    """Add organisations, put them on the predisclosure list and take them off, and read of all of them."""
    return _team_only(user, "Only the security team keeps the list of organisations.")


def can_admit(user: Reader, membership: Membership) -> Answer:
    """Let a member into an advisory's room, or out of it."""
    if not membership.organisation.listed:
        return Denied("The organisation is not on the predisclosure list.")
    return can_administer(user, membership.organisation)


def can_read_statements(user: Reader, advisory: Advisory) -> Answer:
    """Read what organisations say of an advisory, also after its disclosure."""
    return YES if in_room(user, advisory) else Denied("Statements are for members who share the advisory's room.")


def can_state(user: Reader, organisation: Organisation, advisory: Advisory) -> Answer:
    """Say how far an organisation is with an advisory."""
    answer = can_read_statements(user, advisory)
    if not answer:
        return answer
    if not organisation.listed:
        return Denied("The organisation is not on the predisclosure list.")
    if organisation not in [one.organisation for one in memberships(user.pk)]:
        return Denied("Each organisation speaks for itself: you are not a member of this one.")
    return YES


SECOND_FACTOR = "This is shown after a second factor was proved."


def can_read_audit(user: Reader) -> Answer:
    """Read the records of all organisations."""
    return _team_only(user, "The whole audit is for the security team; organisations read their own.")


def can_read_own_audit(user: Reader) -> Answer:
    """Read what one's own organisations did, or had done to them."""
    if not user.is_authenticated or not is_cleared(user):
        return Denied(SECOND_FACTOR)
    return YES if user.memberships.exists() else Denied("You belong to no organisation.")


def can_export_audit(user: Reader, advisory: Advisory) -> Answer:
    """Take the audit of an advisory away, without people."""
    answer = _team_only(user, "Only the security team exports the audit.")
    if answer and advisory.embargoed:
        return Denied(f"XSA-{advisory.number} is embargoed. Its audit can be exported once it is disclosed.")
    return answer


def can_make_token(user: Reader) -> Answer:
    """Make a token by which a program asks in one's name."""
    if not user.is_authenticated or not is_cleared(user):
        return Denied("Tokens are made after a second factor was proved.")
    return YES if user.memberships.exists() else Denied("You belong to no organisation.")


def can_make_robot(user: Reader, organisation: Organisation | None = None) -> Answer:
    """Make a token for a robot of an organisation, or of any."""
    admins = Membership.objects.filter(user=user.pk, role=Membership.Role.ADMIN)
    rows = admins if organisation is None else admins.filter(organisation=organisation)
    return YES if rows.exists() else Denied("Robots are for the organisation's admins, who answer for them.")


def can_end_token(user: Reader, token: ApiToken) -> Answer:
    """End a token: one's own, or any of the organisation that one administers."""
    if user.is_authenticated and user.pk == token.user_id:
        return YES
    return can_administer(user, token.organisation)


def can_add_webhook(user: Reader, token: ApiToken) -> Answer:
    """Have an address told of what a token shows: only whoever it stands for, while it is good."""
    if not user.is_authenticated or not is_cleared(user):
        return Denied("Webhooks are added after a second factor was proved.")
    if user.pk != token.user_id:
        return Denied("Only the person whom the token stands for adds webhooks to it.")
    if token.ended_at is not None or token.expires_at <= timezone.now():
        return Denied("The token has ended, and its webhooks with it.")
    return YES


def can_keep_repositories(user: Reader, organisation: Organisation) -> Answer:
    """Add repositories and source packages of an organisation, and say who sees them; not even the team does it."""
    if user.is_authenticated and is_cleared(user) and not user.only and _is_admin(user, organisation):
        return YES
    return Denied("Only admins of the organisation say what of its own is kept here.")


def can_backport(user: Reader, organisation: Organisation) -> Answer:
    """Upload in an organisation's name, and change its drafts."""
    if organisation in speaking_for(user):
        return YES
    return Denied("Each organisation keeps its own backports: you do not speak for this one.")


def can_claim(user: Reader, organisation: Organisation, advisory: Advisory) -> Answer:
    """Say that an organisation is on an advisory, hand that on, and end it."""
    if not in_room(user, advisory):
        return Denied("Claims are for members who share the advisory's room.")
    if not (organisation.listed or organisation.security_team):
        return Denied("The organisation is not on the predisclosure list.")
    if organisation in speaking_for(user):
        return YES
    return Denied("Each organisation claims for itself: you do not speak for this one.")


def can_check(user: Reader) -> Answer:
    """Post what a machine found out; that the token is made for it is asked where tokens are known."""
    if user.is_authenticated and user.speaks_for:
        return YES
    return Denied("Checks come from programs: send them with a token that is made for “check”.")


def can_require_checks(user: Reader, keeper: Organisation | None) -> Answer:
    """Say which checks backports on a branch want: who keeps the branch; upstream's are the security team's."""
    if keeper is not None:
        return can_keep_repositories(user, keeper)
    return _team_only(user, "Only the security team says what upstream's branches require.")


def can_take_part(user: Reader, organisation: Organisation, advisory: Advisory) -> Answer:
    """Review and comment on what members share about an advisory, in an organisation's name; also after disclosure."""
    if not in_room(user, advisory):
        return Denied("Reviews and comments are for members who share the advisory's room.")
    if organisation not in speaking_for(user):
        return Denied("Each organisation speaks for itself: you do not speak for this one.")
    if not (organisation.listed or organisation.security_team):
        return Denied("The organisation is not on the predisclosure list.")
    return YES


def can_set_quorum(user: Reader) -> Answer:
    """Say how many organisations must approve a backport."""
    return _team_only(user, "Only the security team sets how many must approve.")


def can_share(user: Reader, organisation: Organisation) -> Answer:
    """Give an organisation's backport to the room, and once the advisory is disclosed to everybody."""
    answer = can_backport(user, organisation)
    if answer and not (organisation.listed or organisation.security_team):
        return Denied("The organisation is not on the predisclosure list.")
    return answer


def can_upload(user: Reader) -> Answer:
    """Upload in the name of any organisation."""
    if not user.is_authenticated:
        return Denied("Log in to upload.")
    if not is_cleared(user):
        return Denied("Backports are uploaded after a second factor was proved.")
    return YES if speaking_for(user) else Denied("You belong to no organisation.")


def can_read_mail_in(user: Reader) -> Answer:
    """Read what came in by mail, and what became of it."""
    return _team_only(user, "Mail that came in is for the security team.")


def can_decide_mail(user: Reader) -> Answer:
    """Accept or refuse a quarantined mail."""
    return _team_only(user, "Only the security team decides about quarantined mail.")
