"""Discover > Revenue: what was won, by channel, as each attribution model shares it out."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from headwater.results.services import RevenueTable, latest_run, revenue_by_channel
from headwater.web.acting import MemberRequest, member_page
from headwater.web.templatetags.headwater import amount, channel_name

ALL = "all"


@require_GET
@member_page
def revenue(request: MemberRequest) -> HttpResponse:
    run = latest_run(request.account)
    if run is None:
        return render(request, "web/revenue.html", {"run": None})
    table = revenue_by_channel(request.account)
    by_slug = {slugify(model): model for model in table.models}
    chosen = request.GET.get("model", next(iter(by_slug)))
    if chosen != ALL and chosen not in by_slug:
        raise Http404(chosen)
    shown = table.models if chosen == ALL else (by_slug[chosen],)
    facts = {
        "run": run,
        "table": table,
        "choices": [*by_slug.items(), (ALL, "All models")],
        "chosen": chosen,
        "shown": shown,
        "chart": _chart(table, shown),
    }
    return render(request, "web/revenue.html", facts)


def _chart(table: RevenueTable, shown: tuple[str, ...]) -> dict[str, Any]:
    """Bars side by side: a group a channel, a bar a model; lengths in cents, each with its amount in words."""
    series = [
        {
            "name": model,
            "values": [row.cents[model] for row in table.rows],
            "labels": [amount(row.cents[model]) for row in table.rows],
        }
        for model in shown
    ]
    return {"categories": [channel_name(row) for row in table.rows], "series": series}
