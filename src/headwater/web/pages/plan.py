"""Diagnose > Plan: what the next sync and export will cost, by which call, and what is left afterwards.

A visit asks nobody and costs nothing; making a plan may. Not here: how it is chosen (planning.py and what it asks).
"""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.connections.models import Status
from headwater.connections.services import connection_of
from headwater.planning import Ahead, plan_ahead
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import Told, tell
from headwater.web.wording import CALLS_OF_PLAN

PAGE = "web:plan"


@require_GET
@member_page
def plan(request: MemberRequest) -> HttpResponse:
    return _page(request)


@require_POST
@admin_action
def make(request: MemberRequest) -> HttpResponse:
    try:
        ahead = plan_ahead(request.account, count_changes="count" in request.POST)
    except Told as error:
        tell(request, error)
        return redirect(PAGE)
    return _page(request, ahead)


def _page(request: MemberRequest, ahead: Ahead | None = None) -> HttpResponse:
    row = connection_of(request.account)
    is_live = row is not None and row.status == Status.CONNECTED
    facts = {
        "ahead": ahead,
        "is_live": is_live,
        "chart": _chart(ahead) if ahead else None,
        "sync_calls": _sync_calls(ahead) if ahead else {},
    }
    return render(request, "web/plan.html", facts)


def _sync_calls(ahead: Ahead) -> dict[str, int]:
    """By kind, as the page names it."""
    return {label: getattr(ahead.sync, kind) for kind, label in CALLS_OF_PLAN.items() if kind != "calls"}


def _chart(ahead: Ahead) -> dict[str, Any] | None:
    """A bar for the sync and one for the export; a piece for each kind of call. None where nothing costs anything."""
    pieces = [_piece("Sync", kind, calls) for kind, calls in _sync_calls(ahead).items()]
    writing = ahead.export.plan if ahead.export else None
    if writing:
        pieces += [
            _piece("Export", CALLS_OF_PLAN["looking_calls"], writing.looking_calls),
            _piece("Export", "Collections", writing.collection_calls),
            _piece("Export", CALLS_OF_PLAN["bulk_calls"], writing.bulk_calls),
        ]
    spent = [piece for piece in pieces if piece["value"]]
    return {"categories": ["Sync", "Export"] if writing else ["Sync"], "pieces": spent} if spent else None


def _piece(of: str, name: str, calls: int) -> dict[str, Any]:
    return {"of": of, "name": name, "value": calls, "note": ""}
