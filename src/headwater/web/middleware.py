"""What every page goes through: the account it acts for, our errors shown as pages, the content security policy.

Not here: the guards of single views (acting.py).
"""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from headwater.accounts.models import User
from headwater.accounts.services import accounts_of, role_of
from headwater.common.errors import Bug, HeadwaterError, Wait
from headwater.web.acting import CHOSEN_ACCOUNT, AccountRequest

GetResponse = Callable[[HttpRequest], HttpResponseBase]
REFUSED_BY_ROLE = {"accounts.admin_needed", "accounts.not_a_member"}


class AccountMiddleware:
    """Sets what AccountRequest declares, and shows our own errors as pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        acting = cast("AccountRequest", request)
        acting.accounts, acting.account, acting.role = [], None, None
        if isinstance(request.user, User):
            _choose(acting, request.user)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page, or a part of one for htmx, where a person or time can mend it; the rest is for the 500 page."""
        if isinstance(error, Bug) or not isinstance(error, HeadwaterError):
            return None
        template = "web/parts/error.html" if "HX-Request" in request.headers else "web/error.html"
        return render(request, template, {"error": error}, status=_status(error))


def _choose(request: AccountRequest, user: User) -> None:
    """The account kept in the session, else the first by name."""
    request.accounts = list(accounts_of(user))
    kept = request.session.get(CHOSEN_ACCOUNT)
    chosen = [account for account in request.accounts if account.pk == kept] or request.accounts
    if chosen:
        request.account = chosen[0]
        request.role = role_of(user, chosen[0])


def _status(error: HeadwaterError) -> int:
    if error.code in REFUSED_BY_ROLE:
        return 403
    return 503 if isinstance(error, Wait) else 409


class ContentSecurityPolicyMiddleware:
    """Lets a page load and run only what this server sends.

    Style attributes are allowed (chart canvases and bar widths need them); style elements and inline scripts are not.
    A form may lead to Salesforce, because Connect answers with a redirect to its login page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", "; ".join(_directives()))
        return response


def _directives() -> list[str]:
    logins = {_origin(settings.SALESFORCE_LOGIN_URL), _origin(settings.SALESFORCE_SANDBOX_LOGIN_URL)}
    salesforce = " ".join(sorted(logins | {"https://*.salesforce.com", "https://*.force.com"}))
    return [
        "default-src 'self'",
        "img-src 'self' data:",  # Tabler draws arrows and ticks as data: images
        "style-src-attr 'unsafe-inline'",
        f"form-action 'self' {salesforce}",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    ]


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
