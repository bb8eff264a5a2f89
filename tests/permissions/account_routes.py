"""The permission matrix of the addresses about accounts and organisations: what they know of
advisories is in the audit alone.

A row tells what GET and POST (with nothing in it) get from each of `ACTORS`; what is not named answers 405 to everyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Nobody; a member by password alone; one who proved a second factor; an admin of the organisation; the security team.
ACTORS = ("anonymous", "halfway", "member", "admin", "team")
Statuses = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class AccountRow:
    """`path` may name an {organisation}, a {membership}, an {invitation}, a {token}, a {webhook}, a {key} and a
    {mail} of it. None: the method is not known.
    """

    path: str
    get: Statuses | None
    post: Statuses | None = None

    def expected(self, actor: str, method: str) -> int:
        """The status that this actor gets."""
        statuses = {"GET": self.get, "HEAD": self.get, "POST": self.post}.get(method)
        return statuses[ACTORS.index(actor)] if statuses else 405


def everybody(status: int) -> Statuses:
    """The same for all."""
    return (status, status, status, status, status)


def people(status: int) -> Statuses:
    """Whoever is logged in; nobody else gets further than the login."""
    return (302, status, status, status, status)


BY_PASSWORD = (302, 200, 302, 302, 302)  # whoever has a second factor is led to that
BY_CODE = (302, 302, 200, 200, 200)  # and whoever has none to the password
ENTRANCE = (200, 302, 302, 302, 302)
MEMBERS = (404, 404, 200, 200, 200)
ADMINS = (404, 404, 403, 200, 200)
DONE_BY_ADMINS = (404, 404, 403, 302, 302)
OWN = (302, 403, 422, 422, 422)
DONE_BY_TEAM = (404, 404, 403, 403, 302)

ACCOUNT_ROWS: Mapping[str, AccountRow] = {
    "account_login": AccountRow("/login/", ENTRANCE, ENTRANCE),
    "account_logout": AccountRow("/logout/", None, everybody(302)),
    "mfa_authenticate": AccountRow("/login/code/", everybody(302), everybody(302)),
    "account_reauthenticate": AccountRow("/login/again/", BY_PASSWORD, BY_PASSWORD),
    "mfa_reauthenticate": AccountRow("/login/again/code/", BY_CODE, BY_CODE),
    "mfa_reauthenticate_webauthn": AccountRow("/login/again/key/", everybody(302), everybody(302)),
    "socialaccount_login_cancelled": AccountRow("/login/with/cancelled/", everybody(200)),
    "socialaccount_login_error": AccountRow("/login/with/failed/", everybody(401)),
    "openid_connect_login": AccountRow("/login/with/nobody/", None, everybody(404)),
    "openid_connect_callback": AccountRow("/login/with/nobody/back/", everybody(404)),
    "account_reset_password": AccountRow("/password/reset/", everybody(200), everybody(200)),
    "account_reset_password_done": AccountRow("/password/reset/sent/", everybody(200)),
    "account_reset_password_from_key": AccountRow("/password/reset/0-a-b/", everybody(200), everybody(200)),
    "account_reset_password_from_key_done": AccountRow("/password/reset/done/", everybody(200)),
    "invitation": AccountRow("/invitation/made-up/", everybody(403), everybody(403)),
    "mfa_index": AccountRow("/account/", people(200)),
    "account_change_password": AccountRow("/account/password/", people(200), people(200)),
    "mfa_activate_totp": AccountRow("/account/app/", everybody(302), everybody(302)),
    "mfa_deactivate_totp": AccountRow("/account/app/remove/", (302, 404, 302, 302, 302), (302, 404, 302, 302, 302)),
    "mfa_list_webauthn": AccountRow("/account/keys/", people(200)),
    "mfa_add_webauthn": AccountRow("/account/keys/add/", everybody(302), everybody(302)),
    "mfa_remove_webauthn": AccountRow("/account/keys/1/remove/", everybody(302), everybody(302)),
    "mfa_view_recovery_codes": AccountRow("/account/codes/", people(404)),
    "mfa_generate_recovery_codes": AccountRow("/account/codes/new/", everybody(302), everybody(302)),
    "usersessions_list": AccountRow("/account/sessions/", people(200), everybody(302)),
    "end_session": AccountRow("/account/sessions/1/end/", None, people(404)),
    "organisations": AccountRow("/organisations/", everybody(200), (403, 403, 403, 403, 200)),
    "organisation": AccountRow("/organisation/", (302, 200, 302, 302, 302)),
    "organisation_people": AccountRow("/organisations/{organisation}/", MEMBERS),
    "organisation_details": AccountRow("/organisations/{organisation}/details/", None, DONE_BY_ADMINS),
    "invite": AccountRow("/organisations/{organisation}/invite/", None, ADMINS),
    "list_organisation": AccountRow("/organisations/{organisation}/list/", None, DONE_BY_TEAM),
    "revoke_invitation": AccountRow("/invitations/{invitation}/revoke/", None, DONE_BY_ADMINS),
    "invite_again": AccountRow("/invitations/{invitation}/again/", None, DONE_BY_ADMINS),
    "membership": AccountRow("/memberships/{membership}/", None, (404, 404, 403, 404, 404)),
    "remove_member": AccountRow("/memberships/{membership}/remove/", None, DONE_BY_ADMINS),
    # What these show of advisories is looked for by the crawl, which begins at them too.
    "tokens": AccountRow("/tokens/", people(200), (302, 403, 422, 422, 422)),
    "end_token": AccountRow("/tokens/{membership}/end/", None, people(404)),
    # Of a token of somebody else's in the organisation: its admins see where it tells, and can stop that.
    "webhooks": AccountRow("/tokens/{token}/webhooks/", (302, 404, 404, 200, 404), (302, 404, 404, 403, 404)),
    "end_webhook": AccountRow("/webhooks/{webhook}/end/", None, (302, 404, 404, 302, 404)),
    # Keys are kept by admins of the organisation alone; what a mail says is for its reader alone.
    "organisation_keys": AccountRow("/organisations/{organisation}/keys/", MEMBERS, (404, 404, 403, 422, 403)),
    "organisation_mail": AccountRow("/organisations/{organisation}/mail/", MEMBERS, (404, 404, 403, 422, 422)),
    "own_keys": AccountRow("/keys/", people(200), OWN),
    "end_key": AccountRow("/keys/{key}/end/", None, (404, 404, 403, 302, 403)),
    "outbox": AccountRow("/mail/", (302, 403, 200, 200, 200)),
    "own_mail": AccountRow("/mail/digests/", people(200), OWN),
    "mail": AccountRow("/mail/{mail}/", (302, 403, 200, 200, 404)),
    "unsubscribe": AccountRow("/mail/unsubscribe/made-up/", everybody(404), everybody(404)),
    "audit": AccountRow("/audit/", (403, 403, 403, 403, 200)),
    "audit_export": AccountRow("/audit/export?advisory=1", (302, 302, 403, 403, 404)),
    "organisation_audit": AccountRow("/organisation/audit/", (302, 403, 200, 200, 200)),
}
