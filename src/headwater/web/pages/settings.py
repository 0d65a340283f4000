"""The settings pages that belong to no other subject: their front door and Account Configuration."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from headwater.accounts.services import events_of, members_of
from headwater.web.acting import MemberRequest, member_page

SHOWN_EVENTS = 50


@member_page
def front_door(_request: MemberRequest) -> HttpResponse:
    return redirect("web:connections")


@member_page
def account_configuration(request: MemberRequest) -> HttpResponse:
    facts = {"people": members_of(request.account).count(), "events": events_of(request.account)[:SHOWN_EVENTS]}
    return render(request, "web/settings/account.html", facts)
