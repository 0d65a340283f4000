"""Settings > Authentication, single sign-on: the provider's values, the trial, the switches and the domains.

Every act ends on the Authentication page. Not here: logging in through it (company.py).
"""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from headwater.signin import oidc, saml, sso
from headwater.web.acting import MemberRequest, admin_action
from headwater.web.leaving import TRIAL, sent_to_provider
from headwater.web.telling import Told, tell, telling

PAGE = "web:authentication"
SWITCHES = ("is_on", "is_only_way", "joins")
KEPT = "Kept. Try it now: it is switched on after that."


def _ended(request: MemberRequest, deed: Callable[[], object], said: str) -> HttpResponse:
    with telling(request):
        deed()
        messages.success(request, said)
    return redirect(PAGE)


@require_POST
@admin_action
def keep_openid(request: MemberRequest) -> HttpResponse:
    def deed() -> None:
        sso.keep_oidc(
            request.account,
            issuer=oidc.checked_issuer(request.POST.get("issuer", "")),
            client_id=request.POST.get("client_id", "").strip(),
            secret=request.POST.get("client_secret", "").strip(),
            trusts_addresses="trusts_addresses" in request.POST,
            actor=request.user,
        )

    return _ended(request, deed, KEPT)


@require_POST
@admin_action
def keep_saml_provider(request: MemberRequest) -> HttpResponse:
    """By address, by file or pasted; the address is kept, so that it can be read again."""
    address = request.POST.get("metadata_url", "").strip()
    file = request.FILES.get("metadata_file")

    def deed() -> None:
        pasted = file.read().decode(errors="replace") if file else request.POST.get("metadata", "")
        found = saml.read_metadata(saml.fetch_metadata(address) if address else pasted)
        sso.keep_saml(
            request.account,
            issuer=found.issuer,
            login_url=found.login_url,
            certificates=found.certificates,
            metadata_url=address,
            actor=request.user,
        )

    return _ended(request, deed, KEPT)


@require_POST
@admin_action
def try_it(request: MemberRequest) -> HttpResponse:
    try:
        return sent_to_provider(request, sso.the_sso(request.account), TRIAL)
    except Told as error:
        tell(request, error)
        return redirect(PAGE)


@require_POST
@admin_action
def switch_it(request: MemberRequest) -> HttpResponse:
    name, on = request.POST.get("switch", ""), request.POST.get("to") == "on"
    if name not in SWITCHES:
        return redirect(PAGE)
    said = f"Switched {'on' if on else 'off'}."
    return _ended(request, lambda: sso.switch(request.account, name, on=on, actor=request.user), said)


@require_POST
@admin_action
def remove(request: MemberRequest) -> HttpResponse:
    said = "Single sign-on is removed; sessions that came by it are over."
    return _ended(request, lambda: sso.remove_sso(request.account, actor=request.user), said)


@require_POST
@admin_action
def domain(request: MemberRequest) -> HttpResponse:
    name = request.POST.get("domain", "")
    if request.POST.get("deed") == "release":
        return _ended(
            request, lambda: sso.release_domain(request.account, name, actor=request.user), f"{name} is gone."
        )
    said = "Added. It counts once whoever operates this Headwater has confirmed it."
    return _ended(request, lambda: sso.claim_domain(request.account, name, actor=request.user), said)
