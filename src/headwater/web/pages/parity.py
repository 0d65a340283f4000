"""Settings > Connections > Parity: what differs between two snapshots of orgs, taking one, and downloads (row A10).

Not here: the comparison (connections/parity.py), and its summary before a confirmation (pages/connections.py).
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.connections.models import Connection, OrgSnapshot, Status
from headwater.connections.parity import Comparison, Difference
from headwater.connections.parity_report import about, as_csv, as_json
from headwater.connections.parity_verdict import Level
from headwater.connections.services import connection_of
from headwater.connections.snapshot import PRICE_CALLS, pair_to_compare, snapshots_of
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import telling
from headwater.wiring import compare_snapshots, take_snapshot

PAGE_ROWS = 100
_MAY_BE_TAKEN = (Status.CONNECTED, Status.AWAITING_CONFIRMATION)


@require_GET
@member_page
def parity(request: MemberRequest) -> HttpResponse:
    before, after = _pair(request)
    row = connection_of(request.account)
    facts: dict[str, Any] = {
        "connection": row,
        "may_take": row is not None and row.status in _MAY_BE_TAKEN,
        "price_calls": PRICE_CALLS,
        "snapshots": snapshots_of(request.account),
        "before": before,
        "after": after,
        "levels": list(Level),
        "chosen": _filters(request),
    }
    if before is not None and after is not None:
        found = compare_snapshots(before, after)
        chosen = found.of(**_filters(request))
        page = Paginator(chosen, PAGE_ROWS).get_page(request.GET.get("page"))
        facts |= {"found": found, "shown": chosen, "page": page, "counts": list(found.counts.items())}
        facts |= {"query": urlencode({"before": before.pk, "after": after.pk, **_filters(request)})}
    return render(request, "web/settings/parity.html", facts)


@require_POST
@admin_action
def take(request: MemberRequest) -> HttpResponse:
    """Look at the connected org now, also one that waits for its confirmation, and go back to where it was asked."""
    row = connection_of(request.account)
    with telling(request):
        taken = take_snapshot(request.account, actor=request.user.email)
        messages.success(request, f"A snapshot of {taken.org_name} is kept. It cost {taken.spent_calls} credits.")
    return redirect(
        "web:connections_confirm" if _waits(row) and "confirm" in request.POST else "web:connections_parity"
    )


@require_GET
@member_page
def report(request: MemberRequest, shape: str) -> HttpResponse:
    """The comparison as a file: what the page shows, all pages of it."""
    before, after = _pair(request)
    if before is None or after is None or shape not in ("csv", "json"):
        raise Http404(shape)
    found = compare_snapshots(before, after)
    shown: tuple[Difference, ...] = found.of(**_filters(request))
    answer: HttpResponse = _file(found, before, after, shown, shape)
    answer["Content-Disposition"] = f'attachment; filename="parity-{before.org_id}-{after.org_id}.{shape}"'
    return answer


@require_GET
@member_page
def one(request: MemberRequest, snapshot_id: int) -> HttpResponse:
    """A snapshot with its whole content as a file."""
    taken = OrgSnapshot.of(request.account).filter(pk=snapshot_id).first()
    if taken is None:
        raise Http404(snapshot_id)
    answer = JsonResponse({**about(taken), "content": taken.content})
    answer["Content-Disposition"] = f'attachment; filename="snapshot-{taken.org_id}-{taken.pk}.json"'
    return answer


def _waits(row: Connection | None) -> bool:
    return row is not None and row.status == Status.AWAITING_CONFIRMATION


def _file(
    found: Comparison, before: OrgSnapshot, after: OrgSnapshot, shown: tuple[Difference, ...], shape: str
) -> HttpResponse:
    if shape == "csv":
        return HttpResponse(as_csv(found, shown), content_type="text/csv; charset=utf-8")
    return JsonResponse(as_json(before, after, found, shown))


def _filters(request: MemberRequest) -> dict[str, str]:
    return {"sobject": request.GET.get("sobject", ""), "level": request.GET.get("level", "")}


def _pair(request: MemberRequest) -> tuple[OrgSnapshot | None, OrgSnapshot | None]:
    """The two that the address names, or the two that are likely to be meant."""
    before, after = pair_to_compare(request.account)
    return _named(request, "before") or before, _named(request, "after") or after


def _named(request: MemberRequest, name: str) -> OrgSnapshot | None:
    wanted = request.GET.get(name, "")
    if not wanted:
        return None
    found = OrgSnapshot.of(request.account).filter(pk=wanted).first() if wanted.isdecimal() else None
    if found is None:
        raise Http404(wanted)
    return found
