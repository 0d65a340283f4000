"""The operations of the REST API, each over the service that the page and the command of the same deed call.

What is asked for is always found through the account of the key, so another account's id is unknown here.
"""

from dataclasses import asdict
from typing import Annotated

from django.core.paginator import Paginator
from django.http import HttpRequest
from ninja import Query, Router, Status

from headwater.accounts.models import Account, Role
from headwater.api import shapes
from headwater.api.asking import account_of, actor_of, key_of
from headwater.common.errors import Facts, Fix
from headwater.connections.lifecycle import disconnect
from headwater.connections.models import Connection
from headwater.connections.services import connection_of
from headwater.jobs.models import Job
from headwater.jobs.services import JobView, cancel, job_view, jobs_of, retry
from headwater.planning import plan_ahead
from headwater.results.services import opportunities, opportunity, revenue_by_channel
from headwater.sync.schedule import Cadence, cadence_of, change_schedule
from headwater.wiring import WORK

PAGE_JOBS = 50
NOT_CONNECTED = "not_connected"
PageNumber = Annotated[int, Query(ge=1)]

router = Router()


@router.get("/account", response=shapes.AccountShape)
def account(request: HttpRequest) -> shapes.AccountShape:
    """The account that the key belongs to."""
    key = key_of(request)
    mine = key.account
    return shapes.AccountShape(
        name=mine.name, slug=mine.slug, created_utc=mine.created_utc, key_name=key.name, key_role=key.role
    )


@router.get("/connection", response=shapes.ConnectionShape)
def connection(request: HttpRequest) -> shapes.ConnectionShape:
    """The Salesforce org of the account. Connecting needs a person, who logs in there."""
    return _connection(connection_of(account_of(request)))


@router.post("/connection/disconnect", response=shapes.ConnectionShape)
def take_log_in_away(request: HttpRequest) -> shapes.ConnectionShape:
    """Take Headwater's log-in away and keep what was read."""
    return _connection(disconnect(account_of(request, Role.ADMIN), actor=actor_of(request)))


@router.get("/schedule", response=shapes.ScheduleShape)
def read_schedule(request: HttpRequest) -> shapes.ScheduleShape:
    """How often the org is read by itself and formulas anew, and what that costs while nothing changes."""
    return _schedule(cadence_of(account_of(request)))


@router.put("/schedule", response=shapes.ScheduleShape)
def write_schedule(request: HttpRequest, wished: shapes.WishedSchedule) -> shapes.ScheduleShape:
    """Set how often the org is read by itself (null: only when it is started), and formulas anew (null: never)."""
    mine = account_of(request, Role.ADMIN)
    return _schedule(change_schedule(mine, wished.model_dump(exclude_unset=True), actor=actor_of(request)))


@router.get("/jobs", response=shapes.JobsShape)
def job_list(request: HttpRequest, page: PageNumber = 1) -> shapes.JobsShape:
    """Jobs, newest first, 50 a page."""
    pages = Paginator(jobs_of(str(account_of(request).pk)), PAGE_JOBS)
    rows = pages.page(page) if page <= pages.num_pages else []
    return shapes.JobsShape(jobs=[job_shape(job_view(job)) for job in rows], total=pages.count)


@router.post("/jobs", response={202: shapes.JobShape})
def start(request: HttpRequest, wished: shapes.StartShape) -> Status[shapes.JobShape]:
    """Put work in the queue; where the same work is there already, that job is answered."""
    mine = account_of(request, Role.ADMIN)
    if wished.work not in WORK:
        raise Fix(
            "api.unknown_work",
            f"There is no work called “{wished.work[:40]}”.",
            Facts(left="Nothing was started.", you_can=f"ask for one of: {', '.join(WORK)}"),
        )
    return Status(202, job_shape(job_view(WORK[wished.work](mine))))


@router.get("/jobs/{job_id}", response=shapes.JobShape)
def job(request: HttpRequest, job_id: int) -> shapes.JobShape:
    return job_shape(job_view(_find_job(account_of(request), job_id)))


@router.post("/jobs/{job_id}/cancel", response=shapes.JobShape)
def cancel_job(request: HttpRequest, job_id: int) -> shapes.JobShape:
    """End it; a running one stops at its next step, or where it waits for the org."""
    return job_shape(job_view(cancel(_find_job(account_of(request, Role.ADMIN), job_id))))


@router.post("/jobs/{job_id}/retry", response=shapes.JobShape)
def retry_job(request: HttpRequest, job_id: int) -> shapes.JobShape:
    """Let a waiting, blocked or failed job go on after its last done step."""
    return job_shape(job_view(retry(_find_job(account_of(request, Role.ADMIN), job_id))))


@router.post("/plan", response=shapes.PlanShape)
def make_plan(request: HttpRequest, wish: shapes.PlanWish) -> shapes.PlanShape:
    """What the next sync and export will cost. Looking may cost up to three credits, counting changes as many again."""
    ahead = plan_ahead(account_of(request, Role.ADMIN), count_changes=wish.count_changes)
    sync = shapes.SyncPlanShape(**ahead.sync.told())
    return shapes.PlanShape(
        sync=sync, export=shapes.ExportPlanShape(**ahead.export.to_json()) if ahead.export else None
    )


@router.get("/revenue", response=shapes.RevenueShape)
def revenue(request: HttpRequest) -> shapes.RevenueShape:
    """Attributed revenue of won opportunities, by channel and model."""
    table = revenue_by_channel(account_of(request))
    channels = [
        shapes.ChannelShape(channel=row.channel, is_none=row.is_none, cents_by_model=dict(row.cents))
        for row in table.rows
    ]
    return shapes.RevenueShape(models=list(table.models), channels=channels, sums_cents_by_model=dict(table.sums_cents))


@router.get("/opportunities", response=shapes.OpportunitiesShape)
def opportunity_list(request: HttpRequest, search: str = "", page: PageNumber = 1) -> shapes.OpportunitiesShape:
    """A page of opportunities whose own or account's name holds `search`, newest close first."""
    rows, total = opportunities(account_of(request), search=search, page=page)
    return shapes.OpportunitiesShape(
        opportunities=[shapes.OpportunityShape(**asdict(row)) for row in rows], total=total
    )


@router.get("/opportunities/{opportunity_id}", response=shapes.SharesShape)
def shares(request: HttpRequest, opportunity_id: str) -> shapes.SharesShape:
    """One opportunity's touches and shares, each with its rule."""
    found = opportunity(account_of(request), opportunity_id)
    if found is None:
        raise _not_found("opportunity")
    return shapes.SharesShape(
        opportunity=shapes.OpportunityShape(**asdict(found.opportunity)),
        touches=[shapes.TouchShape(**asdict(touch)) for touch in found.touches],
    )


def _schedule(cadence: Cadence) -> shapes.ScheduleShape:
    return shapes.ScheduleShape(
        every_minutes=cadence.every_minutes,
        next_utc=cadence.next_utc,
        idle_calls_a_day={choice.minutes: choice.calls_a_day for choice in cadence.choices},
        formulas_every_days=cadence.formulas.every_days,
        formulas_calls=cadence.formulas.calls,
        formula_fields=list(cadence.formulas.fields),
    )


def _find_job(mine: Account, job_id: int) -> Job:
    found = jobs_of(str(mine.pk)).filter(pk=job_id).first()
    if found is None:
        raise _not_found("job")
    return found


def _not_found(thing: str) -> Fix:
    return Fix("api.not_found", f"This account has no such {thing}.", Facts(left="Nothing was changed."))


def job_shape(view: JobView) -> shapes.JobShape:
    progress = view.progress
    return shapes.JobShape(
        id=view.id,
        task=view.task,
        state=view.state,
        progress=shapes.ProgressShape(done=progress.done, total=progress.total, unit=progress.unit, note=progress.note)
        if progress
        else None,
        rate_per_second=view.rate_per_second,
        seconds_left=view.seconds_left,
        code=view.code,
        reason=view.reason,
        you_can=view.facts.you_can,
        not_before_utc=view.not_before_utc,
        started_utc=view.started_utc,
        finished_utc=view.finished_utc,
        result=view.result,
    )


def _connection(row: Connection | None) -> shapes.ConnectionShape:
    if row is None:
        return shapes.ConnectionShape(status=NOT_CONNECTED)
    return shapes.ConnectionShape(
        status=row.status,
        org_id=row.org_id,
        org_name=row.org_name,
        org_kind=row.org_kind,
        username=row.username,
        connected_utc=row.connected_utc,
    )
