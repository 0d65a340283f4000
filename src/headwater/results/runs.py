"""Runs attribution on the published replica and publishes its tables as Parquet files.

Readers open the files of the latest published run; the two latest are kept. Not here: the rules (attribution room).
"""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings

from headwater.accounts.models import Account
from headwater.attribution import Rules, RunResult
from headwater.attribution import run as attribute_replica
from headwater.attribution.pipeline import MARTS
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.jobs.running import RunningJob
from headwater.results.models import Run
from headwater.sync.services import open_replica, replica_state

RUNS_KEPT = 2
# What pages and the export read: the marts, the facts they were computed from, and names out of the replica.
SAVED = (*MARTS, "opportunity_fact", "model", "Opportunity", "Account", "Contact")


def results_directory(account: Account) -> Path:
    return Path(settings.DATA_DIR) / "results" / str(account.pk)


def latest_run(account: Account) -> Run | None:
    return Run.of(account).order_by("-number").first()


def run_attribution(job: RunningJob, account: Account) -> dict[str, Any]:
    """Steps: compute and publish -> remove what nobody reads. Returns counts and the sums of each model."""
    # A worker that lost the job may still be writing: with its fence in the name, it writes beside, never into.
    directory = results_directory(account) / f"{job.id}-{job.fence}"

    def record(result: tuple[RunResult, int, datetime]) -> dict[str, Any]:
        return _publish(account, job, directory, *result)

    told: dict[str, Any] = job.step("attribute", lambda: _compute(account, directory), record)
    job.step("attribute: tidy", lambda: _tidy(account))
    return told


def values_named_by_rules() -> dict[str, frozenset[str]]:
    """The picklist values that the rules in force name, by `Object.Field`."""
    rules = Rules()
    campaign_types = {rule.campaign_type for rule in rules.channels}
    campaign_types |= {name for rule in rules.campaigns for name in rule.campaign_types}
    named = {"Campaign.Type": frozenset(campaign_types)}
    for activity in rules.activities:
        path = f"{activity.activity.value}.Type"
        named[path] = named.get(path, frozenset()) | set(activity.activity_types)
    return named


def _compute(account: Account, directory: Path) -> tuple[RunResult, int, datetime]:
    state, as_of = replica_state(account), now_utc()
    if state is None:
        raise Fix(
            "results.nothing_read",
            "There is nothing to attribute yet: the org was never read.",
            Facts(left="Nothing was changed.", you_can="run a sync first (headwater sync)"),
        )
    directory.mkdir(parents=True, exist_ok=True)
    with open_replica(account) as connection:
        result = attribute_replica(connection, Rules(), as_of=as_of)
        for name in SAVED:
            target = directory / f"{name}.parquet"
            connection.execute(f"COPY (FROM \"{name}\") TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    return result, state.cycle, as_of


def _publish(
    account: Account, job: RunningJob, directory: Path, result: RunResult, cycle: int, as_of: datetime
) -> dict[str, Any]:
    latest = latest_run(account)
    dropped = {reason.value: count for reason, count in result.dropped.items()}
    Run.of(account).create(
        account=account,
        number=latest.number + 1 if latest else 1,
        job_id=str(job.id),
        cycle=cycle,
        as_of_utc=as_of,
        published_utc=now_utc(),
        directory=directory.name,
        row_counts=result.rows,
        dropped=dropped,
    )
    return {
        "cycle": cycle,
        "rows": result.rows,
        "dropped": dropped,
        "sums": [
            {"model": row.model, "currency": row.currency_iso_code, "won_cents": row.won_cents} for row in result.sums
        ],
    }


def _tidy(account: Account) -> list[str]:
    kept = set(Run.of(account).order_by("-number").values_list("directory", flat=True)[:RUNS_KEPT])
    gone = [path for path in results_directory(account).iterdir() if path.name not in kept]
    for path in gone:
        shutil.rmtree(path)
    return [path.name for path in gone]


def forget_results(account: Account) -> dict[str, int]:
    """Delete every run with its touchpoints and shares. Safe to repeat."""
    runs, _ = Run.of(account).delete()
    if results_directory(account).exists():
        shutil.rmtree(results_directory(account))
    return {"runs": runs}


def open_results(account: Account, names: Sequence[str] = SAVED) -> duckdb.DuckDBPyConnection:
    """A connection with the named tables of the latest run as views; the caller closes it."""
    run = latest_run(account)
    if run is None:
        raise Fix(
            "results.no_run",
            "Nothing was attributed yet.",
            Facts(left="Nothing was changed.", you_can="run an attribution first (headwater attribute)"),
        )
    directory = results_directory(account) / run.directory
    connection = duckdb.connect()
    for name in names:
        connection.execute(f"CREATE VIEW \"{name}\" AS FROM read_parquet('{directory / name}.parquet')")
    return connection
