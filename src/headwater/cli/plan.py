"""`headwater plan`: what the next sync and export will read and write, for how many credits."""

from typing import Annotated

import typer

from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account
from headwater.credits.services import today
from headwater.credits.write_prices import WritePlan
from headwater.planning import plan_ahead
from headwater.sync.plan import Mode, SyncPlan
from headwater.sync.services import PlanAgainstActual

WAYS = {
    "pages": "plain query",
    "composite": "composite",
    "ranges": "composite, several pages",
    "bulk": "Bulk job",
}
CALLS = {
    "looking_calls": "looking",
    "query_calls": "plain queries",
    "composite_calls": "composites",
    "bulk_calls": "Bulk jobs",
    "calls": "together",
}


def plan(
    count: Annotated[
        bool, typer.Option("--count", help="Count what has changed, one credit for five objects, for an exact price.")
    ] = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the next sync will read, by which call and for how many credits. Looking is free but for full reads."""
    tenant = the_account(account)
    ahead = plan_ahead(tenant, count_changes=count)
    left = today(tenant).left_calls
    if as_json:
        export = ahead.export.to_json() if ahead.export else None
        print_json({"sync": ahead.sync.told(), "export": export, "left_calls": left})
        return
    print_plan(ahead.sync)
    if ahead.export and ahead.export.plan:
        print_write_plan(ahead.export.plan, left_calls=ahead.export.left_calls)
    elif ahead.export:
        out.print(f"Export: {ahead.export.records:,} records. {ahead.export.not_written}")


def print_write_plan(planned: WritePlan, *, left_calls: int | None = None) -> None:
    """`left_calls`: what exports may still spend after it; below 0, part of it waits for the next window."""
    if not planned.writes:
        out.print("Export: nothing differs from what was written; no credits.")
        return
    rows = [
        (each.sobject, each.action.value, f"{each.records:,}", each.way.value, f"{each.jobs or each.batches:,}")
        for each in planned.writes
    ]
    print_table("Plan of the export", ("Object", "Writes", "Records", "By", "Jobs or batches"), rows, numbers=(2, 4))
    out.print(
        f"Credits: {planned.looking_calls} to look, {planned.collection_calls:,} in collections, "
        f"{planned.bulk_calls:,} in Bulk jobs = [bold]{planned.calls:,}[/], in about {planned.seconds:,} s.",
        highlight=False,
    )
    if planned.without_bulk:
        out.print(f"Without Bulk jobs: {planned.without_bulk}", highlight=False)
    if left_calls is not None:
        told = f"{left_calls:,} are left for exports then" if left_calls >= 0 else f"{-left_calls:,} too many for now"
        out.print(f"Of this window's credits, {told}.", highlight=False)


def print_plan(planned: SyncPlan) -> None:
    rows = [
        (read.sobject, read.mode.value, _rows(read.rows, read.mode), WAYS[read.method], f"{read.pages:,}", read.why)
        for read in planned.all_reads
    ]
    print_table("Plan of the sync", ("Object", "Reads", "Rows", "By", "Pages", "Why"), rows, numbers=(2, 4))
    out.print(
        f"Credits: {planned.looking_calls} to look, {planned.query_calls} in plain queries, "
        f"{planned.composite_calls} in composites, {planned.bulk_calls} in Bulk jobs = [bold]{planned.calls}[/]. "
        f"About {planned.seconds:,} seconds. {_left(planned)}",
        highlight=False,
    )
    for each in planned.all_waiting:
        is_history = each.mode is Mode.FULL
        out.print(
            f"Waits: {each.sobject} {'in full' if is_history else each.mode.value}, {each.rows:,} rows for "
            f"{each.calls:,} credits, until {each.until_utc}: "
            f"{'history is read at its share of the quota' if is_history else 'there is no room beside the rest'}.",
            highlight=False,
        )


def _left(planned: SyncPlan) -> str:
    if planned.left_calls is None:
        return ""
    kept = (
        f" {planned.floor_calls:,} of the org's allowance are left to its other users." if planned.floor_calls else ""
    )
    if planned.left_calls < 0:
        return f"{-planned.left_calls:,} of them have to wait until {planned.resets_utc}.{kept}"
    return f"{planned.left_calls:,} are left afterwards.{kept}"


def _rows(rows: int, mode: Mode) -> str:
    return f"{rows:,}" if mode is Mode.FULL else f"about {rows:,}"


def print_against_actual(found: PlanAgainstActual) -> None:
    rows = [
        (
            CALLS[line.kind],
            *(_number(calls) for calls in (line.planned_calls, line.planned_again_calls, line.spent_calls)),
        )
        for line in found.calls
    ]
    headings = ("Credits", "Planned", "Once counted", "Spent")
    print_table("Plan against actual", headings, rows, numbers=(1, 2, 3))
    out.print(f"Seconds: {found.planned_seconds:,} planned, {_number(found.seconds)} taken.", highlight=False)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
