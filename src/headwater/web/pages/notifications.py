"""The bell: its number, its panel, all notifications, one of them; what the person has read.

Not here: what is told and when it is over (headwater/watch.py).
"""

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.common.errors import Fix
from headwater.notify.models import Notification
from headwater.notify.services import mail_troubles, mark_read, resolve, seen_by
from headwater.watch import may_be_closed
from headwater.web.acting import MemberRequest, admin_action, member_deed, member_page

PANEL_NOTIFICATIONS = 6
PAGE_NOTIFICATIONS = 20
PAGE = "web:notifications"


@require_GET
@member_page
def notification_list(request: MemberRequest) -> HttpResponse:
    page = Paginator(seen_by(request.account, request.user), PAGE_NOTIFICATIONS).get_page(request.GET.get("page"))
    facts = {"page": page, "mail_trouble": mail_troubles(request.account).first()}
    return render(request, "web/notifications.html", facts)


@require_GET
@member_page
def bell(request: MemberRequest) -> HttpResponse:
    """The number alone, for htmx."""
    return render(request, "web/parts/bell_count.html")


@require_GET
@member_page
def panel(request: MemberRequest) -> HttpResponse:
    """What the bell opens, for htmx."""
    return _panel(request)


@require_GET
@member_page
def notification_detail(request: MemberRequest, notification_id: int) -> HttpResponse:
    """All of it; whoever opens it has read it."""
    told = _one(request, notification_id)
    mark_read(request.account, request.user, Notification.of(request.account).filter(pk=told.pk))
    facts = {"told": told, "may_be_closed": may_be_closed(told), "mails": told.mails.order_by("address")}
    return render(request, "web/notification.html", facts)


@require_POST
@member_deed
def read_all(request: MemberRequest) -> HttpResponse:
    mark_read(request.account, request.user, Notification.of(request.account))
    if "HX-Request" not in request.headers:
        return redirect(PAGE)
    response = _panel(request)
    response.headers["HX-Trigger"] = "notifications-read"  # the bell's number asks anew
    return response


@require_POST
@admin_action
def close(request: MemberRequest, notification_id: int) -> HttpResponse:
    told = _one(request, notification_id)
    if not may_be_closed(told):
        raise Fix("notify.closes_itself", "This notification closes by itself once its cause is gone.")
    resolve(Notification.of(request.account).filter(pk=told.pk))
    return redirect(PAGE)


def _panel(request: MemberRequest) -> HttpResponse:
    newest = seen_by(request.account, request.user)[:PANEL_NOTIFICATIONS]
    return render(request, "web/parts/bell_panel.html", {"newest": newest})


def _one(request: MemberRequest, notification_id: int) -> Notification:
    told = seen_by(request.account, request.user).filter(pk=notification_id).first()
    if told is None:
        raise Http404(notification_id)
    return told
