"""The credits page over HTTP: whose spending, how it is split, what can be taken away as a file."""

import csv
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import now_utc
from headwater.credits.models import Entry
from headwater.credits.opening import current_window
from headwater.credits.quota_settings import TypedSettings, change_settings
from headwater.jobs.models import Job, State
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome
from headwater.web.wording import CALL_KINDS
from unit.credits.calls import spend

PAGE = "/credits/"


def text_of(browser: Client, path: str = PAGE) -> str:
    return browser.get(path).content.decode()


def chart(page: str, name: str) -> dict[str, Any]:
    """What a chart is drawn from."""
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)
    assert found is not None
    drawn: dict[str, Any] = json.loads(found[1])
    return drawn


def table_of(browser: Client, sheet: str, query: str = "") -> list[dict[str, str]]:
    answer = browser.get(f"{PAGE}{sheet}.csv{query}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.content.decode())))


def test_it_shows_the_own_spending_and_what_the_org_says(as_standard: Client, alder: Account) -> None:
    spend(alder, now_utc(), job_id="7")
    spend(alder, now_utc(), job_kind="export", outcome=Outcome.REFUSED, org_usage=OrgUsage(4_321, 115_000))
    spend(create_account("Birch Telecom"), now_utc(), job_kind="somebody-elses")
    page = text_of(as_standard, f"{PAGE}?by=job_kind")
    assert '<progress class="bar" max="100000" value="2"' in page
    assert "4,321" in page
    assert "115,000" in page
    assert "11,500 (10 %)" in page
    assert "The org counted 4,321 calls" in page
    assert "somebody-elses" not in page
    assert chart(page, "split-data")["pieces"] == [
        {"name": "Query", "of": "Export", "value": 1, "note": ""},
        {"name": "Query", "of": "Sync", "value": 1, "note": ""},
    ]


def test_it_says_so_before_the_first_call(as_standard: Client) -> None:
    page = text_of(as_standard)
    assert "No call was made in this window yet" in page
    assert "split-data" not in page
    assert "The org has not said yet how many calls it counts" in page


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("job_kind", {"Sync": 3}),
        ("job", {"Job 7": 2, "Outside a job": 1}),
        ("object", {"Lead": 2, "Several objects or none": 1}),
        ("call", {"Query": 2, "Limits": 1}),
    ],
)
def test_it_splits_as_it_is_asked(as_standard: Client, alder: Account, by: str, groups: dict[str, int]) -> None:
    spend(alder, now_utc(), 2, job_id="7")
    spend(alder, now_utc(), call=Call(CallKind.LIMITS))
    drawn = chart(text_of(as_standard, f"{PAGE}?by={by}"), "split-data")
    counted: Counter[str] = Counter()
    for piece in drawn["pieces"]:
        counted[piece["of"]] += piece["value"]
    assert counted == groups
    assert drawn["categories"] == list(groups)


def test_a_job_leads_to_its_page_while_it_is_kept(as_standard: Client, alder: Account) -> None:
    kept = Job.objects.create(tenant=str(alder.pk), task="sync.cycle", created_utc=now_utc())
    others = Job.objects.create(tenant="somebody else", task="sync.cycle", created_utc=now_utc())
    for job_id in (kept.pk, others.pk, others.pk + 1):
        spend(alder, now_utc(), job_id=str(job_id))
    page = text_of(as_standard, f"{PAGE}?by=job")
    assert set(re.findall(r'href="/jobs/(\d+)/"', page)) == {str(kept.pk)}


def test_it_shows_another_day_and_one_hour_of_it(as_standard: Client, alder: Account) -> None:
    """Row B6: by hour. The hours of the chart are those of the window, also the ones without a call."""
    start = current_window(alder).starts_utc - timedelta(days=1)
    spend(alder, start + timedelta(hours=3), 2)
    spend(alder, start + timedelta(hours=5), job_kind="export")
    day = f"{start:%Y-%m-%dT%H:%M}"
    hours = chart(text_of(as_standard, f"{PAGE}?window={day}"), "split-data")
    assert hours["categories"] == [f"{hour:02}:00" for hour in range(24)]
    assert {one["name"]: sum(one["values"]) for one in hours["series"]} == {"Sync": 2, "Export": 1}
    assert hours["links"][3] == f"?window={day}&hour={start:%Y-%m-%d}T03&by=job_kind#split"
    assert hours["links"][4] == ""
    one = chart(text_of(as_standard, f"{PAGE}?window={day}&hour={start:%Y-%m-%d}T03&by=job_kind"), "split-data")
    assert [(piece["of"], piece["value"]) for piece in one["pieces"]] == [("Sync", 2)]


def test_what_the_org_said_stands_beside_what_headwater_counted(as_standard: Client, alder: Account) -> None:
    assert "readings-data" not in text_of(as_standard)
    spend(alder, now_utc(), 2, org_usage=OrgUsage(4_321, 15_000))
    page = text_of(as_standard)
    drawn = chart(page, "readings-data")
    assert [point["all"] for point in drawn["points"]] == [4_321]
    assert drawn["points"][0]["own"] in (1, 2)  # the call that heard it was under way
    assert (drawn["limit"], drawn["stop"]) == (15_000, 13_500)
    assert "an answer's header" in page


def test_each_day_of_the_history_leads_to_its_split(as_standard: Client, alder: Account) -> None:
    start = current_window(alder).starts_utc - timedelta(days=1)
    spend(alder, start + timedelta(hours=3), 2)
    spend(alder, now_utc())
    drawn = chart(text_of(as_standard), "history-data")
    assert drawn["series"][0]["values"] == [2, 1]
    assert drawn["line"] is None  # 100,000 would press 2 flat
    assert drawn["links"][0] == f"/credits/?window={start:%Y-%m-%dT%H:%M}#split"


def test_a_day_has_the_name_that_it_has_where_the_account_is(as_standard: Client, alder: Account) -> None:
    change_settings(alder, TypedSettings(time_zone="Asia/Tokyo"), actor="alice@alderfinch.example")
    spend(alder, datetime(2026, 3, 9, 16, tzinfo=UTC))  # 1 o'clock of the 10th there
    page = text_of(as_standard)
    assert chart(page, "history-data")["categories"][0] == "Mar 10"
    assert ">Tue, Mar 10</a>" in page
    assert "Where the credits went: Mar 10" in text_of(as_standard, f"{PAGE}?window=2026-03-09T15:00")


@pytest.mark.parametrize(
    "query", ["?window=1999-01-01T00:00", "?window=x", "?hour=x", "?by=colour", "?window=%00", "?hour=2020-01-01T00"]
)
def test_what_is_not_there_is_not_found(as_standard: Client, query: str) -> None:
    assert as_standard.get(PAGE + query).status_code == 404
    assert as_standard.get(f"{PAGE}split.csv{query}").status_code == 404
    assert as_standard.get(f"{PAGE}everything.csv").status_code == 404


def test_what_waits_and_why_stands_above_all(as_standard: Client, alder: Account) -> None:
    later = now_utc() + timedelta(hours=5, minutes=1)
    for code, reason in (("credits.backfill_share_used", "History has had its share."), ("sync.trouble", "Trouble.")):
        Job.objects.create(
            tenant=str(alder.pk), task="sync.cycle", state=State.WAITING, created_utc=now_utc(), not_before_utc=later,
            reason_code=code, reason=reason, reason_facts={"why": "Because.", "you_can": "wait"},
        )  # fmt: skip
    page = text_of(as_standard)
    assert "What waits now" in page
    assert "History has had its share." in page
    assert "Trouble." not in page


def test_the_split_the_hours_and_the_days_are_handed_out_as_csv(as_standard: Client, alder: Account) -> None:
    spend(alder, now_utc(), 2, job_id="7")
    spend(alder, now_utc(), outcome=Outcome.REFUSED, job_kind="export")
    spend(create_account("Birch Telecom"), now_utc(), job_kind="somebody-elses")
    split = table_of(as_standard, "split")
    assert [(row["job_kind"], row["job_id"], row["outcome"], row["calls"]) for row in split] == [
        ("sync", "7", "answered", "2"),
        ("export", "", "refused", "1"),
    ]
    assert {row["hour_utc"][-7:] for row in table_of(as_standard, "hours")} == {":00:00Z"}
    assert [row["used_calls"] for row in table_of(as_standard, "history")] == ["3"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_csv_is_taken_for_a_formula(as_standard: Client, alder: Account, name: str) -> None:
    spend(alder, now_utc())
    Entry.of(alder).update(sobject=name)
    assert [row["sobject"] for row in table_of(as_standard, "split")] == [f"'{name}"]


def test_every_kind_of_call_has_words() -> None:
    assert set(CALL_KINDS) == {kind.value for kind in CallKind}
