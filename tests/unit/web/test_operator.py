"""The operator's page over HTTP: all accounts, making, entering, closing; and that entering is seen."""

import html
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import (
    add_member,
    create_account,
    create_user,
    events_of,
    name_operator,
    role_of,
)
from headwater.common.clock import now_utc
from headwater.credits.services import daily_limit, meter_for
from headwater.jobs.models import Job, State
from headwater.jobs.services import jobs_of, run_here
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement
from headwater.web.templatetags.headwater import UNKNOWN
from headwater.wiring import close_account, reopen_account, sync_cycle
from unit.web.conftest import PASSWORD
from unit.web.test_connections import connect

PAGE = "/operator/"
LIMIT = "/settings/crm/general/daily-limit/"


@pytest.fixture
def olga(db: None) -> User:
    user = create_user("olga@headwater.example", PASSWORD, "Olga Operator")
    name_operator(user, is_operator=True)
    return user


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def text_of(browser: Client, path: str = PAGE) -> str:
    return html.unescape(browser.get(path).content.decode())


def rows(browser: Client) -> list[list[str]]:
    found = re.findall(r'<tr role="row">\s*(<td.*?)</tr>', text_of(browser), re.DOTALL)
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.split(r"</td>", row)[:7]] for row in found]


def test_it_shows_each_account_with_people_connection_credits_and_last_job(operator: Client, alder: Account) -> None:
    create_account("Birch Telecom")
    add_member(alder, create_user("bob@alderfinch.example", PASSWORD), Role.ADMIN)
    connect(alder)
    sync_cycle.enqueue(tenant=str(alder.pk), account_id=alder.pk)
    assert rows(operator) == [
        ["Alder & Finch alder-finch", "1", "Connected Production", "0 of 100,000", "0", UNKNOWN, "Queued Sync"],
        ["Birch Telecom birch-telecom", "0", "Not connected", "0 of 100,000", "0", UNKNOWN, UNKNOWN],
    ]


def test_it_makes_an_account_and_invites_its_first_admin(operator: Client) -> None:
    form = {"name": "Cedar Mills", "email": "carl@cedar.example"}
    page = operator.post(f"{PAGE}create/", form, follow=True).content.decode()
    assert "carl@cedar.example is invited as its Account Admin" in page
    assert [written.to for written in mail.outbox] == [["carl@cedar.example"]]
    again = operator.post(f"{PAGE}create/", form)
    assert again.status_code == 409
    assert "There is an account called Cedar Mills already" in again.content.decode()


def test_an_operator_sets_an_accounts_limit_and_its_history_names_them(
    operator: Client, olga: User, alice: User, alder: Account
) -> None:
    birch = create_account("Birch Telecom")
    dialog = text_of(operator, f"{PAGE}?limit=alder-finch")
    assert "Daily CRM API Limit of Alder & Finch" in dialog
    assert 'name="began_from" value="100000"' in dialog
    form = {"daily_limit_calls": "250,000", "began_from": "100000"}
    page = operator.post(f"{PAGE}alder-finch/limit/", form, follow=True).content.decode()
    assert "The Daily CRM API Limit of Alder &amp; Finch is 250,000 calls." in page
    assert (daily_limit(alder), daily_limit(birch)) == (250_000, 100_000)
    add_member(alder, alice, Role.STANDARD)
    hers = Client()
    hers.force_login(alice)
    assert "olga@headwater.example (operator)" in text_of(hers, "/settings/crm/general/")


@pytest.mark.parametrize(
    ("typed", "began_from", "why"),
    [("99999", "100000", "99,999 is less than 100,000"), ("300000", "100001", "was changed to 100,000")],
)
def test_an_operator_overwrites_nothing_unseen_and_nothing_too_small(
    operator: Client, alder: Account, typed: str, began_from: str, why: str
) -> None:
    refused = operator.post(f"{PAGE}alder-finch/limit/", {"daily_limit_calls": typed, "began_from": began_from})
    assert refused.status_code == 409
    assert why in html.unescape(refused.content.decode())
    assert daily_limit(alder) == 100_000


def test_a_pause_and_what_the_org_says_stand_on_the_accounts_row(operator: Client, alder: Account) -> None:
    meter = meter_for(alder, job_kind="sync")
    meter.settle(meter.reserve(Call(CallKind.LIMITS)), Settlement(Outcome.ANSWERED, 200, OrgUsage(4_321, 115_000)))
    later = now_utc() + timedelta(hours=2, minutes=1)
    Job.objects.create(
        tenant=str(alder.pk), task="sync.cycle", state=State.WAITING, created_utc=now_utc(), not_before_utc=later,
        reason_code="credits.quota_reached", reason="The limit is used up.",
    )  # fmt: skip
    row = rows(operator)[0]
    assert row[3].startswith("1 of 100,000 Paused The limit is used up. Goes on in 2")
    assert row[5] == "4,321 of 115,000"


def test_an_operator_is_no_member_and_changes_nothing_unseen(operator: Client, olga: User, alder: Account) -> None:
    assert "You operate this Headwater" in text_of(operator, "/")
    assert operator.post(LIMIT, {"daily_limit_calls": "200000"}).status_code == 403
    assert daily_limit(alder) == 100_000
    assert role_of(olga, alder) is None


def test_an_operator_who_entered_acts_as_an_admin_and_the_admins_see_it(
    operator: Client, olga: User, alice: User, alder: Account
) -> None:
    add_member(alder, alice, Role.ADMIN)
    page = operator.post(f"{PAGE}alder-finch/enter/", follow=True).content.decode()
    assert "You act in Alder &amp; Finch as an operator." in page
    assert operator.post(LIMIT, {"daily_limit_calls": "200000"}).status_code == 302
    assert daily_limit(alder) == 200_000
    operator.post(f"{PAGE}leave/")
    assert operator.post(LIMIT, {"daily_limit_calls": "300000"}).status_code == 403
    hers = Client()
    hers.force_login(alice)
    history = text_of(hers, "/settings/people/").partition("History")[2]
    assert "Came in as an operator" in history
    assert history.count("olga@headwater.example") == 2
    assert [(event.actor, event.action) for event in reversed(events_of(alder))] == [
        (olga.email, "operator.entered"),
        (olga.email, "credits.daily_limit_changed"),
        (olga.email, "operator.left"),
    ]


def test_entering_another_account_leaves_the_first(operator: Client, alder: Account) -> None:
    create_account("Birch Telecom")
    operator.post(f"{PAGE}alder-finch/enter/")
    page = operator.post(f"{PAGE}birch-telecom/enter/", follow=True).content.decode()
    assert "You act in Birch Telecom" in page
    assert events_of(alder)[0].action == "operator.left"


def test_an_operator_goes_back_to_an_account_of_their_own(operator: Client, olga: User, alder: Account) -> None:
    add_member(create_account("Headwater Hosting"), olga, Role.STANDARD)
    operator.post(f"{PAGE}alder-finch/enter/")
    operator.post("/account/headwater-hosting/choose/")
    assert "<h1>Headwater Hosting</h1>" in text_of(operator, "/")
    assert events_of(alder)[0].action == "operator.left"


def test_who_operates_no_more_loses_the_account_they_entered(operator: Client, olga: User, alder: Account) -> None:
    operator.post(f"{PAGE}alder-finch/enter/")
    assert operator.get("/").status_code == 200
    name_operator(olga, is_operator=False)
    assert operator.get("/").status_code == 403
    assert operator.get(PAGE).status_code == 404


def test_closing_asks_for_the_name_and_can_be_undone(operator: Client, alice: User, alder: Account) -> None:
    add_member(alder, alice, Role.STANDARD)
    assert "Close Alder & Finch?" in text_of(operator, f"{PAGE}?close=alder-finch")
    refused = operator.post(f"{PAGE}alder-finch/close/", {"name": "alder"})
    assert refused.status_code == 409
    assert "Nothing was closed." in refused.content.decode()
    hers = Client()
    hers.force_login(alice)
    assert hers.get("/").status_code == 200
    operator.post(f"{PAGE}alder-finch/close/", {"name": "Alder & Finch"})
    assert hers.get("/").status_code == 403
    page = operator.post(f"{PAGE}alder-finch/enter/", follow=True).content.decode()
    assert "Alder &amp; Finch is closed." in page
    operator.post(f"{PAGE}alder-finch/reopen/")
    assert hers.get("/").status_code == 200
    assert [event.action for event in events_of(alder)] == ["account.reopened", "account.closed"]


@pytest.mark.django_db(transaction=True)
def test_no_job_of_a_closed_account_runs_and_reopening_lets_it_go_on() -> None:
    account = create_account("Cedar Mills")
    connect(account)
    job = sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    close_account(account, actor="olga")
    job = run_here(job, poll_seconds=0.05)
    assert (job.state, job.reason_code) == (State.BLOCKED, "accounts.closed")
    reopen_account(account, actor="olga")
    assert jobs_of(str(account.pk)).get().state == State.QUEUED
