"""`headwater plan`: what the next sync and export will read and write, for how many credits."""

from headwater.accounts.models import Account
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account
from headwater.credits.services import today
from headwater.credits.write_prices import WritePlan
from headwater.export.services import plan_export
from headwater.results.services import latest_run
from headwater.sync.plan import SyncPlan
from headwater.sync.services import plan_sync


def plan(account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Show what the next sync will read, by which call and for how many credits. Looking costs up to 3 credits."""
    tenant = the_account(account)
    planned = plan_sync(tenant)
    writing = plan_export(tenant) if latest_run(tenant) else None
    left = today(tenant).left_calls
    if as_json:
        print_json({"sync": {**planned.to_json(), "calls": planned.calls}, "export": writing, "left_calls": left})
        return
    print_plan(tenant, planned)
    if writing and "plan" in writing:
        print_write_plan(WritePlan.from_json(writing["plan"]), left_calls=writing["left_calls"])
    elif writing:
        out.print(f"Export: {sum(writing['queued'].values()):,} records. {writing['not_written']}")


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


def print_plan(account: Account, planned: SyncPlan) -> None:
    rows = [
        (read.sobject, read.mode.value, f"{read.rows:,}" if read.rows else "as changed", read.method.value)
        for read in planned.reads
    ]
    print_table("Plan of the sync", ("Object", "Reads", "Rows", "By"), rows, numbers=(2,))
    out.print(
        f"Credits: {planned.looking_calls} to look, {planned.composite_calls} in composites, "
        f"{planned.bulk_calls} in Bulk jobs = [bold]{planned.calls}[/]; "
        f"{today(account).left_calls:,} are left in this window.",
        highlight=False,
    )
