"""Settings > Authentication: what the account demands of whoever logs in. And where people without a factor are led.

Not here: setting up a factor, which is the person's own affair (django-allauth's pages under /accounts/2fa/).
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.services import members_of
from headwater.signin.factors import (
    has_second_factor,
    members_without_factor,
    require_second_factor,
    requires_second_factor,
)
from headwater.signin.sso import domains_of, sso_of
from headwater.web.acting import MemberRequest, PersonRequest, admin_action, member_page, own_page
from headwater.web.leaving import address_of, here_of
from headwater.web.telling import telling

PAGE = "web:authentication"


@require_GET
@member_page
def authentication(request: MemberRequest) -> HttpResponse:
    facts = {
        "is_required": requires_second_factor(request.account),
        "without": members_without_factor(request.account),
        "member_count": members_of(request.account).count(),
        "has_own": has_second_factor(request.user),
        "sso": sso_of(request.account),
        "domains": domains_of(request.account),
        "redirect_address": address_of("company_oidc", request.account),
        "saml_here": here_of(request.account),
    }
    return render(request, "web/settings/authentication.html", facts)


@require_POST
@admin_action
def second_factor(request: MemberRequest) -> HttpResponse:
    required = request.POST.get("rule") == "required"
    with telling(request):
        require_second_factor(request.account, required=required, actor=request.user)
        said = "Everybody needs a second factor now." if required else "A second factor is everybody's own choice now."
        messages.success(request, said)
    return redirect(PAGE)


@require_GET
@own_page
def factor_needed(request: PersonRequest) -> HttpResponse:
    """Stands before every page of an account that demands a factor, for its members without one."""
    if request.account is None or has_second_factor(request.user):
        return redirect("web:overview")
    return render(request, "web/factor_needed.html")
