"""Coming in: invitations, second factors, sessions. All else is allauth's own views in the house's templates."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.decorators import rate_limit
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from xsa.models import Invitation, User
from xsa.services import invitations

from .account_forms import NewAccount
from .actor import actor

REFUSED = invitations.InvitationRefused.sentence


def _proved(request: HttpRequest, kind: str) -> None:
    """Whoever has just shown a new second factor has proved it for this session."""
    newest = Authenticator.objects.filter(user_id=request.user.pk, type=kind).order_by("-created_at").first()
    if newest is not None:
        record_authentication(request, request.user, "mfa", id=newest.pk, type=kind, reauthenticated=True)


@method_decorator(login_required, name="dispatch")
class SetUpApp(ActivateTOTPView):
    """The first code of an authenticator app."""

    def form_valid(self, form: Form) -> HttpResponse:
        response = super().form_valid(form)
        _proved(self.request, Authenticator.Type.TOTP)
        return response


@method_decorator(login_required, name="dispatch")
class AddKey(AddWebAuthnView):
    """A passkey or security key."""

    def form_valid(self, form: Form) -> HttpResponse:
        response = super().form_valid(form)
        _proved(self.request, Authenticator.Type.WEBAUTHN)
        return response


@method_decorator(login_required, name="dispatch")
class RemoveKey(RemoveWebAuthnView):
    """Taking one away again; not the last."""

    def form_valid(self, form: Form) -> HttpResponse:
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("mfa_index")
        return super().form_valid(form)


@require_POST
@login_required
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own sessions; somebody else's does not exist."""
    session = UserSession.objects.filter(pk=pk, user_id=request.user.pk).first()
    if session is None:
        raise Http404
    session.end()
    if session.session_key == request.session.session_key:
        return log_out(request)
    messages.success(request, "The session was ended.")
    return redirect("usersessions_list")


def log_out(request: HttpRequest) -> HttpResponse:
    """For somebody whose own session was ended by what they did."""
    logout(request)
    return redirect("matrix")


@never_cache
@sensitive_post_parameters("password1", "password2")
@rate_limit(action="signup")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation: as who is logged in, or with a new account."""
    found = invitations.find(token)
    holder = User.objects.filter(email__iexact=found.email).first() if found else None
    if found is None or (request.user.is_authenticated and holder != request.user):
        return _refused(request)
    if request.user.is_authenticated:
        return _join(request, found, token)
    if holder is not None:
        return render(request, "account/invitation.html", {"invitation": found, "has_account": True})
    return _open_account(request, found, token)


def _refused(request: HttpRequest) -> HttpResponse:
    return render(request, "403.html", {"reason": REFUSED}, status=403)


def _join(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    if request.method != "POST":
        return render(request, "account/invitation.html", {"invitation": found})
    try:
        invitations.accept(actor(request), token=token)
    except invitations.InvitationRefused:
        return _refused(request)
    messages.success(request, f"You are a member of {found.organisation} now.")
    return redirect("organisation")


def _open_account(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    form = NewAccount(request.POST or None, email=found.email)
    if form.is_valid():
        values = {"username": form.cleaned_data["username"], "password": form.cleaned_data["password1"]}
        try:
            return _log_in(request, invitations.accept(None, token=token, **values))
        except invitations.InvitationRefused:
            return _refused(request)
        except invitations.NameTaken:
            form.add_error("username", ValidationError("This name is taken."))
    return render(request, "account/invitation.html", {"invitation": found, "form": form})


def _log_in(request: HttpRequest, person: User) -> Any:
    record_authentication(request, person, "password", username=person.get_username())
    return perform_login(request, person)
