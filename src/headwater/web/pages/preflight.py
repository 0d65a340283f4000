"""Settings > Connections > Preflight: what the connected user may, what is missing, and what to send to the admin.

Not here: what is looked at and how (connections/preflight.py).
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.connections.models import PreflightRun
from headwater.connections.preflight import (
    INTEGRATION_SET,
    PRICE_CALLS,
    as_text,
    earlier_preflights,
    findings_of,
    latest_preflight,
    permission_set_zip,
    summary_of,
)
from headwater.connections.services import connection_of
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import telling
from headwater.wiring import preflight as look

PAGE = "web:connections_preflight"


@require_GET
@member_page
def preflight(request: MemberRequest) -> HttpResponse:
    connection, run = connection_of(request.account), latest_preflight(request.account)
    facts = {
        "connection": connection,
        "price_calls": PRICE_CALLS,
        "run": run,
        "summary": summary_of(run) if run else None,
        "findings": findings_of(run) if run else [],
        "text": as_text(run, connection.instance_url) if run and connection else "",
        "earlier": [(each, summary_of(each)) for each in earlier_preflights(request.account)],
        "integration_set": INTEGRATION_SET,
    }
    return render(request, "web/settings/preflight.html", facts)


@require_POST
@admin_action
def run_preflight(request: MemberRequest) -> HttpResponse:
    with telling(request):
        run = look(request.account, actor=request.user.email)
        messages.success(request, f"Looked at what {run.username} may.")
    return redirect(PAGE)


@require_GET
@member_page
def text(request: MemberRequest) -> HttpResponse:
    connection, run = connection_of(request.account), latest_preflight(request.account)
    if run is None or connection is None:
        return redirect(PAGE)
    content = as_text(run, connection.instance_url)
    return _file(content.encode(), "text/plain; charset=utf-8", _name(run, "txt"))


@require_GET
@member_page
def permission_set(request: MemberRequest) -> HttpResponse:
    run = latest_preflight(request.account)
    if run is None:
        return redirect(PAGE)
    return _file(permission_set_zip(run), "application/zip", f"{INTEGRATION_SET}.zip")


def _name(run: PreflightRun, ending: str) -> str:
    return f"preflight-{run.org_id}-{run.ran_utc:%Y-%m-%d}.{ending}"


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
