"""Who acts for which account in a request, and the guards that views wear.

`member_page` lets a member read and an Account Admin do the rest, `admin_action` is for Account Admins alone,
`member_deed` for what any member does in their own name, `own_page` for any person in their own affairs,
`operator_page` for operators. Every view wears one of them, or is for strangers and says so in
tests/unit/web/test_isolation.py.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import leave_account, require_admin
from headwater.signin.factors import has_second_factor, requires_second_factor

Extra = ParamSpec("Extra")
CHOSEN_ACCOUNT = "account_id"  # keys in the session
CAME_BY = "single_sign_on_account_id"  # of a session whose log-in that account's own provider vouched for
ENTERED_ACCOUNT = "entered_account_id"  # of an operator, who is no member
READING = ("GET", "HEAD", "OPTIONS")


class AccountRequest(HttpRequest):
    """Any request after the middleware: no account and no role before log-in, nor for a user of no account.

    is_operator   May see all accounts. Not after single sign-on: one account's provider must not open the others.
    is_entered    An operator acts here who entered the account; it is not theirs.
    """

    accounts: list[Account]
    account: Account | None
    role: Role | None
    is_operator: bool
    is_entered: bool


class PersonRequest(AccountRequest):
    """A request whose sender has logged in."""

    user: User


class MemberRequest(HttpRequest):
    """A request whose sender may act for `account`, as a member or as an operator who entered it."""

    user: User
    accounts: list[Account]
    account: Account
    role: Role
    is_operator: bool
    is_entered: bool


MemberView = Callable[Concatenate[MemberRequest, Extra], HttpResponseBase]
PersonView = Callable[Concatenate[PersonRequest, Extra], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, Extra], HttpResponseBase]


def member_page(view: MemberView[Extra]) -> View[Extra]:
    """Ask for log-in; explain itself to a user who belongs to no account. What is not reading takes an admin."""

    @wraps(view)
    def guarded(request: MemberRequest, /, *args: Extra.args, **kwargs: Extra.kwargs) -> HttpResponseBase:
        if request.method not in READING:
            require_admin(request.user, request.account, request.role)
        return view(request, *args, **kwargs)

    return member_deed(guarded)


def member_deed(view: MemberView[Extra]) -> View[Extra]:
    """As member_page, for what any member does in their own name, such as marking what they have read."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Extra.args, **kwargs: Extra.kwargs) -> HttpResponseBase:
        if cast("AccountRequest", request).account is None:
            return render(request, "web/no_account.html", status=403)
        member = cast("MemberRequest", request)
        if _lacks_factor(member):
            return _led_to("web:factor_needed", request)
        return view(member, *args, **kwargs)

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
        require_admin(request.user, request.account, request.role)
        return view(request, *args, **kwargs)

    return member_page(guarded)


def own_page(view: PersonView[Extra]) -> View[Extra]:
    """For what concerns the person alone, whatever their role: ask for log-in, nothing more."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Extra.args, **kwargs: Extra.kwargs) -> HttpResponseBase:
        return view(cast("PersonRequest", request), *args, **kwargs)

    return login_required(guarded)


def operator_page(view: PersonView[Extra]) -> View[Extra]:
    """For operators; to anybody else who has logged in, it is not there."""

    @wraps(view)
    def guarded(request: PersonRequest, /, *args: Extra.args, **kwargs: Extra.kwargs) -> HttpResponseBase:
        if not request.is_operator:
            raise Http404
        return view(request, *args, **kwargs)

    return own_page(guarded)


def leave_entered(request: PersonRequest) -> None:
    """End an operator's stay in an account, if there is one, and keep that it ended."""
    if request.session.pop(ENTERED_ACCOUNT, None) is not None and request.is_entered and request.account:
        leave_account(request.account, request.user)
