"""Diagnose > Replica over HTTP: what each role sees and may do, what is said before anything was read."""

import pytest
from django.test import Client

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import now_utc
from headwater.connections.models import Status
from headwater.jobs.models import Job, State
from headwater.sync.audit_findings import Finding, MonthFinding, ObjectFinding
from headwater.sync.models import Audit, Cycle, ReplicaTable
from unit.web.test_connections import connect
from unit.web.test_work_pages import make_job, text_of

PAGE = "/replica/"
COLUMNS = [["Id", "VARCHAR"], ["SystemModstamp", "TIMESTAMP"], ["IsDeleted", "BOOLEAN"]]


def have_read(account: Account, number: int = 1) -> None:
    """A published cycle that found no contact."""
    now = now_utc()
    job_id = str(900_000 + number)
    Cycle.of(account).create(account=account, number=number, job_id=job_id, started_utc=now, published_utc=now)
    ReplicaTable.of(account).get_or_create(
        account=account, sobject="Contact", defaults={"columns": COLUMNS, "read_from_utc": now}
    )


def poll(browser: Client, cycle: str) -> str:
    """What the page asks for every two seconds."""
    return browser.get(PAGE, {"cycle": cycle}, headers={"HX-Request": "true"}).content.decode()


def test_with_no_org_it_leads_to_the_connection(as_admin: Client) -> None:
    page = text_of(as_admin, PAGE)
    assert "No org to read" in page
    assert "Read now" not in page


def test_before_the_first_read_it_leads_to_the_plan(as_admin: Client, alder: Account) -> None:
    connect(alder)
    page = text_of(as_admin, PAGE)
    assert "Nothing was read yet" in page
    assert "Make a plan" in page


def test_an_admin_reads_now_for_a_price_and_comes_back(as_admin: Client, alder: Account) -> None:
    connect(alder)
    have_read(alder)
    assert "Read now" in text_of(as_admin, PAGE)
    answer = as_admin.post("/jobs/start/sync/", {"back": "replica"})
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    job = Job.objects.get(tenant=str(alder.pk))
    assert f"job {job.pk}" in text_of(as_admin, PAGE)
    answer = as_admin.post(f"/jobs/{job.pk}/cancel/", {"back": "replica"})
    assert answer.headers["Location"] == PAGE
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert f"job {job.pk}" not in text_of(as_admin, PAGE), "what is over stands among the jobs"


def test_back_leads_to_no_other_place(as_admin: Client) -> None:
    answer = as_admin.post("/jobs/start/sync/", {"back": "https://elsewhere.example"})
    assert answer.headers["Location"] == "/jobs/"


def test_a_standard_user_sees_it_all_and_can_do_nothing(as_standard: Client, alder: Account) -> None:
    connect(alder)
    have_read(alder)
    job = make_job(
        alder,
        State.RUNNING,
        progress_done=5,
        progress_total=9,
        progress_unit="rows",
        progress_from=0,
        progress_from_utc=now_utc(),
        progress_utc=now_utc(),
    )
    page = text_of(as_standard, PAGE)
    assert f"job {job.pk}" in page
    assert "5 of 9 rows" in page
    assert "Contact" in page
    assert "Compared with the org" in page
    assert "Read now" not in page
    assert "Compare now" not in page
    assert "Cancel job" not in page


def test_nothing_of_another_account_is_shown(as_admin: Client, alder: Account) -> None:
    theirs = create_account("Birch Telecom")
    connect(theirs)
    have_read(theirs, 41)
    job = make_job(theirs, State.RUNNING)
    for page in (text_of(as_admin, PAGE), poll(as_admin, "")):
        assert "cycle 41" not in page
        assert f"job {job.pk}" not in page


def test_the_poll_tells_of_a_newer_cycle_and_counts_nothing(
    as_admin: Client, alder: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_read(alder)
    monkeypatch.delattr("headwater.web.pages.replica.copies_of")
    assert "published meanwhile" not in poll(as_admin, "1")
    have_read(alder, 2)
    assert "Cycle 2 was published meanwhile" in poll(as_admin, "1")


@pytest.mark.parametrize(
    ("state", "is_shown"),
    [(State.QUEUED, True), (State.RUNNING, True), (State.WAITING, True), (State.BLOCKED, True), (State.FAILED, True),
     (State.DONE, False), (State.CANCELLED, False)],
)  # fmt: skip
def test_what_reads_waits_or_was_stopped_is_shown(
    as_admin: Client, alder: Account, state: State, is_shown: bool
) -> None:
    have_read(alder)
    job = make_job(alder, state, reason="So it is.")
    assert (f"job {job.pk}" in poll(as_admin, "1")) == is_shown


def test_a_cycle_that_is_a_part_of_a_larger_job_is_followed(as_admin: Client, alder: Account) -> None:
    have_read(alder)
    make_job(alder, State.RUNNING, task="export.records")
    assert "/jobs/" not in poll(as_admin, "1"), "an export reads nothing"
    Job.objects.all().delete()
    job = make_job(alder, State.RUNNING, task="pipeline.run")
    Cycle.of(alder).create(account=alder, number=2, job_id=str(job.pk), started_utc=now_utc())
    assert f"job {job.pk}" in poll(as_admin, "1")


def test_it_says_when_no_read_comes_by_itself(as_admin: Client, alder: Account) -> None:
    row = connect(alder)
    have_read(alder)
    row.status = Status.AUTHORIZATION_REQUIRED
    row.save()
    assert "none while the org is not connected" in text_of(as_admin, PAGE)


def test_it_shows_the_last_comparison_with_the_org_and_each_month_that_differed(
    as_admin: Client, alder: Account
) -> None:
    connect(alder)
    have_read(alder)
    assert "never yet" in text_of(as_admin, PAGE)
    differing = [MonthFinding("2026-07", 80, 120, missing=1, kept=41), MonthFinding("2026-08", 9, 7, missing=2)]
    found = [
        ObjectFinding("Lead", Finding.MANY_GONE, rows=127, differing=tuple(differing)),
        ObjectFinding("Case", Finding.NOT_COMPARED, why="The org does not show it."),
    ]
    Audit.of(alder).create(
        account=alder,
        job_id="7",
        after_cycle=1,
        started_utc=now_utc(),
        finished_utc=now_utc(),
        findings=[each.to_json() for each in found],
        repaired_rows=3,
        planned_calls=1,
        spent_calls=4,
    )
    page = text_of(as_admin, PAGE)
    assert "2 months that differed, 3 rows repaired" in page
    assert "4 credits, 1 was planned for comparing" in page
    assert "41 gone, kept" in page
    assert "The org no longer shows 41 of the 127 Lead records that were read." in page
    assert "Case: The org does not show it." in page
    assert "Compare now" in page
