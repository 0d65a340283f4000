"""Who acts for which account in a request, and the two guards that views wear.

`member_page` lets a view run for a logged-in member only, `admin_action` for an Account Admin only. Both hand the
view a `MemberRequest`, in which user, account and role are known.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import require_role
from headwater.signin.factors import has_second_factor, requires_second_factor

Extra = ParamSpec("Extra")
CHOSEN_ACCOUNT = "account_id"  # key in the session
CAME_BY = "single_sign_on_account_id"  # of a session whose log-in that account's own provider vouched for


class AccountRequest(HttpRequest):
    """Any request after the middleware: no account and no role before log-in, nor for a user of no account."""

    accounts: list[Account]
    account: Account | None
    role: Role | None


class MemberRequest(HttpRequest):
    """A request whose sender is a member of `account`."""

    user: User
    accounts: list[Account]
    account: Account
    role: Role


MemberView = Callable[Concatenate[MemberRequest, Extra], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, Extra], HttpResponseBase]


def member_page(view: MemberView[Extra]) -> View[Extra]:
    """Ask for log-in; explain itself to a user who belongs to no account."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Extra.args, **kwargs: Extra.kwargs) -> HttpResponseBase:
        if cast("AccountRequest", request).account is None:
            return render(request, "web/no_account.html", status=403)
        if _lacks_factor(cast("MemberRequest", request)):
            return _led_to("web:factor_needed", request)
        return view(cast("MemberRequest", request), *args, **kwargs)

    return login_required(guarded)


def _lacks_factor(request: MemberRequest) -> bool:
    """Whoever comes by single sign-on brings the provider's own second factor."""
    if CAME_BY in request.session:
        return False
    return requires_second_factor(request.account) and not has_second_factor(request.user)


def _led_to(view: str, request: HttpRequest) -> HttpResponseBase:
    """A redirect of the whole window, also where only a part of the page was asked for."""
    response = redirect(view)
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": response.url})
    return response


def admin_action(view: MemberView[Extra]) -> View[Extra]:
    """As member_page; whoever is not an Account Admin meets Fix `accounts.admin_needed`, shown as a 403 page."""

    @wraps(view)
    def guarded(request: MemberRequest, /, *args: Extra.args, **kwargs: Extra.kwargs) -> HttpResponseBase:
        require_role(request.user, request.account, Role.ADMIN)
        return view(request, *args, **kwargs)

    return member_page(guarded)
