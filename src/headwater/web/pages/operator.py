"""The operator's page: all accounts of this installation; make one, open it to act in it, close it, open it again."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.invitations import Sent, create_account_with_admin
from headwater.accounts.mail import Way
from headwater.accounts.models import Account
from headwater.accounts.services import enter_account
from headwater.common.errors import Fix
from headwater.operating import account_states
from headwater.web.acting import ENTERED_ACCOUNT, PersonRequest, leave_entered, operator_page
from headwater.web.telling import tell
from headwater.wiring import close_account, reopen_account


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


def _page(
    request: PersonRequest,
    *,
    sent: Sent | None = None,
    refused: Fix | None = None,
    typed: dict[str, str] | None = None,
    closing: Account | None = None,
    not_closed: bool = False,
    status: int = 200,
) -> HttpResponse:
    asked = request.GET.get("close", "")
    facts = {
        "states": list(account_states()),
        "sent": sent,
        "refused": refused,
        "typed": typed or {},
        "closing": closing or (_account(asked) if asked else None),
        "not_closed": not_closed,
    }
    return render(request, "web/operator.html", facts, status=status)
