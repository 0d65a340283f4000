"""`headwater keys`: the encryption keys, how much each opens, and rotating them. Prints fingerprints, never a key."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from headwater.accounts.keys import Survey, are_given, forget_unused, rotate, survey
from headwater.cli.options import JsonOption
from headwater.cli.output import EXIT_FIX, err, out, print_json, print_table


def keys(
    do_rotate: Annotated[
        bool, typer.Option("--rotate", help="Seal everything anew: with a new key, or with the first one given.")
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Remove older keys that open nothing any more.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the encryption keys by fingerprint and how many stored secrets each one opens; rotate them."""
    told: dict[str, Any] = {}
    if do_rotate:
        with err.status("Sealing anew") as status:
            rotation = rotate(lambda resealed: status.update(f"Sealing anew: {resealed:,} secrets"))
        told = {"made": rotation.made, "resealed_values": rotation.resealed}
    if forget:
        told["forgotten"] = forget_unused()
    found = survey()
    if as_json:
        print_json({**told, "are_given": are_given(), "unused": found.unused, "behind": found.behind, **asdict(found)})
    else:
        _print(told, found)
    if found.unopenable:
        raise typer.Exit(EXIT_FIX)


def _print(told: dict[str, Any], found: Survey) -> None:
    if "resealed_values" in told:
        made = f"New key {told['made']}. " if told["made"] else ""
        out.print(f"[green]✓[/] {made}{told['resealed_values']:,} secrets sealed anew.", highlight=False)
    for name in told.get("forgotten", ()):
        out.print(f"[green]✓[/] Key {name} is removed.", highlight=False)
    rows = [(key.fingerprint, "seals and opens" if key.seals else "opens", f"{key.values:,}") for key in found.keys]
    print_table("Encryption keys", ("Fingerprint", "Use", "Secrets it opens"), rows, numbers=(2,))
    if found.behind:
        out.print(f"{found.behind:,} secrets are sealed with an older key: headwater keys --rotate", highlight=False)
    if found.unused:
        where = "from HEADWATER_ENCRYPTION_KEYS" if are_given() else "with headwater keys --forget"
        out.print(f"Open nothing any more, may be removed {where}: {', '.join(found.unused)}", highlight=False)
    for place in found.unopenable:
        out.print(f"[red]✗[/] No key opens {place}. Restore its key, or authorise anew.", highlight=False)
