"""Sends a person to an account's identity provider, to log in or to try it, and knows our addresses there.

By a Refresh on a page of ours: the content security policy lets no form of ours lead to a foreign host. Not here: what
comes back (pages/company.py).
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from headwater.accounts.models import Account
from headwater.signin import oidc, saml
from headwater.signin.models import Protocol, SingleSignOn

ERRAND = "single_sign_on_errand"  # key in the session: what the person was sent to the provider for
LOG_IN, TRIAL = "log in", "trial"


def address_of(view: str, account: Account) -> str:
    return settings.BASE_URL.rstrip("/") + reverse(f"web:{view}", args=[account.slug])


def here_of(account: Account) -> saml.Here:
    return saml.Here(address_of("company_saml_metadata", account), address_of("company_saml", account))


def sent_to_provider(request: HttpRequest, row: SingleSignOn, errand: str) -> HttpResponse:
    request_id = ""
    if row.protocol == Protocol.SAML:
        address, request_id = saml.way_to(row, here_of(row.account))
    else:
        address = oidc.way_to(row, request, address_of("company_oidc", row.account))
    request.session[ERRAND] = {"account": row.account_id, "errand": errand, "request_id": request_id}
    page = render(request, "web/leaving.html", {"address": address, "host": urlsplit(address).netloc})
    page["Refresh"] = f"0; url={address}"
    return page
