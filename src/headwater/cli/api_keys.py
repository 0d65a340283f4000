"""`headwater api-keys`: the keys by which programmes use the REST API; make one, revoke one."""

from typing import Annotated, Any

import typer

from headwater.accounts.api_keys import keys_of, make_key, revoke_key
from headwater.accounts.models import ApiKey, Role
from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc


def api_keys(
    make: Annotated[str | None, typer.Option(metavar="NAME", help="Make a key and print it, this once.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="The new key may start work and change settings.")] = False,
    days: Annotated[int | None, typer.Option(help="The new key works for so many days; else until revoked.")] = None,
    revoke: Annotated[int | None, typer.Option(metavar="ID", help="Revoke a key.")] = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the API keys that work, make one, revoke one."""
    tenant, actor = the_account(account), actor_here()
    told: dict[str, Any] = {}
    if make is not None:
        role = Role.ADMIN if admin else Role.STANDARD
        key, text = make_key(tenant, name=make, role=role, actor=actor, days=days)
        told = {"made_id": key.pk, "api_key": text}
    if revoke is not None:
        told["revoked"] = revoke_key(tenant, revoke, actor=actor).name
    keys = list(keys_of(tenant))
    if as_json:
        print_json({**told, "keys": [_json(key) for key in keys]})
    else:
        _print(told, keys)


def _print(told: dict[str, Any], keys: list[ApiKey]) -> None:
    if "api_key" in told:
        out.print("Copy it now, it is shown this once:", told["api_key"], highlight=False, soft_wrap=True)
    if "revoked" in told:
        out.print(f"[green]✓[/] {told['revoked']} is revoked.", highlight=False)
    rows = [
        (str(key.pk), key.name, f"{key.prefix}…", key.get_role_display(), key.created_by, _until(key)) for key in keys
    ]
    print_table("API keys", ("Id", "Name", "Begins with", "Rights", "Made by", "Works until"), rows, numbers=(0,))


def _until(key: ApiKey) -> str:
    return utc(key.expires_utc) if key.expires_utc else "revoked"


def _json(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "role": key.role,
        "created_by": key.created_by,
        "created_utc": key.created_utc,
        "expires_utc": key.expires_utc,
        "last_used_utc": key.last_used_utc,
    }
