"""`headwater export`: write touchpoints back to the org."""

from typing import Annotated

import typer

from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import follow, out, print_json, print_table, the_account
from headwater.cli.plan import print_write_plan
from headwater.credits.services import calls_of_job
from headwater.credits.write_prices import BATCH_SIZES, WritePlan, check_batch_size
from headwater.export.services import export_records, written_counts

_SIZES = ", ".join(map(str, BATCH_SIZES))
BatchSizeOption = Annotated[int, typer.Option("--batch-size", help=f"Records in a transaction: {_SIZES}.")]
WithoutBulkOption = Annotated[bool, typer.Option("--without-bulk", help="Use no Bulk jobs, whatever they would save.")]


def export(
    account: AccountOption = None,
    batch_size: BatchSizeOption = BATCH_SIZES[0],
    without_bulk: WithoutBulkOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write Buyer Touchpoints and Buyer Attribution Touchpoints to the org: only what differs, by the cheapest way."""
    tenant = the_account(account)
    job = export_records.enqueue(
        tenant=str(tenant.pk),
        account_id=tenant.pk,
        batch_size=check_batch_size(batch_size),
        use_bulk=not without_bulk,
    )
    view = follow(job, "Writing to the org", quiet=as_json)
    spent = calls_of_job(tenant, str(view.id))
    if as_json:
        print_json({**view.result, "spent_calls": spent, "written": written_counts(tenant)})
        return
    for plan in view.result.get("plans", ()):
        print_write_plan(WritePlan.from_json(plan))
    rows = [(sobject, f"{count:,}") for sobject, count in written_counts(tenant).items()]
    print_table("In the org", ("Object", "Records"), rows, numbers=(1,))
    result = view.result
    if "not_written" in result:
        out.print(f"Nothing was written. {result['not_written']} headwater package --write-back changes it.")
        return
    out.print(
        f"Sent {result['done']:,} records, {result['failed']:,} refused. "
        f"Credits: {result['planned_calls']} planned, {spent} spent.",
        highlight=False,
    )
