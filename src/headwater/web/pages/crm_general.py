"""Settings > CRM > General: the Daily CRM API Limit behind its lock, and who changed it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.models import Role
from headwater.common.errors import Fix
from headwater.credits.models import DEFAULT_DAILY_LIMIT_CALLS, MINIMUM_DAILY_LIMIT_CALLS
from headwater.credits.services import daily_limit, limit_changes
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.templatetags.headwater import number
from headwater.wiring import change_daily_limit

LIMIT = "limit"  # what ?edit= names


@require_GET
@member_page
def crm_general(request: MemberRequest) -> HttpResponse:
    is_open = request.GET.get("edit") == LIMIT and request.role is Role.ADMIN
    return _page(request, is_open=is_open)


@require_POST
@admin_action
def save_daily_limit(request: MemberRequest) -> HttpResponse:
    """The form carries the value it began from, so that nobody overwrites a change that they have not seen."""
    typed, began_from = request.POST.get("daily_limit", ""), request.POST.get("began_from", "")
    try:
        limit = change_daily_limit(
            request.account,
            typed,
            request.user.email,
            expected=int(began_from) if began_from.isdecimal() else None,
        )
    except Fix as error:
        return _page(request, is_open=True, typed=typed, refused=error, status=409)
    messages.success(request, f"The Daily CRM API Limit is {number(limit)} calls.")
    return redirect("web:crm_general")


def _page(
    request: MemberRequest, *, is_open: bool, typed: str = "", refused: Fix | None = None, status: int = 200
) -> HttpResponse:
    limit = daily_limit(request.account)
    facts = {
        "limit": limit,
        "is_open": is_open,
        "typed": typed if refused else limit,
        "refused": refused,
        "changes": limit_changes(request.account),
        "minimum": MINIMUM_DAILY_LIMIT_CALLS,
        "default": DEFAULT_DAILY_LIMIT_CALLS,
    }
    return render(request, "web/settings/crm_general.html", facts, status=status)
