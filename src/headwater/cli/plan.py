"""`headwater plan`: what the next sync and export will read and write, for how many credits."""

from headwater.accounts.models import Account
from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account
from headwater.credits.services import today
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
    if writing:
        out.print(f"Export: {sum(writing['queued'].values()):,} records, {writing['planned_calls']:,} credits.")


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
