"""`headwater parity`: what differs between the test org and production, as in Settings > Connections > Parity."""

from typing import Annotated

import typer

from headwater.cli.actor import actor_here
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc
from headwater.connections.models import OrgSnapshot
from headwater.connections.parity import Comparison
from headwater.connections.parity_report import about, as_json
from headwater.connections.parity_verdict import Level
from headwater.connections.snapshot import pair_to_compare
from headwater.wiring import compare_snapshots, take_snapshot

_LEVELS = {Level.MATTERS: "matters", Level.WORTH_KNOWING: "worth knowing", Level.COSMETIC: "cosmetic"}


def parity(
    do_take: Annotated[
        bool, typer.Option("--take", help="Look at the connected org first: 2 credits, no record is read.")
    ] = False,
    level: Annotated[str, typer.Option(help="Only these: matters, worth_knowing or cosmetic.")] = "",
    sobject: Annotated[str, typer.Option(help="Only differences of this object.")] = "",
    account: AccountOption = None,
    as_json_wanted: JsonOption = False,
) -> None:
    """Compare the newest snapshot with that of the org before it, or with an older one of the same org."""
    tenant = the_account(account)
    if level and level not in list(Level):
        raise typer.BadParameter(f"one of {', '.join(Level)}", param_hint="--level")
    taken = take_snapshot(tenant, actor=actor_here()) if do_take else None
    before, after = pair_to_compare(tenant)
    if before is None or after is None:
        _tell_what_is_missing(taken or after, as_json_wanted=as_json_wanted)
        return
    found = compare_snapshots(before, after)
    if as_json_wanted:
        print_json(as_json(before, after, found, found.of(sobject=sobject, level=level)))
        return
    _show(before, after, found, sobject=sobject, level=level)


def _show(before: OrgSnapshot, after: OrgSnapshot, found: Comparison, *, sobject: str, level: str) -> None:
    for word, each in (("Compared", before), ("with", after)):
        out.print(f"{word} [bold]{each.org_name}[/] ({each.org_kind}, {each.org_id}), {utc(each.taken_utc)}")
    out.print(", ".join(f"{count} {_LEVELS[each]}" for each, count in found.counts.items()), highlight=False)
    for missing in found.not_compared:
        out.print(f"[yellow]![/] {missing.sentence} To compare them, {missing.you_can}.", highlight=False)
    shown = found.of(sobject=sobject, level=level)
    if shown:
        rows = [(_LEVELS[each.level], each.sobject or "not told", each.sentence, each.effect) for each in shown]
        print_table("Differences", ("Level", "Object", "What differs", "What it does to Headwater"), rows, numbers=())
    elif not found.differences and not found.not_compared:
        out.print("[green]✓[/] Nothing differs")


def _tell_what_is_missing(only: OrgSnapshot | None, *, as_json_wanted: bool) -> None:
    if as_json_wanted:
        print_json({"before": None, "after": about(only) if only else None})
    elif only is None:
        out.print("No org was looked at yet. headwater parity --take looks at the connected one (2 credits).")
    else:
        out.print(
            f"One snapshot, of {only.org_name} ({only.org_kind}, {utc(only.taken_utc)}), and none to compare it with. "
            "The next org is looked at when it logs in; headwater parity --take looks again at this one."
        )
