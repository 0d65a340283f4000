"""`headwater domain-confirm`: the operator's word that an e-mail domain is an account's own."""

from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, the_account
from headwater.signin.sso import confirm_domain


def domain_confirm(
    domain: Annotated[str, typer.Argument(help="Such as example.com; an Account Admin has claimed it.")],
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Confirm that a claimed domain is the account's, so that its single sign-on may vouch for addresses there."""
    tenant = the_account(account)
    confirm_domain(tenant, domain, actor=actor_here())
    if as_json:
        print_json({"account": tenant.slug, "domain": domain})
    else:
        out.print(f"[green]✓[/] {domain} is confirmed for [bold]{tenant}[/]", highlight=False)
