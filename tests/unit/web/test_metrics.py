"""/metrics over HTTP: who may read it, what it tells of each account, and that its counters only grow."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import now_utc
from headwater.credits.budget import budget_of
from headwater.credits.rollup import fold_some
from headwater.credits.services import meter_for
from headwater.jobs.models import Job, State
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement
from headwater.wiring import close_account
from unit.credits.calls import spend

TOKEN = "a token of the tests"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def _token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(client: Client) -> Samples:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def of(samples: Samples, name: str, account: Account, **labels: str) -> float | None:
    return samples.get((f"headwater_{name}", tuple(sorted({"account": account.slug, **labels}.items()))))


def test_without_a_token_of_the_environment_it_is_not_there(client: Client, alder: Account, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for header in ("", "Bearer ", "Bearer None"):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", TOKEN, f"Basic {TOKEN}", "Bearer \xe9"])
def test_a_wrong_token_learns_nothing(as_admin: Client, alder: Account, header: str) -> None:
    answer = as_admin.get("/metrics", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert b"alder" not in answer.content


def test_nothing_is_posted_there(client: Client) -> None:
    assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_it_tells_each_accounts_window_and_org(client: Client, alder: Account) -> None:
    birch = create_account("Birch Telecom")
    spend(alder, now_utc(), 3, org_usage=OrgUsage(4_321, 115_000))
    samples = scrape(client)
    assert of(samples, "credits_used", alder) == 3
    assert of(samples, "credits_limit", alder) == 100_000
    assert of(samples, "credits_left", alder) == budget_of(alder).org_left_calls  # less than what the limit leaves
    assert of(samples, "org_calls_used", alder) == 4_321
    assert of(samples, "org_calls_limit", alder) == 115_000
    assert of(samples, "org_calls_floor", alder) == 11_500
    assert of(samples, "credits_left", birch) == 100_000
    assert of(samples, "org_calls_used", birch) is None


def test_calls_are_counted_by_job_kind_and_outcome_and_never_backwards(client: Client, alder: Account) -> None:
    spend(alder, now_utc() - timedelta(days=2), 2)
    spend(alder, now_utc(), job_kind="export", outcome=Outcome.REFUSED)
    meter = meter_for(alder, job_kind="sync")
    open_one = meter.reserve(Call(CallKind.QUERY, "Lead"))
    before = scrape(client)
    labels = {"job_kind": "sync", "call_kind": "query", "outcome": "answered"}
    assert of(before, "calls_total", alder, **labels) == 2
    assert of(before, "calls_total", alder, **{**labels, "job_kind": "export", "outcome": "refused"}) == 1
    meter.settle(open_one, Settlement(Outcome.ANSWERED, 200))
    after = scrape(client)
    assert of(after, "calls_total", alder, **labels) == 3
    assert all(after[key] >= value for key, value in before.items() if key[0] == "headwater_calls_total")


def test_folding_old_calls_leaves_the_counters_as_they_are(client: Client, alder: Account) -> None:
    spend(alder, now_utc() - timedelta(days=9), 2)
    spend(alder, now_utc() - timedelta(days=9), outcome=Outcome.LOST)
    before = scrape(client)
    assert fold_some() > 0
    assert scrape(client) == before


def test_it_tells_jobs_by_state_and_what_waits(client: Client, alder: Account) -> None:
    for state, code in ((State.WAITING, "credits.quota_reached"), (State.BLOCKED, "connections.not_connected")):
        Job.objects.create(
            tenant=str(alder.pk), task="sync.cycle", state=state, created_utc=now_utc(), reason_code=code
        )
    samples = scrape(client)
    assert of(samples, "jobs", alder, state="waiting") == 1
    assert of(samples, "jobs", alder, state="blocked") == 1
    assert of(samples, "jobs", alder, state="running") == 0
    assert of(samples, "jobs_paused", alder, reason="credits.quota_reached") == 1


def test_a_closed_account_is_not_told(client: Client, alder: Account) -> None:
    close_account(alder, actor="olga")
    assert of(scrape(client), "credits_used", alder) is None


def test_every_metric_is_described_in_the_guide(client: Client, alder: Account) -> None:
    spend(alder, now_utc(), org_usage=OrgUsage(4_321, 115_000))
    Job.objects.create(
        tenant=str(alder.pk), task="sync.cycle", state=State.WAITING, created_utc=now_utc(),
        reason_code="credits.quota_reached",
    )  # fmt: skip
    page = (Path(__file__).parents[3] / "docs/howto/monitoring.md").read_text()
    told = {name for name, _ in scrape(client)}
    assert told == set(re.findall(r"^\| `(headwater_\w+)` \|", page, re.MULTILINE))
