"""Diagnose > Replica: what the local copy holds of each object, the read that is under way, and the next one.

A visit asks the org nothing. Not here: what is counted and when (sync/inventory.py).
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from headwater.connections.models import Status
from headwater.connections.services import connection_of
from headwater.sync.inventory import ObjectCopy, copies_of, next_read, reading_now
from headwater.sync.notices import TOLD, notices_of
from headwater.sync.schedule import in_words, next_audit_utc
from headwater.sync.services import latest_audit, planned_audit_calls, replica_state
from headwater.web.acting import MemberRequest, member_page


@require_GET
@member_page
def replica(request: MemberRequest) -> HttpResponse:
    """The whole page, or for htmx what changes by the second alone."""
    account = request.account
    row, coming = connection_of(account), next_read(account)
    facts: dict[str, Any] = {
        "is_live": row is not None and row.status == Status.CONNECTED,
        "connection": row,
        "shown": replica_state(account),
        "now": reading_now(account),
        "next": coming,
        "in_words": in_words(coming.every_minutes),
        "page_cycle": request.GET.get("cycle", ""),
    }
    if "HX-Request" in request.headers:
        return render(request, "web/parts/replica_now.html", facts)
    facts["page_cycle"] = str(facts["shown"].cycle) if facts["shown"] else ""
    copies = copies_of(account)
    facts |= {
        "copies": [copy for copy in copies if copy.state != "absent"],
        "absent": [copy.sobject for copy in copies if copy.state == "absent"],
        "chart": _chart(copies),
        "size_bytes": sum(copy.size_bytes for copy in copies),
        "notices": notices_of(account),
        "troubles": TOLD,
        "audit": latest_audit(account),
        "audit_calls": planned_audit_calls(account),
        "audit_next_utc": next_audit_utc(account),
    }
    return render(request, "web/replica.html", facts)


def _chart(copies: Sequence[ObjectCopy]) -> dict[str, Any] | None:
    """A bar an object that has rows, the largest first; None where none has."""
    held = [copy for copy in copies if copy.live_rows or copy.deleted_rows]
    held.sort(key=lambda copy: (-(copy.live_rows or 0) - (copy.deleted_rows or 0), copy.sobject))
    pieces = [_piece(copy, "Live rows", copy.live_rows) for copy in held]
    pieces += [_piece(copy, "Deleted rows kept", copy.deleted_rows) for copy in held if copy.deleted_rows]
    return {"categories": [copy.sobject for copy in held], "pieces": pieces} if held else None


def _piece(copy: ObjectCopy, name: str, rows: int | None) -> dict[str, Any]:
    return {"of": copy.sobject, "name": name, "value": rows or 0, "note": ""}
