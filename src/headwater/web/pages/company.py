"""Log in with your company: from an e-mail address to the account's identity provider, and back as a member.

Not here: whom a provider may log in (signin/vouching.py), setting one up (single_sign_on.py).
"""

import secrets
from dataclasses import asdict
from typing import Any, cast

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from headwater.accounts.models import Account, Role
from headwater.common.errors import Facts, Fix
from headwater.signin import oidc, saml
from headwater.signin.models import Protocol, SingleSignOn
from headwater.signin.sso import mark_tried, sso_for, the_sso
from headwater.signin.vouching import Assertion, person_for, require_trustworthy
from headwater.web.acting import CAME_BY, AccountRequest
from headwater.web.leaving import ERRAND, LOG_IN, TRIAL, here_of, sent_to_provider
from headwater.web.telling import Told, tell

FINISH_SECONDS = 120
REFUSED = "refused"


@require_http_methods(["GET", "POST"])
def company(request: HttpRequest) -> HttpResponse:
    """Asks for the address, as its domain says whose provider to ask."""
    email = request.POST.get("email", "").strip()
    if request.method == "POST":
        too_often = ratelimit.consume_or_429(request, action="login")  # each one may ask a provider something
        if too_often is not None:
            return cast("HttpResponse", too_often)
        row = sso_for(email)
        if row is not None:
            try:
                return sent_to_provider(request, row, LOG_IN)
            except Told as error:
                tell(request, error)
        else:
            messages.error(request, "No company here uses single sign-on for this address. Log in with your password.")
    return render(request, "web/company.html", {"email": email})


@require_GET
def openid_answer(request: HttpRequest, slug: str) -> HttpResponse:
    row = _row(slug, Protocol.OIDC)
    errand = _errand(request, row)
    try:
        return _welcome(request, row, errand, oidc.answer_of(row, request))
    except Told as error:
        tell(request, error)
        return _back(errand)


@csrf_exempt  # the provider's page posts it; the signature and the request it answers are what counts
@require_POST
def saml_answer(request: HttpRequest, slug: str) -> HttpResponse:
    """Checked here, and finished in a request of our own site: this one comes from another and brings no session."""
    row = _row(slug, Protocol.SAML)
    response = redirect("web:company_saml_finish", slug=slug)
    form = {"SAMLResponse": request.POST.get("SAMLResponse", "")}
    try:
        assertion, answers = saml.checked(row, here_of(row.account), form)
    except Told as error:
        tell(request, error)  # waits in a cookie, as there is no session
        response["Location"] += f"?{REFUSED}"
        return response
    key, kept = secrets.token_urlsafe(32), {**asdict(assertion), "answers": answers, "account": row.account_id}
    cache.set(f"saml-answer:{key}", kept, FINISH_SECONDS)
    response["Location"] += f"?answer={key}"
    return response


@require_GET
def saml_finish(request: HttpRequest, slug: str) -> HttpResponse:
    row = _row(slug, Protocol.SAML)
    errand = _errand(request, row)
    if REFUSED in request.GET:
        return _back(errand)
    key = f"saml-answer:{request.GET.get('answer', '')}"
    kept: dict[str, Any] = cache.get(key, {})
    cache.delete(key)
    is_answer = kept.pop("account", None) == row.account_id and kept.pop("answers", "") == errand.get("request_id")
    try:
        if not is_answer:
            raise _not_asked()
        return _welcome(request, row, errand, Assertion(**kept))
    except Told as error:
        tell(request, error)
        return _back(errand)


@require_GET
def saml_metadata(_request: HttpRequest, slug: str) -> HttpResponse:
    account = get_object_or_404(Account, slug=slug)
    return HttpResponse(saml.our_metadata(here_of(account)), content_type="application/samlmetadata+xml")


def _row(slug: str, protocol: str) -> SingleSignOn:
    return get_object_or_404(SingleSignOn.of_all().select_related("account"), account__slug=slug, protocol=protocol)


def _errand(request: HttpRequest, row: SingleSignOn) -> dict[str, Any]:
    """What this browser was sent to this account's provider for; each errand is run once."""
    errand: dict[str, Any] = request.session.pop(ERRAND, {})
    return errand if errand.get("account") == row.account_id else {"errand": LOG_IN}


def _welcome(request: HttpRequest, row: SingleSignOn, errand: dict[str, Any], assertion: Assertion) -> HttpResponse:
    if "account" not in errand:
        raise _not_asked()
    if errand["errand"] == TRIAL:
        return _tried(request, row, assertion)
    if not the_sso(row.account).is_on:
        raise Fix("signin.switched_off", f"Single sign-on of {row.account} is switched off.")
    person = person_for(row, assertion)
    answer: HttpResponse = perform_login(
        request, person, email_verification="none", redirect_url="/", signal_kwargs={CAME_BY: row.account_id}
    )
    return answer


def _tried(request: HttpRequest, row: SingleSignOn, assertion: Assertion) -> HttpResponse:
    """A trial logs nobody in: it tells the admin what the provider said."""
    acting = cast("AccountRequest", request)
    if acting.account != row.account or acting.role != Role.ADMIN:
        raise _not_asked()
    require_trustworthy(row, assertion)
    mark_tried(row)
    name = f" ({assertion.name})" if assertion.name else ""
    messages.success(request, f"It works: the provider vouched for {assertion.email}{name}. Nothing else was changed.")
    return redirect("web:authentication")


def _back(errand: dict[str, Any]) -> HttpResponse:
    return redirect("web:authentication" if errand["errand"] == TRIAL else "web:company")


def _not_asked() -> Fix:
    return Fix(
        "signin.not_asked",
        "This browser did not ask for that answer, or used it already.",
        Facts(
            why="An answer counts once, for the request that it answers, within ten minutes.",
            left="Nobody was logged in.",
            you_can="begin again here, with your e-mail address",
        ),
    )
