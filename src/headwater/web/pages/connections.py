"""Settings > Connections: set up, confirm, re-authorise and leave the account's one org.

Every act ends on the same page, with what came of it. Not here: the rules (connections/services.py).
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from headwater.accounts.models import Account
from headwater.common.errors import Fix, Wait
from headwater.connections import lifecycle
from headwater.connections.client_apps import shown
from headwater.connections.models import Connection, Status
from headwater.connections.package import is_read_only, last_check
from headwater.connections.parity_verdict import Level
from headwater.connections.preflight import PRICE_CALLS as PREFLIGHT_CALLS
from headwater.connections.preflight import latest_preflight, summary_of
from headwater.connections.services import Callback, begin, callback_address, connection_of, login_url_for, place_of
from headwater.connections.snapshot import PRICE_CALLS, pair_before_confirming
from headwater.credits.services import today
from headwater.jobs.services import JobView, job_view, latest
from headwater.sync.objects import OBJECTS
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import Told, tell, telling
from headwater.web.wording import ENVIRONMENTS
from headwater.wiring import (
    compare_snapshots,
    confirm_connection,
    connect_by_server,
    delete_connection,
    deletion,
    finish_connecting,
    look_before_confirming,
)

AGAIN = "again"  # the environment of a re-authorisation: wherever the org was connected before
PAGE = "web:connections"
WRONG_PLACE = {"connections.bad_my_domain", "connections.unknown_environment"}  # shown beside the choice
SHOWN_DIFFERENCES = 20  # on the confirmation page; the report has them all


@require_GET
@member_page
def connections(request: MemberRequest) -> HttpResponse:
    return _page(request, dialog=request.GET.get("dialog", ""))


@require_POST
@admin_action
def connect(request: MemberRequest) -> HttpResponse:
    """Hand over to Salesforce's own log-in page, or say why nobody can be sent there; a server logs in by itself."""
    used = shown(request.account)
    if used is not None and not used.needs_browser:
        return _connect_by_server(request)
    try:
        address = begin(
            request.account,
            login_url=_login_url(request),
            redirect_uri=callback_address(),
            actor=request.user.email,
        )
    except Told as error:
        if error.code in WRONG_PLACE:
            return _page(request, dialog="environment", refused=error, status=409)
        tell(request, error)
        return redirect(PAGE)
    return redirect(address)


def _connect_by_server(request: MemberRequest) -> HttpResponse:
    try:
        row = connect_by_server(request.account, actor=request.user.email)
    except Told as error:
        tell(request, error)
        return redirect(PAGE)
    return _after_log_in(request, row)


@require_GET
@admin_action
def callback(request: MemberRequest) -> HttpResponse:
    """Where Salesforce sends the browser back to, with a code or a refusal."""
    answer = Callback(
        state=request.GET.get("state", ""),
        code=request.GET.get("code", ""),
        error=request.GET.get("error", ""),
        error_description=request.GET.get("error_description", ""),
    )
    try:
        row = finish_connecting(request.account, answer, actor=request.user.email)
    except Told as error:
        tell(request, error)
        return redirect(PAGE)
    return _after_log_in(request, row)


def _after_log_in(request: MemberRequest, row: Connection) -> HttpResponse:
    if row.status == Status.AWAITING_CONFIRMATION:
        _compare(request)
        return redirect("web:connections_confirm")
    _say_connected(request, row)
    return redirect(PAGE)


def _compare(request: MemberRequest) -> None:
    """With the org that was tried before; that it cannot be compared is told, and keeps nobody from confirming."""
    with telling(request):
        look_before_confirming(request.account, actor=request.user.email)


@require_http_methods(["GET", "POST"])
@admin_action
def confirm(request: MemberRequest) -> HttpResponse:
    """Which org and user logged in, and what will be read; only the button there lets the connection go live."""
    row = connection_of(request.account)
    if request.method == "POST":
        with telling(request):
            row = confirm_connection(request.account, org_id=request.POST.get("org_id", ""), actor=request.user.email)
            _say_connected(request, row)
        return redirect(PAGE)
    if row is None or row.status != Status.AWAITING_CONFIRMATION:
        return redirect(PAGE)
    facts = {"connection": row, "objects": OBJECTS, "limit_calls": today(request.account).limit_calls}
    facts["preflight_calls"] = PREFLIGHT_CALLS
    return render(request, "web/settings/connection_confirm.html", {**facts, **_switch(row)})


def _switch(row: Connection) -> dict[str, Any]:
    """What the confirmation shows of parity: `tried` is the org before this one, if there was one."""
    tried, arriving = pair_before_confirming(row.account, row)
    facts: dict[str, Any] = {"tried": tried, "arriving": arriving, "price_calls": PRICE_CALLS}
    if tried is None or arriving is None:
        return facts
    found = compare_snapshots(tried, arriving)
    urgent = found.of(level=Level.MATTERS.value)
    facts |= {"found": found, "counts": list(found.counts.items()), "urgent": urgent[:SHOWN_DIFFERENCES]}
    return facts | {"more_urgent": max(0, len(urgent) - SHOWN_DIFFERENCES)}


@require_POST
@admin_action
def decline(request: MemberRequest) -> HttpResponse:
    with telling(request):
        lifecycle.decline(request.account, actor=request.user.email)
        messages.success(request, "Left: the log-in is revoked, and nothing was read.")
    return redirect(PAGE)


@require_POST
@admin_action
def disconnect(request: MemberRequest) -> HttpResponse:
    with telling(request):
        row = lifecycle.disconnect(request.account, actor=request.user.email)
        messages.success(request, f"Disconnected from {row.org_name}. What was read stays; the key connects again.")
    return redirect(PAGE)


@require_POST
@admin_action
def delete(request: MemberRequest) -> HttpResponse:
    """Also goes on with a deletion that was stopped: the name was typed when it began."""
    try:
        delete_connection(request.account, typed_name=request.POST.get("name", ""), actor=request.user.email)
    except Told as error:
        if error.code == "connections.name_not_typed":
            return _page(request, dialog="delete", refused=error, status=409)
        tell(request, error)
    return redirect(PAGE)


def _say_connected(request: MemberRequest, row: Connection) -> None:
    kind = ENVIRONMENTS.get(row.org_kind, row.org_kind)
    messages.success(request, f"Connected to {row.org_name} ({kind}) as {row.username}.")


def _login_url(request: MemberRequest) -> str:
    environment = request.POST.get("environment", "")
    connected = connection_of(request.account)
    if environment == AGAIN and connected is not None:
        return connected.login_url
    return login_url_for(environment, request.POST.get("my_domain", "").strip())


def _page(
    request: MemberRequest,
    *,
    dialog: str = "",
    refused: Fix | Wait | None = None,
    status: int = 200,
) -> HttpResponse:
    app = shown(request.account)
    environment, my_domain = place_of(app.login_url if app else "")
    looked = latest_preflight(request.account)
    facts: dict[str, Any] = {
        "preflight": summary_of(looked) if looked else None,
        "preflight_calls": PREFLIGHT_CALLS,
        "connection": connection_of(request.account),
        "dialog": dialog,
        "refused": refused if dialog == "environment" else None,
        "not_deleted": refused if dialog == "delete" else None,
        "chosen": request.POST.get("environment", environment),
        "typed_my_domain": request.POST.get("my_domain", my_domain),
        "package_check": last_check(request.account),
        "is_read_only": is_read_only(request.account),
        "callback_address": callback_address(),
        "used_app": app,
        "opened_elsewhere": _is_elsewhere(request),
        "deletion": _deletion_view(request.account),
    }
    return render(request, "web/settings/connections.html", facts, status=status)


def _deletion_view(account: Account) -> JobView | None:
    job = latest(str(account.pk), deletion.name)
    return job_view(job) if job else None


def _is_elsewhere(request: HttpRequest) -> bool:
    """The browser came by another host name than Salesforce will send it back to, where it is not logged in."""
    return request.get_host() != urlsplit(settings.BASE_URL).netloc
