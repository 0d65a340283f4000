"""Touchpoints without an attribution behind them: a published run of any size, to measure and test writing alone.

Not here: writing them (headwater.export).
"""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.results.models import Run
from headwater.results.runs import latest_run, results_directory

NOT_AN_ID = "006000000000000AAA"  # of no opportunity: the org refuses what points to it
_COMMON = """
    format('{}{}_{}', $prefix, n % 10, n) AS unique_id,
    'Paid Social' AS channel,
    format('Paid Social.{}', n % 7) AS channel_path,
    'Web Form' AS touchpoint_type,
    CASE WHEN n % 3 = 0 THEN 'FT, LC, Form' ELSE 'Form' END AS positions,
    TIMESTAMP '2026-03-01 08:00:00' + INTERVAL (n % 500000) SECOND AS touch_utc,
    'Web site' AS touchpoint_source,
    CASE WHEN n % 4 = 0 THEN NULL ELSE 'cpc' END AS medium,
    format('ad-{}', n % 1000) AS ad_campaign_id,
    CASE WHEN list_contains($unfit, n) THEN '#N/A' ELSE format('Spring “{}”, "wave" {}', n % 1000, $version) END
        AS ad_campaign_name,
    '' AS ad_content,
    format('person-{}', n) AS user_touchpoint_id,
    CAST(NULL AS VARCHAR) AS contact_id,
    CAST(NULL AS VARCHAR) AS campaign_id,
    1 / (1 + n % 3) AS count_first_touch,
    1 / (1 + n % 5) AS count_lead_creation,
    1 / (1 + n % 7) AS count_u_shaped
"""
_BUYER = f"SELECT {_COMMON}, CAST(NULL AS VARCHAR) AS lead_id FROM range($first, $until) AS all_numbers(n)"
_MODELS = ("first_touch", "lead_creation", "u_shaped", "w_shaped", "full_path")
_ATTRIBUTED = f"""
SELECT {_COMMON},
    CASE WHEN n % 100 < $refused_percent THEN $not_an_id END AS opportunity_id,
    CAST(NULL AS VARCHAR) AS account_id,
    1 / (1 + n % 9) AS count_w_shaped,
    1 / (1 + n % 11) AS count_full_path,
    {", ".join(f"100 / (1 + n % 9) AS percent_{name}" for name in _MODELS)},
    {", ".join(f"CAST(n % 1000000 AS BIGINT) AS revenue_cents_{name}" for name in _MODELS)}
FROM range($first, $until) AS all_numbers(n)
"""


@dataclass(frozen=True, slots=True)
class Touchpoints:
    """What a run wants to stand in the org: numbers from `first` up to `until` of each object.

    version          changes the content of all of them
    refused_percent  of the attribution touchpoints the org will refuse
    unfit            numbers whose ad campaign has a name that CSV cannot say
    """

    buyer: tuple[int, int] = (0, 0)
    attributed: tuple[int, int] = (0, 0)
    version: int = 1
    refused_percent: int = 0
    unfit: list[int] = field(default_factory=list)


def publish(account: Account, wanted: Touchpoints) -> Run:
    """As a run of attribution does, so that the next export writes them."""
    latest = latest_run(account)
    number = latest.number + 1 if latest else 1
    directory = results_directory(account) / f"made-{number}"
    directory.mkdir(parents=True, exist_ok=True)
    shared = {"version": wanted.version, "unfit": wanted.unfit}
    _write(_BUYER, directory / "buyer_touchpoint.parquet", wanted.buyer, {**shared, "prefix": "TP2_Person_"})
    further = {"refused_percent": wanted.refused_percent, "not_an_id": NOT_AN_ID}
    _write(
        _ATTRIBUTED,
        directory / "attribution_touchpoint.parquet",
        wanted.attributed,
        {**shared, **further, "prefix": "BAT2_"},
    )
    return Run.of(account).create(
        account=account,
        number=number,
        job_id=f"made-{number}",
        cycle=number,
        as_of_utc=now_utc(),
        published_utc=now_utc(),
        directory=directory.name,
    )


def _write(select: str, path: Path, numbers: tuple[int, int], values: dict[str, object]) -> None:
    first, until = numbers
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY ({select}) TO '{path}' (FORMAT parquet)",  # a path of our own
            {**values, "first": first, "until": until},
        )
