"""`headwater audit`: compares the local copy with the org and repairs it, in the foreground; or shows the last time."""

from typing import Annotated

import typer

from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import follow, out, print_json, print_table, the_account, utc
from headwater.sync.audit_findings import AuditView, Finding, MonthFinding, ObjectFinding
from headwater.sync.services import audit as audit_task
from headwater.sync.services import latest_audit, planned_audit_calls

MONTH_HEADINGS = ("Object", "Created in", "In the org", "Here before", "Missing", "Older", "Gone", "Became of it")


def audit(
    show: Annotated[bool, typer.Option("--show", help="Show the last audit; the org is not asked.")] = False,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the local copy with the org, month by month of creation, and repair what differs."""
    tenant = the_account(account)
    if not show:
        if not as_json:
            out.print(f"Comparing takes {planned_audit_calls(tenant)} credits while nothing differs.", highlight=False)
        job = audit_task.enqueue(tenant=str(tenant.pk), account_id=tenant.pk)
        follow(job, "Comparing with the org", quiet=as_json)
    view = latest_audit(tenant)
    if as_json:
        print_json({"audit": view})
    elif view is None:
        out.print("The local copy was not compared with the org yet.")
    else:
        _print(view)


def _print(view: AuditView) -> None:
    rows = [
        (each.sobject, *_counts(each), f"{each.finding.in_words}{f': {each.why}' if each.why else ''}")
        for each in view.objects
    ]
    headings = ("Object", "Months", "In the org", "Here before", "Repaired", "")
    print_table(f"Compared with the org, {utc(view.finished_utc)}", headings, rows, numbers=(1, 2, 3, 4))
    if view.differing:
        lines = [_line(*each) for each in view.differing]
        print_table("Months that differed", MONTH_HEADINGS, lines, numbers=(2, 3, 4, 5, 6))
    told = f"{view.repaired_rows:,} rows repaired" if view.differing else "Nothing differs"
    out.print(f"{told}. Credits: {view.planned_calls} planned, {view.spent_calls} spent.", highlight=False)
    out.print("Counted are rows that have not changed since the last sync.", highlight=False)


def _line(sobject: str, each: MonthFinding, became: str) -> tuple[str, ...]:
    numbers = (each.org_rows, each.rows, each.missing, each.stale, each.gone)
    return (sobject, each.month, *(f"{number:,}" for number in numbers), became)


def _counts(found: ObjectFinding) -> tuple[str, str, str, str]:
    if found.finding is Finding.NOT_COMPARED:
        return "", "", "", ""
    return f"{found.months:,}", f"{found.org_rows:,}", f"{found.rows:,}", f"{found.repaired_rows:,}"
