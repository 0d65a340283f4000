"""Settings > CRM > Fields: which objects and fields are read and why, what the sync goes on without, one field more."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.services import events_about
from headwater.common.errors import Fix, Wait
from headwater.sync.extras import BY_HAND, ObjectRead, name_field, objects_read, take_back
from headwater.sync.notices import TOLD, notices_of
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import telling

SHOWN_EVENTS = 50


@require_GET
@member_page
def fields(request: MemberRequest) -> HttpResponse:
    return _page(request, request.GET.get("object", ""))


@require_POST
@admin_action
def name(request: MemberRequest) -> HttpResponse:
    sobject, typed = request.POST.get("sobject", ""), request.POST.get("field", "")
    try:
        extra = name_field(request.account, sobject, typed, actor=request.user.email)
    except (Fix, Wait) as error:
        return _page(request, sobject, refused=error, typed=typed, status=409)
    messages.success(request, f"{extra.sobject}.{extra.field} is read from the next sync on.")
    return _to_object(extra.sobject)


@require_POST
@admin_action
def take(request: MemberRequest) -> HttpResponse:
    sobject, field = request.POST.get("sobject", ""), request.POST.get("field", "")
    with telling(request):
        take_back(request.account, sobject, field, actor=request.user.email)
        messages.success(request, f"{sobject}.{field} is no longer read {BY_HAND}.")
    return _to_object(sobject)


def _to_object(sobject: str) -> HttpResponse:
    return redirect(reverse("web:fields", query={"object": sobject}))


def _page(
    request: MemberRequest, sobject: str, *, refused: Fix | Wait | None = None, typed: str = "", status: int = 200
) -> HttpResponse:
    objects = objects_read(request.account)
    facts = {
        "objects": objects,
        "chosen": _chosen(objects, sobject) if sobject and not refused else _found(objects, sobject),
        "notices": notices_of(request.account),
        "troubles": TOLD,
        "by_hand": BY_HAND,
        "refused": refused,
        "typed": typed,
        "events": events_about(request.account, ("fields",))[:SHOWN_EVENTS],
    }
    return render(request, "web/settings/fields.html", facts, status=status)


def _chosen(objects: list[ObjectRead], sobject: str) -> ObjectRead:
    found = _found(objects, sobject)
    if found is None:
        raise Http404(sobject)
    return found


def _found(objects: list[ObjectRead], sobject: str) -> ObjectRead | None:
    return next((each for each in objects if each.sobject == sobject), None)
