"""`headwater accounts`: the operator's page in a terminal, and who the operators are."""

from typing import Annotated, Any

import typer

from headwater.accounts.invitations import create_account_with_admin
from headwater.accounts.models import Account
from headwater.accounts.services import name_operator, user_by_email
from headwater.cli.actor import actor_here
from headwater.cli.options import JsonOption
from headwater.cli.output import out, print_json, print_table, the_account
from headwater.cli.people import print_sent
from headwater.operating import AccountState, account_states
from headwater.wiring import close_account, reopen_account

app = typer.Typer(help="The accounts of this installation: list, create, close, open again.", no_args_is_help=True)
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The account's short name.")]


@app.command("list")
def list_accounts(as_json: JsonOption = False) -> None:
    """Show every account: people, connection, credits, last job."""
    states = list(account_states())
    if as_json:
        print_json({"accounts": [_state_json(one) for one in states]})
        return
    rows = [
        (
            f"{one.account} ({one.account.slug})",
            "closed" if one.account.closed_utc else "open",
            str(one.people),
            one.connection.get_status_display() if one.connection else "Not connected",
            f"{one.budget.used_calls:,} of {one.budget.limit_calls:,}",
            f"{one.last_job.task}: {one.last_job.state.label}" if one.last_job else "none",
        )
        for one in states
    ]
    headings = ("Account", "State", "People", "Connection", "Credits in this window", "Last job")
    print_table("Accounts", headings, rows, numbers=(2, 4))


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The account's name, as people will type it to confirm.")],
    admin: Annotated[str, typer.Option(metavar="ADDRESS", help="Who is invited as its first Account Admin.")],
    as_json: JsonOption = False,
) -> None:
    """Make an account and invite its first Account Admin."""
    print_sent(create_account_with_admin(name, admin, actor=actor_here()), as_json=as_json)


@app.command("close")
def close(slug: Slug, as_json: JsonOption = False) -> None:
    """Let nobody act for an account and no job of it run. Nothing is deleted."""
    account = the_account(slug)
    close_account(account, actor=actor_here())
    _said(account, as_json=as_json)


@app.command("reopen")
def reopen(slug: Slug, as_json: JsonOption = False) -> None:
    """Open a closed account again."""
    account = the_account(slug)
    reopen_account(account, actor=actor_here())
    _said(account, as_json=as_json)


@app.command("operator")
def operator(
    email: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of a user.")],
    take_away: Annotated[bool, typer.Option("--take-away", help="Make them an ordinary person again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let a user operate this installation: see all accounts, and act in them."""
    user = user_by_email(email)
    name_operator(user, is_operator=not take_away)
    if as_json:
        print_json({"email": user.email, "is_operator": user.is_operator})
    else:
        out.print(f"{user} {'operates' if user.is_operator else 'does not operate'} this Headwater.", highlight=False)


def _said(account: Account, *, as_json: bool) -> None:
    if as_json:
        print_json({"account": account.slug, "is_closed": account.closed_utc is not None})
    else:
        out.print(f"{account} is {'closed' if account.closed_utc else 'open'}.", highlight=False)


def _state_json(one: AccountState) -> dict[str, Any]:
    return {
        "account": one.account.slug,
        "name": one.account.name,
        "is_closed": one.account.closed_utc is not None,
        "people": one.people,
        "connection": one.connection.status if one.connection else None,
        "used_calls": one.budget.used_calls,
        "limit_calls": one.budget.limit_calls,
        "expected_used_calls": one.forecast.expected_used_calls,
        "is_paused": one.paused is not None,
        "last_job": {"task": one.last_job.task, "state": one.last_job.state.value} if one.last_job else None,
    }
