"""The house's rules for allauth: nobody opens an account alone, and a second factor counts for more than a password."""

from __future__ import annotations

import base64
import time
from typing import Any

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from qrcode.image.svg import SvgPathImage

from xsa import audit
from xsa.models import Membership, User

from .actor import actor

WRONG = "The name or the password is wrong."
JUST_NOW = 300  # seconds after a login in which the first second factor may be set up without the password again


class AccountRules(DefaultAccountAdapter):
    """Logging in, and proving again who one is."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": WRONG,
        "email_password_mismatch": WRONG,
        "too_many_login_attempts": "Too many logins failed. Wait five minutes, then try again.",
    }

    def is_ajax(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Pages have one form, whatever a request calls itself."""
        return False

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody comes but by an invitation."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that `TrustedProxies` found; a made-up one where there is no connection at all."""
        return request.META.get("REMOTE_ADDR") or "127.0.0.1"

    def login(self, request: HttpRequest, user: Any) -> None:
        """After all steps of logging in: on record, with what was proved."""
        super().login(request, user)
        methods = [str(one["method"]) for one in get_authentication_records(request, user)]
        audit.record("logged-in", actor=user, methods=methods)

    def logout(self, request: HttpRequest) -> None:
        """On record too."""
        audit.record("logged-out", actor=actor(request))
        super().logout(request)

    def set_password(self, user: Any, password: str) -> None:
        """By a mailed link, or by somebody who knows the one before."""
        super().set_password(user, password)
        audit.record("password-set", actor=user)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Whoever has no second factor yet sets one up first."""
        return resolve_url(settings.LOGIN_REDIRECT_URL) if has_factor(request.user) else reverse("mfa_activate_totp")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002
        """Back to the account."""
        return reverse("mfa_index")

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:  # noqa: ARG002
        """An account that was closed answers as a wrong password does."""
        return redirect("account_login")

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """With a second factor, only that one: whoever has just the password must not change the other."""
        methods = super().get_reauthentication_methods(user)
        stronger = [one for one in methods if one["id"] != "reauthenticate"]
        return stronger or methods

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not for the first second factor right after logging in."""
        request = self.request
        if request is not None and request.user.is_authenticated and not has_factor(request.user):
            records = get_authentication_records(request, request.user)
            if records and time.time() - records[-1]["at"] < JUST_NOW:
                return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))


def has_factor(user: Any) -> bool:
    """Whether this person has a second factor; recovery codes alone are none."""
    return Authenticator.objects.filter(user_id=user.pk).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


class FactorRules(DefaultMFAAdapter):
    """Second factors: their secrets are kept encrypted, and the last one can only be replaced."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": "This is your only second factor. Set up another one first, then remove it."
    }

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002
        """What a new one is called until its owner names it."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}"

    def encrypt(self, text: str) -> str:
        """With a key made from SECRET_KEY, so that the database alone gives no codes."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """With SECRET_KEY or one of SECRET_KEY_FALLBACKS."""
        return _keys().decrypt(encrypted_text.encode()).decode()

    def build_totp_svg(self, url: str) -> SafeString:
        """The picture as a part of the page: the content policy lets no picture in by a data address."""
        picture = qrcode.make(url, image_factory=SvgPathImage).to_string(encoding="unicode")
        return mark_safe(picture)  # noqa: S308 - drawn here, of squares

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last one."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id).exclude(pk=authenticator.pk)
        return others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()


def _keys() -> MultiFernet:
    return MultiFernet([_key(one) for one in (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))])


def _key(secret: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"second factors").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


class OrganisationLogins(DefaultSocialAccountAdapter):
    """Logins by an organisation's own server. They only ever lead to an account that is its member's already."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:  # noqa: ARG002
        """Never: a server elsewhere makes nobody a member."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Attach to the member of that organisation with this verified address; refuse everybody else alike."""
        member = _member_of(sociallogin)
        if member is None or sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise ImmediateHttpResponse(refused(request))
        if not sociallogin.is_existing:
            sociallogin.connect(request, member)


def refused(request: HttpRequest) -> HttpResponse:
    """The answer to everybody who has no account that this login leads to."""
    return render(request, "socialaccount/authentication_error.html", status=403)


def _member_of(sociallogin: SocialLogin) -> User | None:
    """The person; nobody who belongs elsewhere too: one organisation's server must not speak for another's people."""
    provider = settings.OIDC_PROVIDERS.get(sociallogin.account.provider)
    if provider is None:
        return None
    person = sociallogin.user if sociallogin.is_existing else _by_address(sociallogin)
    if person is None or not person.is_active:
        return None
    names = list(Membership.objects.filter(user=person).values_list("organisation__name", flat=True))
    return person if names == [provider["organisation"]] else None


def _by_address(sociallogin: SocialLogin) -> User | None:
    verified = [one.email.lower() for one in sociallogin.email_addresses if one.verified]
    found = list(User.objects.filter(email__in=verified, is_active=True)[:2])
    return found[0] if len(found) == 1 else None
