"""The operator's page: all accounts of this installation; make one, set its limit, act in it, close it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.invitations import Sent, create_account_with_admin
from headwater.accounts.mail import Way
from headwater.accounts.models import Account
from headwater.accounts.services import enter_account
from headwater.common.errors import Fix
from headwater.credits.services import daily_limit
from headwater.operating import account_states
from headwater.web.acting import ENTERED_ACCOUNT, PersonRequest, leave_entered, operator_page
from headwater.web.telling import tell
from headwater.web.templatetags.headwater import number
from headwater.wiring import change_daily_limit, close_account, reopen_account


@dataclass(frozen=True, slots=True)
class Limiting:
    """The dialog that sets an account's limit: what is in force, what stands in the field, why it was refused."""

    account: Account
    limit_calls: int
    typed: str
    refused: Fix | None


@require_GET
@operator_page
def accounts(request: PersonRequest) -> HttpResponse:
    return _page(request)


@require_POST
@operator_page
def create(request: PersonRequest) -> HttpResponse:
    name, email = request.POST.get("name", ""), request.POST.get("email", "")
    try:
        sent = create_account_with_admin(name, email, actor=request.user)
    except Fix as error:
        return _page(request, refused=error, typed={"name": name, "email": email}, status=409)
    if sent.delivery.way is not Way.MAILED:
        return _page(request, sent=sent)
    messages.success(request, f"{sent.invitation.account} is there, and {email} is invited as its Account Admin.")
    return redirect("web:operator")


@require_POST
@operator_page
def enter(request: PersonRequest, slug: str) -> HttpResponse:
    """Every entry is kept in the account's history, where its admins see it."""
    account = _account(slug)
    try:
        enter_account(account, request.user)
    except Fix as error:
        tell(request, error)
        return redirect("web:operator")
    leave_entered(request)
    request.session[ENTERED_ACCOUNT] = account.pk
    return redirect("web:overview")


@require_POST
@operator_page
def leave(request: PersonRequest) -> HttpResponse:
    leave_entered(request)
    return redirect("web:operator")


@require_POST
@operator_page
def set_limit(request: PersonRequest, slug: str) -> HttpResponse:
    """The Daily CRM API Limit of an account, kept in its history with the operator's name (row B2)."""
    account, typed, seen = _account(slug), request.POST.get("daily_limit_calls", ""), request.POST.get("began_from", "")
    try:
        limit = change_daily_limit(
            account, typed, f"{request.user.email} (operator)", expected=int(seen) if seen.isdecimal() else None
        )
    except Fix as error:
        return _page(request, limiting=Limiting(account, daily_limit(account), typed, error), status=409)
    messages.success(request, f"The Daily CRM API Limit of {account} is {number(limit)} calls.")
    return redirect("web:operator")


@require_POST
@operator_page
def close(request: PersonRequest, slug: str) -> HttpResponse:
    account = _account(slug)
    if request.POST.get("name", "").strip() != account.name:
        return _page(request, closing=account, not_closed=True, status=409)
    close_account(account, actor=request.user)
    messages.success(request, f"{account} is closed. Everything that it holds is kept.")
    return redirect("web:operator")


@require_POST
@operator_page
def reopen(request: PersonRequest, slug: str) -> HttpResponse:
    account = _account(slug)
    reopen_account(account, actor=request.user)
    messages.success(request, f"{account} is open again.")
    return redirect("web:operator")


def _account(slug: str) -> Account:
    account = Account.objects.filter(slug=slug).first()
    if account is None:
        raise Http404(slug)
    return account


def _limiting(account: Account) -> Limiting:
    limit = daily_limit(account)
    return Limiting(account, limit, number(limit), None)


def _page(
    request: PersonRequest,
    *,
    sent: Sent | None = None,
    refused: Fix | None = None,
    typed: dict[str, str] | None = None,
    limiting: Limiting | None = None,
    closing: Account | None = None,
    not_closed: bool = False,
    status: int = 200,
) -> HttpResponse:
    asked, to_limit = request.GET.get("close", ""), request.GET.get("limit", "")
    facts = {
        "states": list(account_states()),
        "sent": sent,
        "refused": refused,
        "typed": typed or {},
        "limiting": limiting or (_limiting(_account(to_limit)) if to_limit else None),
        "closing": closing or (_account(asked) if asked else None),
        "not_closed": not_closed,
    }
    return render(request, "web/operator.html", facts, status=status)
