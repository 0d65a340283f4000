"""`headwater setup`: prepare the database, make an account with its first Account Admin, and the first operator."""

import secrets
from typing import Annotated

import typer
from django.core.management import call_command

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user, has_operator, name_operator
from headwater.cli.options import JsonOption
from headwater.cli.output import out, print_json


def setup(
    account: Annotated[str, typer.Option(help="The account's name, as people will type it to confirm.")],
    email: Annotated[str, typer.Option(help="Log-in of its first Account Admin.")],
    password: Annotated[str | None, typer.Option(help="Their password; one is made up where it is left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Prepare the database, and make an account with its first Account Admin, who is also the first operator."""
    call_command("migrate", interactive=False, verbosity=0)
    made = Account.objects.filter(name=account).first() or create_account(account)
    user = User.objects.filter(email=email.lower()).first()
    shown = "(unchanged)"
    if user is None:
        shown = password or secrets.token_urlsafe(12)
        user = create_user(email, shown, name="")
    add_member(made, user, Role.ADMIN)
    if not has_operator():
        name_operator(user, is_operator=True)
    if as_json:
        print_json({"account": made.slug, "email": user.email, "password": shown, "is_operator": user.is_operator})
    else:
        out.print(f"Account [bold]{made.name}[/] ({made.slug}) · log in as {user.email} · password {shown}")
