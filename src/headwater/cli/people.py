"""`headwater people`: the deeds of Settings > People, for whoever has the machine."""

from typing import Annotated, Any

import typer

from headwater.accounts import invitations
from headwater.accounts.invitations import Sent, has_expired, pending_by_email, pending_of
from headwater.accounts.mail import Way
from headwater.accounts.models import Invitation, Member, Role
from headwater.accounts.people import change_role, member_by_email
from headwater.accounts.people import remove as remove_member
from headwater.accounts.services import members_of
from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc

app = typer.Typer(help="Who may act for an account: list, invite, change roles, remove.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(metavar="ADDRESS", help="Their e-mail address.")]
RoleOption = Annotated[Role, typer.Option(help="Account Admin changes settings; Standard reads.")]


@app.command("list")
def list_people(account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Show the members with their roles, and who is invited."""
    tenant = the_account(account)
    members, pending = list(members_of(tenant)), list(pending_of(tenant))
    if as_json:
        invited = [invitation_json(one) for one in pending]
        print_json({"members": [_member_json(member) for member in members], "invitations": invited})
        return
    rows = [(str(one.user), one.user.email, _label(one.role), utc(one.user.last_login)) for one in members]
    print_table(f"Members of {tenant}", ("Person", "Address", "Role", "Last log-in"), rows, numbers=())
    if pending:
        open_rows = [
            (one.email, _label(one.role), "expired" if has_expired(one) else "not accepted yet", utc(one.expires_utc))
            for one in pending
        ]
        print_table("Invitations", ("Address", "Role", "State", "Until"), open_rows, numbers=())


@app.command("invite")
def invite(
    email: Email, role: RoleOption = Role.STANDARD, account: AccountOption = None, as_json: JsonOption = False
) -> None:
    """Invite somebody by mail, with a link that works once, for seven days."""
    print_sent(invitations.invite(the_account(account), email, role, actor=actor_here()), as_json=as_json)


@app.command("send-again")
def send_again(email: Email, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Send an invitation again: a new link, seven more days."""
    invitation = pending_by_email(the_account(account), email)
    print_sent(invitations.send_again(invitation, actor=actor_here()), as_json=as_json)


@app.command("withdraw")
def withdraw(email: Email, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Withdraw an invitation: its link is dead."""
    invitation = pending_by_email(the_account(account), email)
    invitations.withdraw(invitation, actor=actor_here())
    _done({"withdrawn": invitation.email}, f"The invitation of {invitation.email} is withdrawn.", as_json=as_json)


@app.command("role")
def role(
    email: Email,
    role: Annotated[Role, typer.Argument(help="The new role.")],
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a member another role."""
    member = member_by_email(the_account(account), email)
    change_role(member, role, actor=actor_here())
    _done({"email": member.user.email, "role": role.value}, f"{member.user} is {role.label} now.", as_json=as_json)


@app.command("remove")
def remove(email: Email, account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Take a member's rights in the account away, at once."""
    member = member_by_email(the_account(account), email)
    remove_member(member, actor=actor_here())
    said = f"{member.user} cannot act for {member.account} any more."
    _done({"removed": member.user.email}, said, as_json=as_json)


def print_sent(sent: Sent, *, as_json: bool) -> None:
    """The link is printed only where no mail brought it."""
    way, invitation = sent.delivery.way, sent.invitation
    if as_json:
        link = {} if way is Way.MAILED else {"link": sent.link, "mail_trouble": sent.delivery.trouble}
        print_json({**invitation_json(invitation), "mail": way.value, **link})
        return
    out.print(f"{invitation.email} is invited to {invitation.account} as {_label(invitation.role)}.", highlight=False)
    if way is Way.MAILED:
        out.print("A mail with the link is on its way.")
        return
    reason = f"The mail server refused: {sent.delivery.trouble}" if way is Way.FAILED else "There is no mail server."
    out.print(f"{reason} Give them this link, until {utc(invitation.expires_utc)}:", highlight=False)
    out.print(sent.link, soft_wrap=True, highlight=False)


def invitation_json(invitation: Invitation) -> dict[str, Any]:
    return {
        "account": invitation.account.slug,
        "email": invitation.email,
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "sent_utc": utc(invitation.sent_utc),
        "expires_utc": utc(invitation.expires_utc),
        "is_expired": has_expired(invitation),
    }


def _member_json(member: Member) -> dict[str, Any]:
    return {
        "email": member.user.email,
        "name": member.user.name,
        "role": member.role,
        "last_login_utc": utc(member.user.last_login),
    }


def _label(role: str) -> str:
    return str(Role(role).label)


def _done(value: dict[str, str], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        out.print(sentence, highlight=False)
