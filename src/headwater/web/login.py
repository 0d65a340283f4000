"""How people get in: with an address that was invited, or that an operator has named. There is no open sign-up.

Not here: the forms and their checks, which are django-allauth's.
"""

from typing import Any

from allauth.account import signals as allauth_signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailConfirmationHMAC
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import signals as django_signals
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from headwater.accounts.models import User
from headwater.signin.sso import accounts_open_to, is_shut_out
from headwater.web.acting import CAME_BY


class ClosedSignupAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Links in mails lead to the address that people use, whatever host the request named."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  (allauth gives it to every adapter)
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        uidb36, _, token = key.partition("-")
        return _address("account_reset_password_from_key", uidb36=uidb36, key=token)

    def get_email_confirmation_url(
        self,
        request: HttpRequest,  # noqa: ARG002  (allauth gives it to every adapter)
        emailconfirmation: EmailConfirmationHMAC,
    ) -> str:
        return _address("account_confirm_email", key=emailconfirmation.key)

    def pre_login(
        self, request: HttpRequest, user: User, *, signal_kwargs: dict[str, Any] | None, **rest: Any
    ) -> HttpResponse | None:
        """Also asked before second factors: whoever may come by single sign-on only is sent there."""
        answer: HttpResponse | None = super().pre_login(request, user, signal_kwargs=signal_kwargs, **rest)
        if answer is not None or CAME_BY in (signal_kwargs or {}):
            return answer
        if user.is_superuser or not is_shut_out(user, accounts_open_to(user, None)):
            return None
        messages.error(request, "Your company lets you in by its single sign-on only.")
        return redirect("web:company")


@receiver(django_signals.user_logged_in)
def _forget_the_way(request: HttpRequest, **_: Any) -> None:
    """A log-in of any kind starts with every account of the person ..."""
    request.session.pop(CAME_BY, None)


@receiver(allauth_signals.user_logged_in)
def _keep_the_way(request: HttpRequest, **told: Any) -> None:
    """... and one through an account's provider acts for that account alone. allauth's signal follows Django's."""
    if CAME_BY in told:
        request.session[CAME_BY] = told[CAME_BY]


def _address(view: str, **parts: str) -> str:
    return settings.BASE_URL.rstrip("/") + reverse(view, kwargs=parts)
