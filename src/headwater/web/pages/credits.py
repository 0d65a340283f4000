"""Diagnose > Credits: what the current window has spent, on what, and what the org says of itself."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from headwater.credits.services import Spending, today
from headwater.web.acting import MemberRequest, member_page
from headwater.web.wording import CALL_KINDS, JOB_KINDS


@require_GET
@member_page
def credits_today(request: MemberRequest) -> HttpResponse:
    window = today(request.account)
    return render(request, "web/credits.html", {"today": window, "chart": _chart(window.spending)})


def _chart(spending: tuple[Spending, ...]) -> dict[str, Any]:
    """A bar a job; each row of the table is a piece of its job's bar, coloured by the kind of call."""
    jobs = list(dict.fromkeys(JOB_KINDS.get(row.job_kind, row.job_kind) for row in spending))
    pieces = [
        {
            "name": CALL_KINDS.get(row.call_kind, row.call_kind),
            "of": JOB_KINDS.get(row.job_kind, row.job_kind),
            "value": row.calls,
            "note": row.sobject,
        }
        for row in spending
    ]
    return {"categories": jobs, "pieces": pieces}
