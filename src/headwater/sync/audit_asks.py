"""What an audit asks of the org and of the replica: sums by month of creation, and what changed since the last read.

Five queries are one credit. Only rows that have not changed since the last published read count, on either side: the
org bounds them by their stamp, and of ours those are left out that the org says have changed since.
Not here: what follows from the answers (audit_findings.py, audit.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from headwater.accounts.models import Account
from headwater.lake import Fineness, MonthSum, TableSchema, finest, month_sums, open_snapshot
from headwater.salesforce.errors import Refusal
from headwater.salesforce.rest import COMPOSITE_QUERIES_MAX, Org, QueryPage, SubQuery
from headwater.salesforce.transport import Transport
from headwater.sync.describe import descriptions_of
from headwater.sync.discover import tables_of
from headwater.sync.models import ReplicaTable
from headwater.sync.objects import SMALL
from headwater.sync.publish import lake_directory, manifest
from headwater.sync.schemas import schema_of
from headwater.sync.soql import OVERLAP, changed_ids_soql, months_soql, parse_stamp, stamp_field, to_literal

DOING = "comparing the local copy with the org"
MOST_SUMS = 1_500  # as counted here; an answer holds 2,000 (facts C.3)
TOO_FINE = "There are more sums of it than one answer holds."
MUCH_CHANGED = "More of it changed since the last sync than one answer holds."


@dataclass(frozen=True, slots=True)
class Compared:
    """An object as it is compared. `until_utc`: what has that stamp or an older one was there to be read."""

    table: ReplicaTable
    schema: TableSchema
    until_utc: datetime
    fineness: Fineness = Fineness.NOTHING

    @property
    def sobject(self) -> str:
        return self.table.sobject


def to_compare(account: Account) -> tuple[dict[str, Compared], dict[str, str]]:
    """The objects that are compared, and why the others are not."""
    known, compared, others = descriptions_of(account), {}, {}
    for name, table in sorted(tables_of(account).items()):
        if table.read_from_utc is None or table.full_read_due:
            others[name] = "All of it is read anew by the next sync that has room for it."
        elif name in SMALL:
            others[name] = "All of it is read anew once a day."
        elif name not in known or not known[name].is_there:
            others[name] = "The org does not show it."
        else:
            compared[name] = Compared(table, schema_of(table), table.read_from_utc - OVERLAP)
    return compared, others


def comparing_calls(account: Account) -> int:
    """Credits of comparing while nothing differs."""
    return ceil(len(to_compare(account)[0]) / COMPOSITE_QUERIES_MAX)


def fineness_of(account: Account, some: Sequence[Compared]) -> dict[str, Fineness]:
    """How finely the rows of each object may be told apart in one answer. As many sums as can be: few errors hide."""
    with open_snapshot(manifest(account), lake_directory(account)) as connection:
        return {
            each.sobject: finest(connection, each.sobject, stamp_field(each.schema), MOST_SUMS)
            if stamp_field(each.schema) != "CreatedDate"
            else Fineness.NOTHING
            for each in some
        }


def ask_months(transport: Transport, some: Sequence[Compared]) -> dict[str, dict[str, Any]]:
    """Of up to five objects: `months`, or `refused` with the org's words; as JSON, for a step of the job."""
    queries = [SubQuery(each.sobject, months_soql(each.schema, each.until_utc, each.fineness)) for each in some]
    return {
        each.sobject: _refused(answer) or _sums(answer)  # type: ignore[arg-type]  # a Refusal is answered by _refused
        for each, answer in zip(some, Org(transport).ask_together(queries, DOING, deleted_too=True), strict=True)
    }


def ask_changed(transport: Transport, some: Sequence[Compared]) -> dict[str, dict[str, Any]]:
    """Of up to five objects: `ids` of what changed since the last read, or `refused`."""
    queries = [SubQuery(each.sobject, changed_ids_soql(each.schema, each.until_utc)) for each in some]
    return {
        each.sobject: _refused(answer) or _ids(answer)  # type: ignore[arg-type]  # as above
        for each, answer in zip(some, Org(transport).ask_together(queries, DOING, deleted_too=True), strict=True)
    }


def _refused(answer: QueryPage | Refusal) -> dict[str, Any] | None:
    return {"refused": f"{answer.error_code}: {answer.message.strip()}"} if isinstance(answer, Refusal) else None


def _ids(page: QueryPage) -> dict[str, Any]:
    if not page.is_last:
        return {"refused": MUCH_CHANGED}
    return {"ids": [record["Id"] for record in page.records]}


def _sums(page: QueryPage) -> dict[str, Any]:
    if not page.is_last:
        return {"refused": TOO_FINE}
    return {"months": dict(map(_month, page.records))}


def _month(row: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Named as the lake names them (lake/months.py)."""
    stamps = (to_literal(parse_stamp(row[name])) for name in ("oldest", "newest"))
    created = f"{row['y']:04}-{row['m']:02}"
    changed = row.get("changed_day") or (f"{row['changed_y']:04}-{row['changed_m']:02}" if "changed_y" in row else "")
    return f"{created} {changed}".strip(), [row["n"], *stamps, row["stamps"]]


def months_of(answer: Mapping[str, Sequence[Any]]) -> dict[str, MonthSum]:
    """The `months` of an answer."""
    return {month: MonthSum(*sums) for month, sums in answer.items()}


def months_here(
    account: Account, some: Sequence[Compared], changed: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, MonthSum]]:
    """The same sums of what readers see, without what `changed` names of each object."""
    with open_snapshot(manifest(account), lake_directory(account)) as connection:
        return {
            each.sobject: month_sums(
                connection,
                each.sobject,
                stamp_field(each.schema),
                each.fineness,
                each.until_utc,
                changed.get(each.sobject, ()),
            )
            for each in some
        }
