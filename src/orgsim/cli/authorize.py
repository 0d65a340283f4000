"""`orgsim authorize`: be the person who opens a login address, for demos and scripts without a browser."""

from typing import Annotated

import httpx2
import typer

from orgsim.person import LoginRefusedError, answer_login


def register(app: typer.Typer) -> None:
    app.command()(authorize)


def authorize(
    address: Annotated[str, typer.Argument(help="The authorize address that an application printed.")],
    username: Annotated[str, typer.Option(help="Whose login it is.")],
    password: Annotated[str, typer.Option(envvar="ORGSIM_PASSWORD", help="The user's password.")],
    deny: Annotated[bool, typer.Option("--deny", help="Press Deny instead of Allow.")] = False,
) -> None:
    """Log in at an application's authorize address, press Allow, and follow the redirect to its callback."""
    try:
        callback = answer_login(address, username, password, allow=not deny)
    except LoginRefusedError as error:
        typer.echo(f"orgsim: {error}", err=True)
        raise typer.Exit(1) from error
    answer = httpx2.get(callback, timeout=60)
    typer.echo(f"{'Denied' if deny else 'Allowed'} as {username}; the application answered {answer.status_code}.")
