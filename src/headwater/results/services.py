"""What pages, commands and the export ask of the results: revenue by channel, opportunities, and why a share is so.

All money is whole cents. Not here: computing (runs.py, the attribution room).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

from headwater.accounts.models import Account
from headwater.accounts.services import open_account_of_job
from headwater.attribution import STANDARD_MODELS
from headwater.jobs.models import JsonValue
from headwater.jobs.running import RunningJob
from headwater.jobs.tasks import task
from headwater.results.models import Run
from headwater.results.runs import forget_results, latest_run, open_results, run_attribution, values_named_by_rules

__all__ = [
    "ChannelRow",
    "OpportunityDetail",
    "OpportunityRow",
    "RevenueTable",
    "Run",
    "TouchShare",
    "attribute",
    "forget_results",
    "latest_run",
    "open_results",
    "opportunities",
    "opportunity",
    "revenue_by_channel",
    "run_attribution",
    "values_named_by_rules",
    "won_total_cents",
]

PAGE_ROWS = 50
MODELS = {model.code: model.label for model in STANDARD_MODELS}


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One channel's revenue of won opportunities, by model's label. `is_none`: won without any eligible touch."""

    channel: str
    cents: Mapping[str, int]
    is_none: bool


@dataclass(frozen=True, slots=True)
class RevenueTable:
    """`models` are labels in the order of the slider; rows are the largest first, the row without touches last."""

    models: tuple[str, ...]
    rows: tuple[ChannelRow, ...]
    sums_cents: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OpportunityRow:
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


@dataclass(frozen=True, slots=True)
class Share:
    """A model's share for one touch: percent of the opportunity, cents of its amount, and the rule that gave it."""

    model: str
    percent: Decimal
    cents: int | None
    rule: str


@dataclass(frozen=True, slots=True)
class TouchShare:
    unique_id: str
    touch_utc: datetime
    contact_id: str
    contact_name: str
    channel: str
    campaign: str
    touchpoint_type: str
    positions: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class ModelTotal:
    """What all touches of one opportunity got by one model; `cents` is its amount wherever a touch holds a position."""

    model: str
    percent: Decimal
    cents: int | None


@dataclass(frozen=True, slots=True)
class OpportunityDetail:
    opportunity: OpportunityRow
    models: tuple[str, ...]
    touches: tuple[TouchShare, ...]

    @property
    def totals(self) -> tuple[ModelTotal, ...]:
        """In the order of `models`."""
        return tuple(self._total(model) for model in self.models)

    def _total(self, model: str) -> ModelTotal:
        shares = [share for touch in self.touches for share in touch.shares if share.model == model]
        cents = [share.cents for share in shares if share.cents is not None]
        return ModelTotal(model, sum((share.percent for share in shares), Decimal(0)), sum(cents) if cents else None)


@task("attribution.run")
def attribute(job: RunningJob, *, account_id: int) -> JsonValue:
    """Attribute one account's published replica."""
    return run_attribution(job, open_account_of_job(job.tenant, account_id))


def revenue_by_channel(account: Account) -> RevenueTable:
    """Attributed revenue of won opportunities by channel and model; each model's column sums to what was won."""
    by_channel: dict[tuple[bool, str], dict[str, int]] = {}
    for channel, is_none, model, cents in _rows(account, "revenue_by_channel"):
        by_channel.setdefault((is_none, channel), dict.fromkeys(MODELS.values(), 0))[MODELS[model]] = cents
    rows = [ChannelRow(channel, cents, is_none) for (is_none, channel), cents in by_channel.items()]
    rows.sort(key=lambda row: (row.is_none, -sum(row.cents.values()), row.channel))
    sums = {label: sum(row.cents[label] for row in rows) for label in MODELS.values()}
    return RevenueTable(tuple(MODELS.values()), tuple(rows), sums)


def won_total_cents(account: Account) -> int:
    """What the replica says was won, touches or not."""
    total: int = _rows(account, "won_total")[0][0]
    return total


def opportunities(account: Account, *, search: str = "", page: int = 1) -> tuple[list[OpportunityRow], int]:
    """A page of opportunities whose own or account's name holds `search`, newest close first, and how many in all."""
    wish = {"id": "", "search": search, "rows": PAGE_ROWS, "skip": (page - 1) * PAGE_ROWS}
    rows = _rows(account, "opportunities", wish)
    return [OpportunityRow(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def opportunity(account: Account, opportunity_id: str) -> OpportunityDetail | None:
    """One opportunity with its touches in time's order and each model's share; None where there is none of that id."""
    found = _rows(account, "opportunities", {"id": opportunity_id, "search": "", "rows": 1, "skip": 0})
    if not found or not opportunity_id:
        return None
    touches: dict[str, list[Sequence[Any]]] = {}
    for row in _rows(account, "touch_shares", {"id": opportunity_id}):
        touches.setdefault(row[0], []).append(row)
    return OpportunityDetail(
        OpportunityRow(*found[0][:-1]), tuple(MODELS.values()), tuple(_touch(rows) for rows in touches.values())
    )


def _touch(rows: Sequence[Sequence[Any]]) -> TouchShare:
    """Rows of one touch, one a model: eight columns of the touch, then model, percent, cents and rule."""
    by_model = {row[8]: Share(MODELS[row[8]], row[9], row[10], row[11]) for row in rows}
    unique_id, touch_utc, contact_id, contact_name, channel, campaign, touchpoint_type, positions = rows[0][:8]
    return TouchShare(
        unique_id=unique_id,
        touch_utc=touch_utc,
        contact_id=contact_id,
        contact_name=contact_name,
        channel=channel,
        campaign=campaign,
        touchpoint_type=touchpoint_type,
        positions=positions,
        shares=tuple(by_model[model] for model in MODELS if model in by_model),
    )


def _rows(account: Account, name: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run one of this room's queries on the latest results. Its times are UTC and are marked as such."""
    query = files("headwater.results").joinpath(f"queries/{name}.sql").read_text()
    with open_results(account) as connection:
        rows = connection.execute(query, dict(values or {})).fetchall()
    return [tuple(value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in row) for row in rows]
