"""`headwater credits`: the page in a terminal, tables for spreadsheets, and what is set."""

import csv
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headwater.accounts.models import Account
from headwater.accounts.services import create_account, events_of
from headwater.cli.app import app
from headwater.common.clock import now_utc
from headwater.common.errors import Fix
from headwater.credits.opening import current_window
from headwater.credits.quota_settings import settings_of
from headwater.credits.services import daily_limit
from headwater.jobs.models import Job, State
from headwater.salesforce.meter import OrgUsage
from unit.credits.calls import spend

pytestmark = pytest.mark.django_db


@pytest.fixture
def alder() -> Account:
    return create_account("Alder & Finch")


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, ("credits", *arguments))
    if isinstance(done.exception, Fix):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done


def told(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_it_tells_today_with_the_forecast_the_org_and_what_waits(alder: Account) -> None:
    spend(alder, now_utc(), 3, org_usage=OrgUsage(4_321, 115_000))
    Job.objects.create(
        tenant=str(alder.pk), task="sync.cycle", state=State.WAITING, created_utc=now_utc(),
        reason_code="credits.quota_reached", reason="The limit is used up.",
    )  # fmt: skip
    text = " ".join(run().stdout.split())
    assert "3 of 100,000 used" in text
    assert "no earlier window to compare with" in text
    assert "The org counted 4,321 calls" in text
    assert "Waits: sync.cycle" in text
    now = told()
    assert (now["used_calls"], now["forecast"]["used_calls"], now["org"]["own_calls"]) == (3, 3, 3)


def test_it_splits_the_window_of_a_day(alder: Account) -> None:
    yesterday = current_window(alder).starts_utc - timedelta(days=1)
    spend(alder, yesterday + timedelta(hours=3), 2)
    spend(alder, now_utc(), job_kind="export")
    assert told("--by", "job-kind")["spending"] == [{"job_kind": "export", "calls": 1, "refused": 0, "unanswered": 0}]
    there = told("--by", "hour", "--day", f"{yesterday:%Y-%m-%d}")["spending"]
    assert [(row["hour"][11:16], row["calls"]) for row in there] == [("03:00", 2)]
    assert "03:00 UTC" in run("--by", "hour", "--day", f"{yesterday:%Y-%m-%d}").stdout
    assert [row["used_calls"] for row in told("--history", "5")["windows"]] == [2, 1]
    with pytest.raises(Fix) as refused:
        run("--by", "hour", "--day", "1999-01-01")
    assert refused.value.code == "cli.no_such_window"


def test_it_prints_tables_for_spreadsheets(alder: Account) -> None:
    spend(alder, now_utc(), 2, job_id="7")
    split = list(csv.DictReader(StringIO(run("--csv", "split").stdout)))
    assert [(row["job_id"], row["sobject"], row["calls"]) for row in split] == [("7", "Lead", "2")]
    assert run("--csv", "history").stdout.startswith("starts_utc,ends_utc,used_calls")


def test_it_sets_what_is_named_and_shows_what_that_comes_to(alder: Account) -> None:
    text = run("--limit", "200000", "--floor", "20", "--time-zone", "Europe/Berlin").stdout
    assert "200,000" in text
    assert "00:00 Europe/Berlin" in text
    assert "100,000 calls" in text  # the share for reading history
    assert (daily_limit(alder), settings_of(alder).floor_percent) == (200_000, 20)
    assert {event.actor.endswith("(command line)") for event in events_of(alder)} == {True}
    with pytest.raises(Fix) as refused:
        run("--reset-time", "25:00")
    assert refused.value.code == "credits.bad_reset_time"
    assert told("--settings")["reset_time"] == "00:00"


def test_operators_see_all_accounts(alder: Account) -> None:
    birch = create_account("Birch Telecom")
    spend(birch, now_utc(), 2, org_usage=OrgUsage(4_321, 115_000))
    assert [(row["account"], row["used_calls"]) for row in told("--all")["accounts"]] == [
        ("alder-finch", 0),
        ("birch-telecom", 2),
    ]
    assert "4,321 of 115,000" in run("--all").stdout
