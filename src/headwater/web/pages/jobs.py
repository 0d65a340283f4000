"""Diagnose > Jobs: start work, watch it, cancel or retry it."""

from collections.abc import Mapping

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.common.errors import Fix
from headwater.credits.services import calls_of_job
from headwater.jobs.models import Job
from headwater.jobs.services import cancel, job_view, jobs_of, retry, steps_of
from headwater.sync.services import plan_against_actual
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import telling
from headwater.web.wording import TASKS, result_lines
from headwater.wiring import WORK

PAGE_JOBS = 20
SHOWN_STEPS = 200
BACK = {"replica": "web:replica"}  # pages besides the list of jobs that start and cancel work


@require_GET
@member_page
def job_list(request: MemberRequest) -> HttpResponse:
    """The whole page, or for htmx the list alone."""
    page = Paginator(jobs_of(str(request.account.pk)), PAGE_JOBS).get_page(request.GET.get("page"))
    facts = {"page": page, "views": [job_view(job) for job in page]}
    is_part = "HX-Request" in request.headers
    return render(request, "web/parts/job_list.html" if is_part else "web/jobs.html", facts)


@require_GET
@member_page
def job_detail(request: MemberRequest, job_id: int) -> HttpResponse:
    job = _job(request, job_id)
    view = job_view(job)
    facts = {
        "view": view,
        "against": plan_against_actual(request.account, str(job.pk)),
        "spent_calls": calls_of_job(request.account, str(job.pk)),
        "steps": steps_of(job)[:SHOWN_STEPS],
        "results": list(result_lines(view.result)) if isinstance(view.result, Mapping) else [],
    }
    is_part = "HX-Request" in request.headers
    return render(request, "web/parts/job.html" if is_part else "web/job.html", facts)


@require_POST
@admin_action
def start(request: MemberRequest, work: str) -> HttpResponse:
    if work not in WORK:
        raise Http404(work)
    job = WORK[work](request.account)
    messages.success(request, f"{TASKS[job.task]} is in the queue as job {job.pk}.")
    return _back(request)


@require_POST
@admin_action
def cancel_job(request: MemberRequest, job_id: int) -> HttpResponse:
    cancel(_job(request, job_id))
    return _back(request)


@require_POST
@admin_action
def retry_job(request: MemberRequest, job_id: int) -> HttpResponse:
    with telling(request, Fix):
        retry(_job(request, job_id))
    return _back(request)


def _back(request: MemberRequest) -> HttpResponse:
    """To the page on which the button stands."""
    return redirect(BACK.get(request.POST.get("back", ""), "web:jobs"))


def _job(request: MemberRequest, job_id: int) -> Job:
    job = jobs_of(str(request.account.pk)).filter(pk=job_id).first()
    if job is None:
        raise Http404(job_id)
    return job
