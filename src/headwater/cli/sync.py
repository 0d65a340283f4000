"""`headwater sync`: one cycle, in the foreground, with a progress bar."""

from typing import Annotated

import typer

from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import follow, out, print_json, print_table, the_account
from headwater.cli.plan import WAYS, print_against_actual
from headwater.credits.services import calls_of_job
from headwater.sync.services import object_checksums, plan_against_actual, replica_counts, sync_cycle


def sync(
    checksums: Annotated[
        bool, typer.Option("--checksums", help="Also print a checksum of each object, to compare with the org's own.")
    ] = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the org: everything the first time, then only what changed. A killed sync goes on where it was."""
    tenant = the_account(account)
    job = sync_cycle.enqueue(tenant=str(tenant.pk), account_id=tenant.pk)
    view = follow(job, "Reading the org", quiet=as_json)
    spent = calls_of_job(tenant, str(view.id))
    counts = replica_counts(tenant)
    sums = {name: text for name, (_, text) in object_checksums(tenant).items()} if checksums else {}
    if as_json:
        print_json({**view.result, "spent_calls": spent, "replica_rows": counts, "checksums": sums})
        return
    against = plan_against_actual(tenant, str(view.id))
    ways = {line.sobject: WAYS[line.method] for line in against.objects} if against else {}
    rows = [
        (name, ways.get(name, ""), f"{view.result['rows'].get(name, 0):,}", f"{counts[name]:,}", sums.get(name, ""))
        for name in counts
    ]
    headings = ("Object", "By", "Rows read", "In the replica", "Checksum" if checksums else "")
    shown = len(headings) if checksums else len(headings) - 1
    print_table(f"Cycle {view.result['cycle']}", headings[:shown], [row[:shown] for row in rows], numbers=(2, 3))
    if against:
        print_against_actual(against)
    out.print(f"Credits: {view.result['planned_calls']} planned, {spent} spent.", highlight=False)
    for notice in view.result.get("notices", ()):
        out.print(f"Note: {notice}", highlight=False)
