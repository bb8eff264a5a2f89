"""Forms about accounts."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.conf import settings
from django.contrib.auth.forms import BaseUserCreationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
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


class Code(AuthenticateForm):
    """The second factor at login."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self)

    def clean_code(self) -> str:
        """A code of the app works once."""
        code = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            _use_up(self.user, code)
        return code


class CodeAgain(ReauthenticateForm):
    """The second factor once more, in a session that runs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self)

    def clean_code(self) -> str:
        """A code of the app works once."""
        code = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            _use_up(self.user, code)
        return code


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
    """Whom to invite, as what."""

    email = forms.EmailField(label="Mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label="Role", choices=Membership.Role.choices, initial=Membership.Role.MEMBER)
    contact = forms.BooleanField(label="Security contact: sees every embargoed advisory", required=False)


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
