"""What every page goes through: the account it acts for, our errors shown as pages, the content security policy.

Not here: the guards of single views (acting.py).
"""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import open_account, role_of
from headwater.common.errors import Bug, Facts, Fix, HeadwaterError, Wait
from headwater.signin.sso import accounts_open_to
from headwater.web.acting import CAME_BY, CHOSEN_ACCOUNT, ENTERED_ACCOUNT, AccountRequest

OWN_LOG_IN = ("account_", "mfa_")  # allauth's pages: password, address, second factor
GetResponse = Callable[[HttpRequest], HttpResponseBase]
REFUSED_BY_ROLE = {"accounts.admin_needed", "signin.managed_elsewhere"}


class AccountMiddleware:
    """Sets what AccountRequest declares, and shows our own errors as pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        acting = cast("AccountRequest", request)
        acting.accounts, acting.account, acting.role = [], None, None
        acting.is_operator = acting.is_entered = False
        if isinstance(request.user, User):
            _choose(acting, request.user)
            if CAME_BY in request.session and acting.account is None:
                logout(request)  # the provider was switched off, or the person is no member any more
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """One account's provider vouches for that account: what opens the others too, it may not change."""
        address = request.resolver_match
        name = address.view_name if address else ""
        if CAME_BY not in request.session or not name.startswith(OWN_LOG_IN) or name == "account_logout":
            return None
        return self.process_exception(request, _managed_elsewhere())

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page, or a part of one for htmx, where a person or time can mend it; the rest is for the 500 page."""
        if isinstance(error, Bug) or not isinstance(error, HeadwaterError):
            return None
        template = "web/parts/error.html" if "HX-Request" in request.headers else "web/error.html"
        return render(request, template, {"error": error}, status=_status(error))


def _choose(request: AccountRequest, user: User) -> None:
    """The account that an operator entered, else the one kept in the session, else the first by name."""
    request.accounts = accounts_open_to(user, request.session.get(CAME_BY))
    request.is_operator = user.is_operator and CAME_BY not in request.session
    entered = _entered(request)
    if entered is not None:
        request.account, request.role, request.is_entered = entered, Role.ADMIN, True
        return
    kept = request.session.get(CHOSEN_ACCOUNT)
    chosen = [account for account in request.accounts if account.pk == kept] or request.accounts
    if chosen:
        request.account = chosen[0]
        request.role = role_of(user, chosen[0])


def _entered(request: AccountRequest) -> Account | None:
    key = request.session.get(ENTERED_ACCOUNT)
    return open_account(key) if key is not None and request.is_operator else None


def _managed_elsewhere() -> Fix:
    return Fix(
        "signin.managed_elsewhere",
        "You came in through your company's single sign-on.",
        Facts(
            why="It vouches for you in one account; password, address and second factor open all of yours.",
            left="Nothing was changed.",
            you_can="log in with your password to change them",
        ),
    )


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
