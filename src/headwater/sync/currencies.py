"""Amounts without a currency, in an org that has several: counted where a cycle brought rows, told by notices.py.

Not here: rates, and what an amount is worth in another currency.
"""

from collections import Counter

from headwater.accounts.models import Account
from headwater.jobs.running import RunningJob
from headwater.lake import open_snapshot
from headwater.sync.models import ReplicaTable
from headwater.sync.publish import lake_directory, manifest

AMOUNTS = {"Campaign": "ActualCost", "Opportunity": "Amount"}
CODE = "CurrencyIsoCode"


def count_without_currency(job: RunningJob, account: Account, rows_read: Counter[str]) -> None:
    """A step of a cycle, after publishing, so that it counts what readers see; none where there is nothing to count."""
    with_code = {
        table.sobject
        for table in ReplicaTable.of(account).filter(sobject__in=AMOUNTS)
        if rows_read[table.sobject] and CODE in dict(table.columns)
    }
    if with_code:
        job.step("amounts without a currency", lambda: _count(account, with_code), lambda rows: _keep(account, rows))


def _count(account: Account, sobjects: set[str]) -> dict[str, int]:
    tables = {name: parts for name, parts in manifest(account).items() if name in sobjects}
    with open_snapshot(tables, lake_directory(account)) as connection:
        return {
            name: connection.execute(
                f'SELECT count(*) FROM "{name}" WHERE "{AMOUNTS[name]}" IS NOT NULL AND "{CODE}" IS NULL'  # noqa: S608  # our own names
            ).fetchall()[0][0]
            for name in tables
        }


def _keep(account: Account, rows: dict[str, int]) -> dict[str, int]:
    for sobject, count in rows.items():
        ReplicaTable.of(account).filter(sobject=sobject).update(without_currency_rows=count)
    return rows
