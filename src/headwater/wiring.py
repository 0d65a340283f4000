"""Where the rooms meet: the pipeline of one account, and the tasks that a worker must know.

Importing this module registers every task. Not here: what a step does (each room's services).
"""

from collections.abc import Callable, Mapping
from typing import Any

from headwater.accounts import services as accounts
from headwater.accounts.models import Account, User
from headwater.accounts.services import account_of_job, open_account_of_job, record_event
from headwater.common.errors import Fix, Wait
from headwater.connections import lifecycle, snapshot
from headwater.connections import services as connections
from headwater.connections.models import Connection, KnownOrg, OrgSnapshot, PreflightRun, Status
from headwater.connections.package import FIELDS, INSTALLING, require_writing, run_install
from headwater.connections.parity import Comparison, compare
from headwater.connections.parity_verdict import Sides, Used
from headwater.connections.preflight import run_preflight
from headwater.connections.rules import PRODUCTION
from headwater.connections.services import Callback
from headwater.credits import services as credits
from headwater.credits.quota_settings import QuotaSettings, TypedSettings
from headwater.credits.refusals import BY_SETTINGS
from headwater.export.services import export_records, forget_written, run_export
from headwater.jobs.models import Job, JsonValue, State
from headwater.jobs.running import RunningJob
from headwater.jobs.services import cancel, jobs_of
from headwater.jobs.tasks import Task, task
from headwater.results.services import attribute, forget_results, run_attribution, values_named_by_rules
from headwater.sync.describe import needed_fields
from headwater.sync.objects import GOES_WITH, OBJECTS
from headwater.sync.services import audit, forget_replica, run_sync, sync_cycle
from headwater.watch import NEEDS_LOG_IN, forget_connection, go_on, look

__all__ = [
    "WORK",
    "attribute",
    "change_daily_limit",
    "close_account",
    "compare_snapshots",
    "confirm_connection",
    "connect_by_server",
    "delete_connection",
    "deletion",
    "export_records",
    "finish_connecting",
    "install_package",
    "installation",
    "look_before_confirming",
    "pipeline",
    "preflight",
    "reopen_account",
    "sync_cycle",
    "take_snapshot",
    "taking_snapshot",
]

NEEDS_PACKAGE = {"export.package_missing", "export.package_not_granted"}
COMPARED = {
    name: fields for name, fields in OBJECTS.items() if name not in GOES_WITH
}  # history has its record's fields
REVOKE_ATTEMPTS = 5  # of a deletion, five minutes apart, while the org does not answer


@task("pipeline.run")
def pipeline(job: RunningJob, *, account_id: int) -> JsonValue:
    """Sync, attribute, export, in this order: all that a run of an account is."""
    account = open_account_of_job(job.tenant, account_id)
    return {
        "sync": run_sync(job, account),
        "attribute": run_attribution(job, account),
        "export": run_export(job, account),
    }


def _of_account(work: Task[Any]) -> Callable[[Account], Job]:
    return lambda account: work.enqueue(tenant=str(account.pk), account_id=account.pk)


WORK: Mapping[str, Callable[[Account], Job]] = {  # what a person or a programme may start, by the name it asks for
    "sync": _of_account(sync_cycle),
    "attribute": _of_account(attribute),
    "export": _of_account(export_records),
    "all": _of_account(pipeline),
    "audit": _of_account(audit),
}


def change_daily_limit(account: Account, typed: str, actor: str, *, expected: int | None = None) -> int:
    """Store the limit as a person typed it, and let go on what waits for credits: a raised limit counts at once."""
    limit = credits.change_daily_limit(account, typed, actor, expected=expected)
    go_on(account, BY_SETTINGS)
    return limit


def change_credit_settings(
    account: Account, typed: TypedSettings, *, actor: str, expected: QuotaSettings | None = None
) -> QuotaSettings:
    """As `change_daily_limit`, for all settings of the credits together."""
    stored = credits.change_settings(account, typed, actor=actor, expected=expected)
    go_on(account, BY_SETTINGS)
    return stored


def finish_connecting(account: Account, callback: Callback, *, actor: str) -> Connection:
    """Complete a log-in, and let go on what stopped because there was none: what was missed is caught up (row A11)."""
    row = connections.finish(account, callback, actor=actor)
    _live_again(account)
    return row


def connect_by_server(account: Account, *, actor: str) -> Connection:
    """As finish_connecting, for an app that needs no browser."""
    row = connections.connect_server(account, actor=actor)
    _live_again(account)
    return row


def confirm_connection(account: Account, *, org_id: str, actor: str) -> Connection:
    """Let the connection go live, and the jobs that waited for it. A test org is looked at once, for its parity."""
    row = lifecycle.confirm(account, org_id=org_id, actor=actor)
    _live_again(account)
    if row.org_kind != PRODUCTION and snapshot.latest_of(account, org_id) is None:
        taking_snapshot.enqueue(tenant=str(account.pk), account_id=account.pk, actor=actor)
    return row


def preflight(account: Account, *, actor: str) -> PreflightRun:
    """What the connected user may, measured against every field that is read (row A12). Two credits."""
    return run_preflight(account, needed_fields(account), actor=actor)


def used() -> Used:
    """What Headwater uses of an org: what it reads, its own objects that it writes, and the values its rules name."""
    return Used(
        reads={name: frozenset(fields) for name, fields in COMPARED.items()},
        writes={name: frozenset(field.name for field in fields) for name, fields in FIELDS.items()},
        values=values_named_by_rules(),
    )


def take_snapshot(account: Account, *, actor: str) -> OrgSnapshot:
    """Look at the org's fields, triggers and flows (row A10): two credits, no record."""
    return snapshot.take(account, {*COMPARED, *FIELDS}, actor=actor)


@task("connections.snapshot")
def taking_snapshot(job: RunningJob, *, account_id: int, actor: str) -> JsonValue:
    """The same, in the queue."""
    account = open_account_of_job(job.tenant, account_id)
    return {"credits": job.step("look", lambda: take_snapshot(account, actor=actor).spent_calls)}


def look_before_confirming(account: Account, *, actor: str) -> OrgSnapshot | None:
    """The snapshot that the confirmation compares with the test org's. None where there is nothing to compare with."""
    row = Connection.of(account).filter(status=Status.AWAITING_CONFIRMATION).first()
    if row is None or snapshot.latest_of_others(account, row.org_id) is None:
        return None
    return take_snapshot(account, actor=actor)


def compare_snapshots(before: OrgSnapshot, after: OrgSnapshot) -> Comparison:
    return compare(before.content, after.content, used(), Sides(*snapshot.titles(before, after)))


def delete_connection(account: Account, *, typed_name: str, actor: str) -> Job:
    """Stop the account's work and have everything that was read from the org deleted (row A9)."""
    lifecycle.begin_deletion(account, typed_name=typed_name, actor=actor)
    for job in jobs_of(str(account.pk)).exclude(task=deletion.name):
        cancel(job)
    forget_connection(account)
    return deletion.enqueue(tenant=str(account.pk), account_id=account.pk)


def close_account(account: Account, *, actor: User | str) -> None:
    """Nobody acts for it and no job of it runs; what runs is cancelled, and what is queued waits to be let go on."""
    accounts.close_account(account, actor=actor)
    for job in jobs_of(str(account.pk)).filter(state=State.RUNNING).exclude(task=deletion.name):
        cancel(job)


def reopen_account(account: Account, *, actor: User | str) -> None:
    accounts.reopen_account(account, actor=actor)
    go_on(account, {"accounts.closed"})


@task("connections.delete")
def deletion(job: RunningJob, *, account_id: int) -> JsonValue:
    """Export state, touchpoints, replica, log-in, and last the connection itself. Settings, rules and ledger stay.

    It runs when no other job of the account does, as jobs of one account never run side by side.
    """
    account = account_of_job(job.tenant, account_id)
    job.step("a last look at its fields, triggers and flows", lambda: _last_look(account))
    parts: Mapping[str, Callable[[], object]] = {
        "what was written": lambda: forget_written(account),
        "touchpoints and results": lambda: forget_results(account),
        "the local copy": lambda: forget_replica(account),
        "the log-in": lambda: _revoke(job, account),
        "the connection": lambda: lifecycle.end_deletion(account),
    }
    deleted = {}
    for number, (name, deed) in enumerate(parts.items(), start=1):
        deleted[name] = job.step(f"delete {name}", deed)
        job.progress(number, len(parts), "parts", note=name)
    return {name: counts for name, counts in deleted.items() if counts}


def install_package(account: Account, *, actor: str) -> Job:
    """Have the package installed or updated, once no other job of the account runs. Raises Fix if it is read only."""
    require_writing(account)
    return installation.enqueue(tenant=str(account.pk), account_id=account.pk, actor=actor)


@task(INSTALLING)
def installation(job: RunningJob, *, account_id: int, actor: str) -> JsonValue:
    """The package, and what waited for it: writing starts as soon as there is something to write to."""
    account = open_account_of_job(job.tenant, account_id)
    result = run_install(job, account, actor=actor)
    go_on(account, NEEDS_PACKAGE)
    return result


def _last_look(account: Account) -> str:
    """A snapshot of what is about to go, to compare production with. An org that is away holds up no deletion."""
    row = Connection.of(account).first()
    if row is None or not KnownOrg.of(account).filter(org_id=row.org_id).exists():
        return "not taken: the org was never confirmed"
    if not row.sealed_tokens:
        return "not taken: the log-in was taken away before"
    try:
        return f"{take_snapshot(account, actor='headwater').spent_calls} credits"
    except (Fix, Wait) as error:
        told = f"{row.org_name} {row.org_id}: {error.sentence}"
        record_event(account, actor="headwater", action="connections.snapshot_missed", after=told)
        return f"not taken: {error.code}"


def _revoke(job: RunningJob, account: Account) -> None:
    """An org that is gone for good must not keep its data here: after some tries the deletion ends without it."""
    try:
        lifecycle.revoke(account)
    except (Fix, Wait) as error:
        if isinstance(error, Wait) and job.attempt < REVOKE_ATTEMPTS:
            raise
        lifecycle.tell_grant_left(account, error)


def _live_again(account: Account) -> None:
    go_on(account, NEEDS_LOG_IN)
    look(account)
