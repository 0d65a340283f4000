"""Revenue and opportunities over HTTP, on results that were computed from a simulated org's records."""

import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from headwater.accounts.api_keys import make_key
from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account
from headwater.connections.services import begin, finish
from headwater.jobs.models import State
from headwater.jobs.services import run_here
from headwater.results.services import opportunities, opportunity, won_total_cents
from headwater.wiring import attribute, confirm_connection, sync_cycle
from integration.callbacks import REDIRECT_URI, callback_of
from orgsim.person import answer_login
from orgsim.seed import load_history
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, running_orgsim

ACTOR = "alice@alderfinch.example"
RECORDS = 2_000


@pytest.fixture
def alder(transactional_db: None) -> Account:
    """Transactional, because a job renews its lease from a thread of its own."""
    return create_account("Alder & Finch")


@pytest.fixture
def attributed(alder: Account, tmp_path: Path, settings: Settings) -> Account:
    settings.DATA_DIR = tmp_path / "data"
    with running_orgsim(tmp_path / "org", callbacks=(REDIRECT_URI,)) as org:
        load_history(org.production, records=RECORDS, seed=3)
        settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        address = begin(alder, login_url=org.url, redirect_uri=REDIRECT_URI, actor=ACTOR)
        row = finish(alder, callback_of(answer_login(address, USERNAME, PASSWORD)), actor=ACTOR)
        confirm_connection(alder, org_id=row.org_id, actor=ACTOR)
        for task in (sync_cycle, attribute):
            job = run_here(task.enqueue(tenant=str(alder.pk), account_id=alder.pk), poll_seconds=0.05)
            assert job.state == State.DONE
    return alder


def cents(shown: list[str]) -> list[int]:
    return [int(re.sub(r"[^\d-]", "", text)) for text in shown]


def text_of(browser: Client, path: str) -> str:
    return browser.get(path).content.decode()


def test_every_number_on_the_pages_adds_up_and_is_explained(as_standard: Client, attributed: Account) -> None:
    page = text_of(as_standard, "/revenue/?model=w-shaped")
    sums = re.findall(r'<td class="number[^"]*">([\d,.]+)</td>', page.partition("<tfoot>")[2])
    assert cents(sums) == [won_total_cents(attributed)] * 5
    assert '<a href="?model=w-shaped" aria-current="true">W-shaped</a>' in page
    assert "(no touch)" in page
    assert as_standard.get("/revenue/?model=all").status_code == 200
    assert as_standard.get("/revenue/?model=none-such").status_code == 404

    rows, found = opportunities(attributed)
    listing = text_of(as_standard, "/opportunities/")
    assert f"{found} found" in listing
    assert listing.count('<a href="/opportunities/006') == len(rows)
    assert as_standard.get("/opportunities/?page=999").status_code == 404
    assert "No opportunity has such a name" in text_of(as_standard, "/opportunities/?search=%25")

    won = max((row for row in rows if row.is_won), key=lambda row: row.touches)
    detail = opportunity(attributed, won.id)
    assert detail is not None
    assert [total.cents for total in detail.totals] == [won.amount_cents] * 5
    page = text_of(as_standard, f"/opportunities/{won.id}/")
    assert cents(re.findall(r'second-line">([\d,.]+)</span>', page.partition("<tfoot>")[2])) == [won.amount_cents] * 5
    assert all(share.rule in page for touch in detail.touches for share in touch.shares)


def test_the_api_tells_what_the_pages_show(as_standard: Client, attributed: Account) -> None:
    headers = {"Authorization": f"Bearer {make_key(attributed, name='x', role=Role.STANDARD, actor=ACTOR)[1]}"}
    revenue = Client().get("/api/v1/revenue", headers=headers).json()
    assert set(revenue["sums_cents_by_model"].values()) == {won_total_cents(attributed)}
    for model in revenue["models"]:
        assert sum(row["cents_by_model"][model] for row in revenue["channels"]) == won_total_cents(attributed)
    rows, total = opportunities(attributed)
    listed = Client().get("/api/v1/opportunities", headers=headers).json()
    assert ([row["id"] for row in listed["opportunities"]], listed["total"]) == ([row.id for row in rows], total)
    with_touches = next(row for row in rows if row.touches and row.amount_cents)
    told = Client().get(f"/api/v1/opportunities/{with_touches.id}", headers=headers).json()
    assert len(told["touches"]) == with_touches.touches
    full_path = [share for touch in told["touches"] for share in touch["shares"] if share["model"] == "Full Path"]
    assert sum(share["cents"] for share in full_path) == with_touches.amount_cents
    assert all(share["rule"] for share in full_path)
    other = make_key(create_account("Birch Telecom"), name="x", role=Role.ADMIN, actor=ACTOR)[1]
    foreign = Client().get(f"/api/v1/opportunities/{with_touches.id}", headers={"Authorization": f"Bearer {other}"})
    assert foreign.status_code == 409  # that account has no results yet
    assert with_touches.name not in foreign.content.decode()


def test_another_accounts_opportunity_is_unknown(as_admin: Client, alice: User, attributed: Account) -> None:
    theirs = opportunities(attributed)[0][0].id
    birch = create_account("Birch Telecom")
    add_member(birch, alice, Role.ADMIN)
    assert as_admin.get(f"/opportunities/{theirs}/").status_code == 200
    as_admin.post("/account/birch-telecom/choose/")
    assert as_admin.get(f"/opportunities/{theirs}/").status_code == 404
    for path in ("/revenue/", "/opportunities/"):
        assert "Nothing was attributed yet" in text_of(as_admin, path)


def test_an_id_that_is_none_is_unknown(as_standard: Client) -> None:
    assert as_standard.get("/opportunities/0065g000000001CAAQ/").status_code == 404
