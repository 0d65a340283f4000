"""`headwater export`: write touchpoints back to the org."""

from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import follow, out, print_json, print_table, the_account
from headwater.credits.services import calls_of_job
from headwater.export.services import export_records, written_counts


def export(account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Write Buyer Touchpoints and Buyer Attribution Touchpoints to the org: only what differs, 200 a credit."""
    tenant = the_account(account)
    job = export_records.enqueue(tenant=str(tenant.pk), account_id=tenant.pk)
    view = follow(job, "Writing to the org", quiet=as_json)
    spent = calls_of_job(tenant, str(view.id))
    if as_json:
        print_json({**view.result, "spent_calls": spent, "written": written_counts(tenant)})
        return
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
