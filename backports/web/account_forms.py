"""Forms about accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordKeyForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.conf import settings
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator, MaxLengthValidator
from django.http import HttpRequest

from backports.services import accounts
from xsa.models import Membership, Organisation, User

# A code is right for the step before and after its own too; for that long it must not work twice.
CODE_LASTS = 30 * (2 * 1 + 1)


class LogIn(LoginForm):
    """Name or address, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["login"]
        field.validators.append(MaxLengthValidator(254))
        field.label, field.widget.attrs = "Username or mail address", {"autocomplete": "username", "maxlength": 254}
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}
        self.fields["password"].help_text = ""


class AskForPassword(forms.Form):
    """An address; nothing is looked up while its owner waits."""

    email = forms.EmailField(label="Mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def save(self, request: HttpRequest, **_: Any) -> str:  # noqa: ARG002
        """Ask a worker; what allauth calls."""
        accounts.ask_for_password(email=self.cleaned_data["email"])
        return str(self.cleaned_data["email"])


def _in_our_words(form: forms.Form, labels: dict[str, str]) -> None:
    """Labels of our own, no placeholder that says them twice, and no help: the page says what a password must be."""
    for name, label in labels.items():
        field = form.fields[name]
        field.label, field.help_text = label, ""
        field.widget.attrs.pop("placeholder", None)


NEW_PASSWORD = {"password1": "New password", "password2": "New password again"}


class ChangePassword(ChangePasswordForm):
    """The password until now, and the new one twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _in_our_words(self, {"oldpassword": "Password until now", **NEW_PASSWORD})


class ChoosePassword(ResetPasswordKeyForm):
    """A new password, by a mailed link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _in_our_words(self, NEW_PASSWORD)


def _use_up(user: User, code: str) -> None:
    """Raises ValidationError for a code of the app that this person used already."""
    if not cache.add(f"code:{user.pk}:{code.replace(' ', '')}", "used", timeout=CODE_LASTS):
        raise get_adapter().validation_error("incorrect_code")


def _code_field(form: forms.Form) -> None:
    form.fields["code"].label = "Code from your app, or a recovery code"
    form.fields["code"].widget.attrs = {
        "autocomplete": "one-time-code",
        "inputmode": "numeric",
        "autofocus": True,
        "maxlength": 12,
    }


class _UsedOnce(BaseAuthenticateForm):
    """A code of the app works once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self)

    def clean_code(self) -> str:
        """Used up by being right."""
        code = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            _use_up(self.user, code)
        return code


class Code(_UsedOnce, AuthenticateForm):
    """The second factor at login."""


class CodeAgain(_UsedOnce, ReauthenticateForm):
    """The second factor once more, in a session that runs."""


class FirstCode(ActivateTOTPForm):
    """The code that shows that the app was set up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self)
        self.fields["code"].label = "Code from your app"

    def clean_code(self) -> str:
        """It works once, and not again for logging in."""
        code = super().clean_code()
        _use_up(self.user, code)
        return code


class NewAccount(BaseUserCreationForm):  # type: ignore[type-arg] # it takes none when it runs
    """A name and a password for somebody who was invited."""

    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # So that the check for passwords like the address knows it.
        self.instance.email = email
        self.fields["username"].widget.attrs["autocomplete"] = "username"
        self.fields["username"].help_text = "Letters, digits and . + - _, as others shall see you."
        self.fields["password1"].help_text = "At least twelve characters."
        self.fields["password2"].label = "Password again"
        self.fields["password2"].help_text = ""

    def clean_username(self) -> str:
        """No other account's name in any letter case, and nothing that reads like an address."""
        name = str(self.cleaned_data["username"])
        if "@" in name:
            raise ValidationError("A username has no @ in it.")
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError("This name is taken.")
        return name


class Invite(forms.Form):
    """Whom to invite, as what; where the organisation named domains, only there."""

    email = forms.EmailField(label="Mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label="Role", choices=Membership.Role.choices, initial=Membership.Role.MEMBER)
    contact = forms.BooleanField(label="Security contact: sees every embargoed advisory", required=False)

    def __init__(self, *args: Any, domains: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.domains = domains

    def clean_email(self) -> str:
        """An address of one of the organisation's domains."""
        address = str(self.cleaned_data["email"]).lower()
        if self.domains and address.rpartition("@")[2] not in self.domains:
            raise ValidationError(f"Addresses of this organisation end in {', '.join(self.domains)}.")
        return address


class Details(forms.Form):
    """How an organisation is reached."""

    role_address = forms.EmailField(label="Role address", required=False)
    domains = forms.CharField(
        label="Domains of its people's addresses",
        required=False,
        max_length=2000,
        help_text="Separated by commas; invitations go nowhere else. Empty: anywhere.",
    )

    def clean_domains(self) -> list[str]:
        """Names of hosts, in small letters, each once."""
        words = str(self.cleaned_data["domains"]).lower().replace(",", " ").split()
        for word in words:
            DomainNameValidator(accept_idna=False)(word)
        return sorted(set(words))


class Member(forms.Form):
    """What a member is."""

    role = forms.ChoiceField(label="Role", choices=Membership.Role.choices)
    contact = forms.BooleanField(label="Security contact", required=False)


class NewOrganisation(forms.Form):
    """An organisation's public name, and whether it is on the predisclosure list."""

    name = forms.CharField(label="Name", max_length=200)
    listed = forms.BooleanField(label="On the predisclosure list", required=False)

    def clean_name(self) -> str:
        """Names are public, so that one may say that it is taken."""
        name = str(self.cleaned_data["name"]).strip()
        if Organisation.objects.filter(name__iexact=name).exists():
            raise ValidationError("There is an organisation of this name.")
        return name


assert settings.MFA_TOTP_TOLERANCE == 1  # noqa: S101 - CODE_LASTS counts on it
