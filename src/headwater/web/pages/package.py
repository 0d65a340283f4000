"""Settings > CRM > Salesforce package: what of it is in the org, what an installation would change, its progress, its
files, and whether anything is written at all.

A visit spends no credit: it shows what the org was last seen to have. Not here: the rules (connections/package).
"""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.models import Account
from headwater.accounts.services import events_of
from headwater.connections.models import Status
from headwater.connections.package import (
    CHOOSING,
    INSTALLING,
    PERMISSION_SETS,
    VERSION,
    choose_read_only,
    downloads,
    installed,
    is_read_only,
    last_check,
    price_of,
    total_calls,
)
from headwater.connections.services import connection_of
from headwater.jobs.models import ENDED, State
from headwater.jobs.services import JobView, job_view, jobs_of, latest
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import telling
from headwater.wiring import install_package

PAGE = "web:package"
SHOWN_EVENTS = 10
_TYPES = {".zip": "application/zip", ".md": "text/markdown; charset=utf-8"}


@require_GET
@member_page
def package(request: MemberRequest) -> HttpResponse:
    account = request.account
    row = connection_of(account)
    checked = last_check(account)
    price = price_of(checked.comparison) if checked else ()
    view = _job(account)
    facts = {
        "connection": row,
        "is_live": row is not None and row.status == Status.CONNECTED,
        "is_read_only": is_read_only(account),
        "checked": checked,
        "found": checked.comparison if checked else None,
        "version": VERSION,
        "price": price,
        "price_calls": total_calls(price),
        "view": view,
        "is_under_way": view is not None and view.state not in (*ENDED, State.BLOCKED),
        "before_it": _running_before(account, view),
        "permission_sets": PERMISSION_SETS,
        "downloads": {name: len(content) for name, content in downloads().items()},
        "events": events_of(account).filter(action__in=[INSTALLING, CHOOSING, "package.assigned"])[:SHOWN_EVENTS],
    }
    return render(request, "web/settings/package.html", facts)


@require_POST
@admin_action
def check(request: MemberRequest) -> HttpResponse:
    with telling(request):
        installed(request.account)
    return redirect(PAGE)


@require_POST
@admin_action
def install(request: MemberRequest) -> HttpResponse:
    with telling(request):
        install_package(request.account, actor=request.user.email)
    return redirect(PAGE)


@require_POST
@admin_action
def choose_writing(request: MemberRequest) -> HttpResponse:
    chosen = request.POST.get("writing")
    if chosen not in ("read_only", "write_back"):
        raise Http404(chosen)
    read_only = chosen == "read_only"
    if choose_read_only(request.account, read_only=read_only, actor=request.user.email):
        told = "Nothing is written to Salesforce from now on." if read_only else "Headwater writes touchpoints back."
        messages.success(request, told)
    return redirect(PAGE)


@require_GET
@member_page
def download(request: MemberRequest, name: str) -> HttpResponse:  # noqa: ARG001 - the same files for every account
    found = downloads()
    if name not in found:
        raise Http404(name)
    suffix = name[name.rindex(".") :]
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(found[name], content_type=_TYPES[suffix], headers=headers)


def _job(account: Account) -> JobView | None:
    job = latest(str(account.pk), INSTALLING)
    return job_view(job) if job else None


def _running_before(account: Account, view: JobView | None) -> JobView | None:
    """The job that the installation waits for: jobs of one account never run side by side."""
    if view is None or view.state is not State.QUEUED:
        return None
    running = jobs_of(str(account.pk)).filter(state=State.RUNNING).first()
    return job_view(running) if running else None
