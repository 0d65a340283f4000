"""Discover > Opportunities: find one, and see which touches got which share of it, by which rule."""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from headwater.results.services import PAGE_ROWS, latest_run, opportunities, opportunity
from headwater.web.acting import MemberRequest, member_page


@require_GET
@member_page
def opportunity_list(request: MemberRequest) -> HttpResponse:
    run = latest_run(request.account)
    if run is None:
        return render(request, "web/opportunities.html", {"run": None})
    search, wanted = request.GET.get("search", "").strip(), request.GET.get("page", "1")
    number = int(wanted) if wanted.isdecimal() and wanted != "0" else 1
    rows, found = opportunities(request.account, search=search, page=number)
    if not rows and number > 1:
        raise Http404(wanted)
    pages = Paginator(range(found), PAGE_ROWS).get_page(number)
    facts = {"run": run, "rows": rows, "found": found, "search": search, "page": pages}
    return render(request, "web/opportunities.html", facts)


@require_GET
@member_page
def opportunity_detail(request: MemberRequest, opportunity_id: str) -> HttpResponse:
    run = latest_run(request.account)
    detail = opportunity(request.account, opportunity_id) if run else None
    if detail is None:
        raise Http404(opportunity_id)
    return render(request, "web/opportunity.html", {"run": run, "detail": detail})
