"""Settings > CRM > Schedule: how often the org is read by itself, what that costs, and reading it now."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.connections.models import Status
from headwater.connections.services import connection_of
from headwater.credits.quota_settings import settings_of
from headwater.jobs.models import ENDED
from headwater.jobs.services import job_view, latest
from headwater.sync.schedule import (
    CYCLE_TASK,
    FORMULA_CHOICES_DAYS,
    cadence_changes,
    cadence_of,
    change_cadence,
    change_formulas,
    formulas_in_words,
    formulas_sentence,
    in_words,
)
from headwater.sync.services import replica_state
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import telling

PAGE = "web:crm_schedule"
OFF = "off"
SHOWN_CHANGES = 20


@require_GET
@member_page
def crm_schedule(request: MemberRequest) -> HttpResponse:
    account = request.account
    row = connection_of(account)
    job = latest(str(account.pk), CYCLE_TASK)
    cadence = cadence_of(account)
    limit_calls = settings_of(account).daily_limit_calls
    facts = {
        "is_live": row is not None and row.status == Status.CONNECTED,
        "replica": replica_state(account),
        "view": job_view(job) if job and job.state not in ENDED else None,
        "cadence": cadence,
        "choices": [
            (choice, in_words(choice.minutes), choice.calls_a_day > limit_calls) for choice in reversed(cadence.choices)
        ],
        "in_words": in_words(cadence.every_minutes),
        "formula_choices": [(days, formulas_in_words(days)) for days in FORMULA_CHOICES_DAYS],
        "formulas_sentence": formulas_sentence(cadence.formulas.every_days),
        "changes": cadence_changes(account)[:SHOWN_CHANGES],
    }
    return render(request, "web/settings/crm_schedule.html", facts)


@require_POST
@admin_action
def save(request: MemberRequest) -> HttpResponse:
    with telling(request):
        cadence = change_cadence(request.account, _chosen(request, "every_minutes"), actor=request.user.email)
        messages.success(request, f"The org is read {in_words(cadence.every_minutes)}.")
    return redirect(PAGE)


@require_POST
@admin_action
def save_formulas(request: MemberRequest) -> HttpResponse:
    with telling(request):
        cadence = change_formulas(request.account, _chosen(request, "every_days"), actor=request.user.email)
        messages.success(request, formulas_sentence(cadence.formulas.every_days))
    return redirect(PAGE)


def _chosen(request: MemberRequest, name: str) -> int | None:
    """The number that was chosen, None for off; anything else is 0, which the service refuses."""
    chosen = request.POST.get(name, "")
    return None if chosen == OFF else int(chosen) if chosen.isascii() and chosen.isdecimal() else 0
