"""Where the link of an invitation leads: for strangers, who become people here, and for people of other accounts."""

from typing import cast

from allauth.account.utils import perform_login
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from headwater.accounts.invitations import accept_as, accept_as_new, open_invitation, user_invited
from headwater.accounts.models import Account, Invitation, User
from headwater.common.errors import Fix
from headwater.web.acting import CAME_BY, CHOSEN_ACCOUNT, ENTERED_ACCOUNT

GONE = 410


class JoinForm(forms.Form):
    name = forms.CharField(
        label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 10 characters, and nothing that is easy to guess.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Following the link changes nothing, as scanners of mail follow links too; sending the form accepts."""
    try:
        found = open_invitation(secret)
        if isinstance(request.user, User):
            return _as_user(request, request.user, found, secret)
        if user_invited(found) is not None:
            return _page(request, found, "log_in")
        return _as_new(request, found, secret)
    except Fix as refused:
        return render(request, "web/invitation_refused.html", {"error": refused}, status=GONE)


def _as_user(request: HttpRequest, user: User, found: Invitation, secret: str) -> HttpResponse:
    if user.email != found.email:
        return _page(request, found, "another", status=403)
    if request.session.get(CAME_BY, found.account_id) != found.account_id:
        return _page(request, found, "vouched", status=403)
    if request.method != "POST":
        return _page(request, found, "accept")
    _act_for(request, accept_as(secret, user))
    return redirect("web:overview")


def _as_new(request: HttpRequest, found: Invitation, secret: str) -> HttpResponseBase:
    form = JoinForm(request.POST or None)
    if not form.is_valid():
        return _page(request, found, "join", form)
    try:
        user = accept_as_new(secret, **form.cleaned_data)
    except Fix as refused:
        if refused.code != "accounts.password_weak":
            raise
        form.add_error("password", refused.facts.why)
        return _page(request, found, "join", form)
    _act_for(request, found.account)
    return cast("HttpResponseBase", perform_login(request, user))


def _act_for(request: HttpRequest, account: Account) -> None:
    request.session[CHOSEN_ACCOUNT] = account.pk
    request.session.pop(ENTERED_ACCOUNT, None)
    messages.success(request, f"Welcome to {account}.")


def _page(
    request: HttpRequest, found: Invitation, situation: str, form: JoinForm | None = None, status: int = 200
) -> HttpResponse:
    facts = {"invitation": found, "situation": situation, "form": form}
    return render(request, "web/invitation.html", facts, status=status)
