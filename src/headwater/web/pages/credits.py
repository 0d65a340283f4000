"""Diagnose > Credits: today against the limit, where it is going, what each window went into, what the org says."""

from datetime import timedelta
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from headwater.common.clock import now_utc
from headwater.credits.budget import budget_of
from headwater.credits.forecast import burn_down
from headwater.credits.quota_settings import settings_of
from headwater.credits.readings import readings
from headwater.credits.reconcile import drift
from headwater.credits.sheets import HISTORY_WINDOWS, SHEETS, Span
from headwater.credits.spending import history
from headwater.jobs.services import job_view
from headwater.watch import waiting_for_room
from headwater.web.acting import MemberRequest, member_page
from headwater.web.breakdown import VIEWS, Chosen, breakdown, chosen_of
from headwater.web.charting import burn_chart, history_chart, readings_chart, split_chart, window_link

READINGS_SHOWN = timedelta(days=7)


@require_GET
@member_page
def credits_page(request: MemberRequest) -> HttpResponse:
    account = request.account
    burn, budget = burn_down(account), budget_of(account)
    windows, settings = history(account, windows=HISTORY_WINDOWS), settings_of(account)
    chosen = chosen_of(request.GET.dict(), windows)
    marked = chosen.window.starts_utc if "window" in request.GET else None
    said = sorted(readings(account, now_utc() - READINGS_SHOWN), key=attrgetter("read_utc"))
    facts = {
        "burn": burn,
        "budget": budget,
        "is_org_nearer": budget.left_calls == budget.org_left_calls,
        "settings": settings,
        "burn_chart": burn_chart(burn, budget),
        "drift": drift(account),
        "readings": said[::-1],
        "readings_chart": readings_chart(said, budget.floor_calls),
        "waiting": [job_view(job) for job in waiting_for_room(account)],
        "windows": [(window, window_link(window.starts_utc)) for window in reversed(windows)],
        "history_chart": history_chart(windows, marked, ZoneInfo(settings.time_zone)),
        **_split(request, chosen),
    }
    return render(request, "web/credits.html", facts)


@require_GET
@member_page
def download(request: MemberRequest, sheet: str) -> HttpResponse:
    """The chosen window or hour as CSV; the history always whole; hours of all of it where no window is chosen."""
    if sheet not in SHEETS:
        raise Http404(sheet)
    windows = history(request.account, windows=HISTORY_WINDOWS)
    is_whole = sheet == "hours" and "window" not in request.GET
    span = Span(windows[0].starts_utc, now_utc()) if is_whole else chosen_of(request.GET.dict(), windows).span
    name = f"headwater-{request.account.slug}-{sheet}-{span.until_utc:%Y-%m-%d}.csv"
    response = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    SHEETS[sheet](request.account, span).write(response)
    return response


def _split(request: MemberRequest, chosen: Chosen) -> dict[str, Any]:
    split = breakdown(request.account, chosen)
    return {
        "chosen": chosen,
        "split": split,
        "split_chart": split_chart(split, chosen),
        "views": [(name, view.label, chosen.query(by=name)) for name, view in VIEWS.items()],
        "span_query": chosen.query(by=""),
        "window_query": chosen.query(by="", hour=""),
        "hours": [(hour, chosen.name_of(hour)) for hour in chosen.hours],
    }
