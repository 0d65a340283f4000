"""What goes over the REST API about credits. Keys carry their units, times are UTC; a call is one credit.

Not here: where the values come from (credits.py), and what is not about credits (shapes.py).
"""

from datetime import datetime

from ninja import Schema


class JobSpendingShape(Schema):
    job_kind: str
    call_kind: str
    sobject: str
    calls: int
    refused: int
    unanswered: int


class ForecastShape(Schema):
    """What the window will have used at its end, were there no limit; half of what is likely lies from low to high."""

    used_calls: int
    limit_calls: int
    expected_used_calls: int
    low_calls: int
    high_calls: int
    earlier_windows: int
    share_percent: int | None
    runs_out_utc: datetime | None
    sentence: str


class CreditsShape(Schema):
    """The current window. `org_*` is what the org last said of itself, for all its users together.

    left_calls      that could be spent now: within the limit, and above the floor of the org's allowance
    floor_calls     of the org's allowance, left to its other users; null before the org spoke
    org_left_calls  of the org's allowance above the floor, by a cautious estimate; null as above
    """

    starts_utc: datetime
    ends_utc: datetime
    limit_calls: int
    used_calls: int
    left_calls: int
    floor_calls: int | None
    org_left_calls: int | None
    org_used_calls: int | None
    org_limit_calls: int | None
    org_read_utc: datetime | None
    forecast: ForecastShape
    spending: list[JobSpendingShape]


class BurnPointShape(Schema):
    """`used_calls` up to now, the other three from now on."""

    at_utc: datetime
    used_calls: int | None
    expected_used_calls: int | None
    low_calls: int | None
    high_calls: int | None


class BurnDownShape(Schema):
    starts_utc: datetime
    ends_utc: datetime
    limit_calls: int
    used_calls: int
    points: list[BurnPointShape]
    forecast: ForecastShape


class WindowShape(Schema):
    """`limit_calls`: at the window's last call; null where that was not kept yet."""

    starts_utc: datetime
    ends_utc: datetime
    used_calls: int
    limit_calls: int | None
    refused: int
    unanswered: int


class HistoryShape(Schema):
    windows: list[WindowShape]


class SpentShape(Schema):
    """A group; what was not asked for in `by` is null. `hour` and `day` are the beginnings of them, UTC."""

    calls: int
    refused: int
    unanswered: int
    hour: datetime | None
    day: datetime | None
    job_kind: str | None
    job_id: str | None
    sobject: str | None
    call_kind: str | None
    outcome: str | None


class SpendingShape(Schema):
    since_utc: datetime
    until_utc: datetime
    spending: list[SpentShape]


class OrgShape(Schema):
    """Calls in the 24 hours before `at_utc`, when the org last spoke; null where it has not.

    limits_*  what `/limits` last said, within 24 hours; null where it was not asked or the user may not see it
    verdict   unknown, agrees, others (the org's other users account for the rest), less (the org counts fewer)
    """

    at_utc: datetime | None
    own_calls: int
    unanswered_calls: int
    edge_calls: int
    org_used_calls: int | None
    org_limit_calls: int | None
    difference_calls: int | None
    others_calls: int
    noise_calls: int
    unexplained_calls: int
    verdict: str
    sentence: str
    limits_used_calls: int | None
    limits_at_utc: datetime | None


class SettingsShape(Schema):
    """`reset_time`: HH:MM by the clocks of `time_zone`, an IANA name; percents are whole."""

    daily_limit_calls: int
    reset_time: str
    time_zone: str
    floor_percent: int
    backfill_share_percent: int


class WishedSettings(Schema):
    """What is left out stays as it is."""

    daily_limit_calls: int | None = None
    reset_time: str | None = None
    time_zone: str | None = None
    floor_percent: int | None = None
    backfill_share_percent: int | None = None


class LimitShape(Schema):
    daily_limit_calls: int
