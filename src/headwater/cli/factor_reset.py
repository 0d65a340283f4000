"""`headwater factor-reset`: for somebody who lost phone, passkey and recovery codes."""

from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import JsonOption
from headwater.cli.output import out, print_json
from headwater.signin.factors import reset_factors


def factor_reset(
    email: Annotated[str, typer.Option(help="Whose second factor was lost.")],
    as_json: JsonOption = False,
) -> None:
    """Take a person's second factor and recovery codes away; their password alone then logs them in."""
    kinds = reset_factors(email, actor=actor_here())
    if as_json:
        print_json({"email": email, "removed": kinds})
    else:
        out.print(f"[green]✓[/] Removed for {email}: {', '.join(kinds)}", highlight=False)
