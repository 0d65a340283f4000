"""The first page after log-in, and the switch between the accounts of one person."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from headwater.accounts.models import Role
from headwater.accounts.services import members_of
from headwater.web.acting import CHOSEN_ACCOUNT, MemberRequest, member_page


@member_page
def overview(request: MemberRequest) -> HttpResponse:
    admins = [member.user for member in members_of(request.account).filter(role=Role.ADMIN)]
    return render(request, "web/overview.html", {"admins": admins})


@require_POST
@member_page
def choose_account(request: MemberRequest, slug: str) -> HttpResponse:
    """Act for another of one's own accounts from now on."""
    chosen = [account for account in request.accounts if account.slug == slug]
    if not chosen:
        raise Http404(slug)
    request.session[CHOSEN_ACCOUNT] = chosen[0].pk
    return redirect("web:overview")
