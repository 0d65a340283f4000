"""What goes over the REST API. Keys carry their units, times are UTC; money is whole cents of the org's currency.

Not here: where the values come from (endpoints.py), and what is about credits (credit_shapes.py).
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ninja import Schema


class Problem(Schema):
    """An error: what happened, why, what is left behind, what happens next, what the reader can do."""

    code: str
    sentence: str
    why: str
    left: str
    next: str
    you_can: str


class AccountShape(Schema):
    name: str
    slug: str
    created_utc: datetime
    key_name: str
    key_role: str


class ConnectionShape(Schema):
    """`status`: docs/reference/connections.md; the other values are empty where no org is connected."""

    status: str
    org_id: str = ""
    org_name: str = ""
    org_kind: str = ""
    username: str = ""
    connected_utc: datetime | None = None


class ScheduleShape(Schema):
    """`every_minutes` is null where reads are only started by hand; `next_utc` where none will come by itself.

    `formulas_every_days` is null where formulas are never read anew; `formulas_calls` is what each time costs, 0 where
    none of the `formula_fields` is read.
    """

    every_minutes: int | None
    next_utc: datetime | None
    idle_calls_a_day: dict[int, int]
    formulas_every_days: int | None
    formulas_calls: int
    formula_fields: list[str]


class WishedSchedule(Schema):
    """What is left out stays as it is."""

    every_minutes: int | None = None
    formulas_every_days: int | None = None


class ProgressShape(Schema):
    done: int
    total: int | None
    unit: str
    note: str


class JobShape(Schema):
    """`code`, `reason`, `you_can`: why it waits, is blocked or failed; empty otherwise.

    `rate_per_second`: in the unit of its progress.
    """

    id: int
    task: str
    state: str
    progress: ProgressShape | None
    rate_per_second: float | None
    seconds_left: int | None
    code: str
    reason: str
    you_can: str
    not_before_utc: datetime | None
    started_utc: datetime | None
    finished_utc: datetime | None
    result: Any


class JobsShape(Schema):
    jobs: list[JobShape]
    total: int


class StartShape(Schema):
    """`work`: sync, attribute, export, or all of them in this order; or audit."""

    work: str


class ChannelShape(Schema):
    channel: str
    is_none: bool
    cents_by_model: dict[str, int]


class RevenueShape(Schema):
    """Each model's column sums to what was won."""

    models: list[str]
    channels: list[ChannelShape]
    sums_cents_by_model: dict[str, int]


class OpportunityShape(Schema):
    id: str
    name: str
    account_name: str
    stage: str
    is_closed: bool
    is_won: bool
    amount_cents: int | None
    created_utc: datetime
    close_date: date
    touches: int


class OpportunitiesShape(Schema):
    opportunities: list[OpportunityShape]
    total: int


class ShareShape(Schema):
    model: str
    percent: Decimal
    cents: int | None
    rule: str


class TouchShape(Schema):
    unique_id: str
    touch_utc: datetime
    contact_id: str
    contact_name: str
    channel: str
    campaign: str
    touchpoint_type: str
    positions: str
    shares: list[ShareShape]


class SharesShape(Schema):
    """An opportunity with its touches in time's order, and each model's share with the rule it follows from."""

    opportunity: OpportunityShape
    touches: list[TouchShape]


class PlanWish(Schema):
    """`count_changes`: count first what has changed, one credit for five objects, for an exact price."""

    count_changes: bool = False


class ReadShape(Schema):
    """How an object is read, and why this way. `rows` is expected, or counted."""

    sobject: str
    mode: str
    method: str
    rows: int
    pages: int
    why: str


class WaitingShape(Schema):
    """An object that is read in full later, at history's share of the quota; `mode` is `formulas` of formulas alone."""

    sobject: str
    mode: str
    rows: int
    calls: int
    until_utc: str


class SyncPlanShape(Schema):
    """`looking_calls` were spent to make the plan. `left_calls` below zero: so many wait until `resets_utc`."""

    calls: int
    looking_calls: int
    query_calls: int
    composite_calls: int
    bulk_calls: int
    seconds: int
    left_calls: int | None
    floor_calls: int | None
    resets_utc: str
    reads: list[ReadShape]
    waiting: list[WaitingShape]


class WriteShape(Schema):
    """How the records of an object are written. `jobs` is 0 where it is not by Bulk."""

    sobject: str
    action: str
    way: str
    records: int
    jobs: int
    batches: int


class WritePlanShape(Schema):
    calls: int
    looking_calls: int
    collection_calls: int
    bulk_calls: int
    seconds: int
    batch_size: int
    without_bulk: str
    writes: list[WriteShape]


class ExportPlanShape(Schema):
    """`plan` is null where the account is read only, as `not_written` says."""

    records: int
    left_calls: int | None
    not_written: str
    plan: WritePlanShape | None


class PlanShape(Schema):
    """`export` is null before the first attribution."""

    sync: SyncPlanShape
    export: ExportPlanShape | None
