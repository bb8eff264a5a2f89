"""Addresses about accounts: allauth's views that are in use, one by one, and ours. What is not here has no address."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.openid_connect import views as oidc
from allauth.usersessions import views as sessions
from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backports.web import accounts
from backports.web.logins import changing, proving

urlpatterns = [
    path("login/", proving(account.login), name="account_login"),
    path("logout/", require_POST(account.logout), name="account_logout"),
    path("login/code/", proving(mfa.authenticate), name="mfa_authenticate"),
    path("login/again/", login_required(proving(account.reauthenticate)), name="account_reauthenticate"),
    path("login/again/code/", login_required(proving(mfa.reauthenticate)), name="mfa_reauthenticate"),
    path("login/again/key/", login_required(proving(keys.reauthenticate_webauthn)), name="mfa_reauthenticate_webauthn"),
    path("login/with/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("login/with/failed/", social.login_error, name="socialaccount_login_error"),
    path("login/with/<slug:provider_id>/", require_POST(oidc.login), name="openid_connect_login"),
    path("login/with/<slug:provider_id>/back/", oidc.callback, name="openid_connect_callback"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("invitation/<str:token>/", accounts.invitation, name="invitation"),
    path("account/", login_required(mfa.index), name="mfa_index"),
    path("account/password/", login_required(account.password_change), name="account_change_password"),
    path("account/app/", changing("second-factor-added", accounts.SetUpApp.as_view()), name="mfa_activate_totp"),
    path(
        "account/app/remove/",
        login_required(changing("second-factor-removed", totp.deactivate_totp)),
        name="mfa_deactivate_totp",
    ),
    path("account/keys/", login_required(keys.list_webauthn), name="mfa_list_webauthn"),
    path("account/keys/add/", changing("second-factor-added", accounts.AddKey.as_view()), name="mfa_add_webauthn"),
    path(
        "account/keys/<int:pk>/remove/",
        changing("second-factor-removed", accounts.RemoveKey.as_view(), done_at="mfa_list_webauthn"),
        name="mfa_remove_webauthn",
    ),
    path("account/codes/", login_required(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "account/codes/new/",
        login_required(changing("recovery-codes-made", codes.generate_recovery_codes)),
        name="mfa_generate_recovery_codes",
    ),
    path("account/sessions/", sessions.list_usersessions, name="usersessions_list"),
    path("account/sessions/<int:pk>/end/", changing("session-ended", accounts.end_session), name="end_session"),
]

# Django's form views take PUT for POST, and each answers OPTIONS; nobody needs either here.
_READ_ONLY = {
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "mfa_index",
    "mfa_list_webauthn",
    "mfa_view_recovery_codes",
    "openid_connect_callback",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
}
for _one in urlpatterns:
    _limit = require_safe if _one.name in _READ_ONLY else require_http_methods(["GET", "HEAD", "POST"])
    _one.callback = _limit(_one.callback)
