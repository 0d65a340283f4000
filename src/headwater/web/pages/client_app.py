"""Settings > Connections > Client app: the External Client App, the guide to it, its check and its files.

Not here: what an app is and when it may change (connections/client_apps.py).
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from headwater.accounts.services import events_of
from headwater.common.errors import Fix
from headwater.connections.certificates import expires_utc, fingerprint
from headwater.connections.client_app_check import Finding, check
from headwater.connections.client_app_files import (
    APP_NAME,
    COMMAND_LINE_CALLBACK,
    PERMISSION_SET,
    metadata_files,
    source_files,
)
from headwater.connections.client_apps import CHANGED, Wish, keep, present_wish, remove, renew_key, row_of, shown
from headwater.connections.metadata_xml import zipped
from headwater.connections.models import LogIn, Status
from headwater.connections.services import callback_address, client_app_files, connection_of, login_url_for, place_of
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import tell, telling
from headwater.web.wording import LOG_IN_WAYS

PAGE = "web:connections_client_app"
SHOWN_CHANGES = 20
LAYOUTS = {"metadata": metadata_files, "source": source_files}


@require_http_methods(["GET", "POST"])
@admin_action
def client_app(request: MemberRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request)
    try:
        row = keep(request.account, _wish(request), actor=request.user.email)
    except Fix as error:
        return _page(request, refused=error, status=409)
    if row.consumer_key or shown(request.account):
        messages.success(request, "Saved. Check it below, then connect.")
    else:
        messages.success(request, "Saved. Now create the app in the org, and enter its consumer key here.")
    return redirect(PAGE)


@require_POST
@admin_action
def check_client_app(request: MemberRequest) -> HttpResponse:
    """Try what stands in the form, without storing it; a part of the page for htmx, else the whole."""
    findings: list[Finding] = []
    refused: Fix | None = None
    try:
        findings = check(request.account, _wish(request), redirect_uri=callback_address())
    except Fix as error:
        refused = error
    if "HX-Request" in request.headers:
        return render(request, "web/settings/client_app_findings.html", {"findings": findings, "refused": refused})
    return _page(request, findings=findings, refused=refused)


@require_POST
@admin_action
def new_key(request: MemberRequest) -> HttpResponse:
    with telling(request, Fix):
        renew_key(request.account, actor=request.user.email, accepts_new_log_in=_accepts(request))
        messages.success(request, "A new key pair is made. Give the org's app the certificate.")
    return redirect(PAGE)


@require_POST
@admin_action
def remove_client_app(request: MemberRequest) -> HttpResponse:
    with telling(request, Fix):
        remove(request.account, actor=request.user.email, accepts_new_log_in=_accepts(request))
        messages.success(request, "The account's own app, its secret and its key are forgotten here.")
    return redirect(PAGE)


@require_GET
@admin_action
def certificate(request: MemberRequest) -> HttpResponse:
    row = row_of(request.account)
    if row is None or not row.certificate:
        return redirect(PAGE)
    return _download(row.certificate.encode(), "application/x-x509-ca-cert", "headwater.crt")


@require_GET
@admin_action
def files(request: MemberRequest) -> HttpResponse:
    """The app's metadata as a zip, in the layout and for the way to log in that the address names."""
    layout, way = request.GET.get("layout", "metadata"), request.GET.get("log_in", "")
    try:
        filled = client_app_files(request.account, LogIn(way) if way in LogIn.values else None)
    except Fix as error:
        tell(request, error)
        return redirect(PAGE)
    made = LAYOUTS.get(layout, metadata_files)(filled)
    return _download(zipped(made), "application/zip", f"headwater-client-app-{layout}.zip")


@require_GET
@member_page
def guide(request: MemberRequest) -> HttpResponse:
    row = row_of(request.account)
    chosen = request.GET.get("log_in") or (row.log_in if row else LogIn.BROWSER)
    way = LogIn(chosen) if chosen in LogIn.values else LogIn.BROWSER
    facts = {
        **_form_facts(request),
        "way": way,
        "app_name": APP_NAME,
        "command_line_callback": COMMAND_LINE_CALLBACK,
        "permission_set": PERMISSION_SET,
    }
    facts["typed"]["log_in"] = way
    return render(request, "web/settings/client_app_guide.html", facts)


def _page(
    request: MemberRequest,
    *,
    findings: list[Finding] | None = None,
    refused: Fix | None = None,
    status: int = 200,
) -> HttpResponse:
    facts = {
        **_form_facts(request),
        "findings": findings or [],
        "refused": refused,
        "used": shown(request.account),
        "changes": events_of(request.account, CHANGED)[:SHOWN_CHANGES],
    }
    return render(request, "web/settings/client_app_page.html", facts, status=status)


def _form_facts(request: MemberRequest) -> dict[str, Any]:
    row, connection = row_of(request.account), connection_of(request.account)
    pem = row.certificate if row else ""
    return {
        "row": row,
        "connection": connection,
        "is_live": connection is not None and connection.status == Status.CONNECTED,
        "ways": LOG_IN_WAYS,
        "typed": _typed(request),
        "callback_address": callback_address(),
        "has_installations_app": bool(settings.SALESFORCE_CLIENT_ID),
        "certificate_expires_utc": expires_utc(pem) if pem else None,
        "certificate_fingerprint": fingerprint(pem) if pem else "",
    }


def _typed(request: MemberRequest) -> dict[str, Any]:
    """What the form shows: what was typed, but never a secret; else what is stored."""
    if request.method == "POST":
        sent = request.POST
        names = ("consumer_key", "log_in", "environment", "my_domain", "username")
        return {**{name: sent.get(name, "") for name in names}, "has_no_secret": "has_no_secret" in sent}
    wish = present_wish(request.account)
    environment, my_domain = place_of(wish.login_url)
    return {
        "consumer_key": wish.consumer_key,
        "log_in": wish.log_in,
        "environment": environment,
        "my_domain": my_domain,
        "username": wish.username,
        "has_no_secret": wish.has_no_secret,
    }


def _wish(request: MemberRequest) -> Wish:
    sent = request.POST
    way = sent.get("log_in", "")
    return Wish(
        consumer_key=sent.get("consumer_key", ""),
        consumer_secret=sent.get("consumer_secret", ""),
        log_in=LogIn(way) if way in LogIn.values else LogIn.BROWSER,
        login_url=login_url_for(sent.get("environment", ""), sent.get("my_domain", "").strip()),
        username=sent.get("username", ""),
        has_no_secret="has_no_secret" in sent,
        accepts_new_log_in=_accepts(request),
    )


def _accepts(request: MemberRequest) -> bool:
    return "accepts_new_log_in" in request.POST


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(content, content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
