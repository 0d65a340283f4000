"""Settings > People: who may act for the account, who is invited, and what was done about it."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from headwater.accounts.invitations import Sent, invite, pending_of, send_again, withdraw
from headwater.accounts.mail import Way
from headwater.accounts.models import Invitation, Member, Role
from headwater.accounts.people import change_role, remove
from headwater.accounts.services import events_about, members_of
from headwater.common.errors import Fix
from headwater.web.acting import MemberRequest, admin_action, member_page
from headwater.web.telling import tell, telling

SHOWN_EVENTS = 50
SUBJECTS = ("people", "operator", "account")


@require_GET
@member_page
def people(request: MemberRequest) -> HttpResponse:
    return _page(request)


@require_POST
@admin_action
def invite_person(request: MemberRequest) -> HttpResponse:
    email, role = request.POST.get("email", ""), _role(request)
    try:
        sent = invite(request.account, email, role, actor=request.user)
    except Fix as error:
        return _page(request, refused=error, typed=email, typed_role=role, status=409)
    return _told(request, sent)


@require_POST
@admin_action
def invite_again(request: MemberRequest, invitation_id: int) -> HttpResponse:
    try:
        sent = send_again(_invitation(request, invitation_id), actor=request.user)
    except Fix as error:
        tell(request, error)
        return redirect("web:people")
    return _told(request, sent)


@require_POST
@admin_action
def withdraw_invitation(request: MemberRequest, invitation_id: int) -> HttpResponse:
    invitation = _invitation(request, invitation_id)
    with telling(request, Fix):
        withdraw(invitation, actor=request.user)
        messages.success(request, f"The invitation of {invitation.email} is withdrawn; its link is dead.")
    return redirect("web:people")


@require_POST
@admin_action
def set_role(request: MemberRequest, member_id: int) -> HttpResponse:
    member, role = _member(request, member_id), _role(request)
    with telling(request, Fix):
        change_role(member, role, actor=request.user)
        messages.success(request, f"{member.user} is {role.label} now.")
    return redirect("web:people")


@require_POST
@admin_action
def remove_member(request: MemberRequest, member_id: int) -> HttpResponse:
    member = _member(request, member_id)
    with telling(request, Fix):
        remove(member, actor=request.user)
        messages.success(request, f"{member.user} cannot act for {request.account} any more.")
    return redirect("web:people")


def _page(
    request: MemberRequest,
    *,
    sent: Sent | None = None,
    refused: Fix | None = None,
    typed: str = "",
    typed_role: Role = Role.STANDARD,
    status: int = 200,
) -> HttpResponse:
    members = list(members_of(request.account))
    facts = {
        "members": members,
        "leaving": next((one for one in members if str(one.pk) == request.GET.get("remove")), None),
        "invitations": pending_of(request.account),
        "roles": Role,
        "sent": sent,
        "refused": refused,
        "typed": typed,
        "typed_role": typed_role,
        "events": events_about(request.account, SUBJECTS)[:SHOWN_EVENTS],
    }
    return render(request, "web/settings/people.html", facts, status=status)


def _told(request: MemberRequest, sent: Sent) -> HttpResponse:
    """Where no mail brought the link, the answer itself shows it: it is kept nowhere, so no later page could."""
    if sent.delivery.way is not Way.MAILED:
        return _page(request, sent=sent)
    messages.success(request, f"{sent.invitation.email} has a mail with a link that works once, for seven days.")
    return redirect("web:people")


def _role(request: MemberRequest) -> Role:
    typed = request.POST.get("role", "")
    if typed not in Role.values:
        raise Http404(typed)
    return Role(typed)


def _member(request: MemberRequest, member_id: int) -> Member:
    for member in members_of(request.account):
        if member.pk == member_id:
            return member
    raise Http404(member_id)


def _invitation(request: MemberRequest, invitation_id: int) -> Invitation:
    invitation = Invitation.of(request.account).filter(pk=invitation_id).first()
    if invitation is None:
        raise Http404(invitation_id)
    return invitation
