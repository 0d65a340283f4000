"""Jobs and the overview over HTTP: for both roles, and never with another account's work."""

from datetime import timedelta

import pytest
from django.test import Client

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.common.clock import now_utc
from headwater.credits.services import meter_for
from headwater.jobs.models import Job, State
from headwater.jobs.services import jobs_of
from headwater.salesforce.meter import Call, CallKind
from headwater.watch import PAUSES
from headwater.web.wording import result_lines

WORK = {"sync": "sync.cycle", "attribute": "attribution.run", "export": "export.records", "all": "pipeline.run",
        "audit": "sync.audit"}  # fmt: skip


def make_job(account: Account, state: State, **columns: object) -> Job:
    values = {"task": "sync.cycle", "created_utc": now_utc(), **columns}
    return Job.objects.create(tenant=str(account.pk), state=state, **values)


def text_of(browser: Client, path: str) -> str:
    return browser.get(path).content.decode()


@pytest.mark.parametrize(("work", "task"), WORK.items())
def test_an_admin_starts_work_once(as_admin: Client, alder: Account, work: str, task: str) -> None:
    for _ in range(2):
        assert as_admin.post(f"/jobs/start/{work}/").status_code == 302
    job = jobs_of(str(alder.pk)).get()
    assert (job.task, job.arguments) == (task, {"account_id": alder.pk})


@pytest.mark.parametrize("work", WORK)
def test_a_standard_user_starts_nothing(as_standard: Client, alder: Account, work: str) -> None:
    assert as_standard.post(f"/jobs/start/{work}/").status_code == 403
    assert not jobs_of(str(alder.pk)).exists()
    assert "Sync now" not in text_of(as_standard, "/jobs/")


def test_there_is_no_other_work(as_admin: Client) -> None:
    assert as_admin.post("/jobs/start/delete-everything/").status_code == 404


def test_another_accounts_job_is_unknown(as_admin: Client) -> None:
    theirs = make_job(create_account("Birch Telecom"), State.QUEUED)
    assert f"job {theirs.pk}" not in text_of(as_admin, "/jobs/")
    assert as_admin.get(f"/jobs/{theirs.pk}/").status_code == 404
    for act in ("cancel", "retry"):
        assert as_admin.post(f"/jobs/{theirs.pk}/{act}/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == State.QUEUED


def test_a_standard_user_reads_jobs_and_stops_none(as_standard: Client, alder: Account) -> None:
    job = make_job(alder, State.QUEUED)
    assert f"job {job.pk}" in text_of(as_standard, "/jobs/")
    assert as_standard.get(f"/jobs/{job.pk}/").status_code == 200
    assert as_standard.post(f"/jobs/{job.pk}/cancel/").status_code == 403
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_an_admin_cancels_and_a_blocked_job_can_be_retried(as_admin: Client, alder: Account) -> None:
    queued = make_job(alder, State.QUEUED)
    blocked = make_job(alder, State.BLOCKED, reason_code="connections.not_connected", reason="Not connected.")
    as_admin.post(f"/jobs/{queued.pk}/cancel/")
    as_admin.post(f"/jobs/{blocked.pk}/retry/")
    assert {job.pk: job.state for job in jobs_of(str(alder.pk))} == {
        queued.pk: State.CANCELLED,
        blocked.pk: State.QUEUED,
    }


def test_retrying_what_is_done_is_refused_with_the_reason(as_admin: Client, alder: Account) -> None:
    job = make_job(alder, State.DONE)
    page = as_admin.post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert "jobs.ended" in page


def test_htmx_gets_the_list_alone_and_asks_again_for_the_same_page(as_standard: Client, alder: Account) -> None:
    for _ in range(21):
        make_job(alder, State.DONE)
    part = as_standard.get("/jobs/?page=2", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'hx-get="/jobs/?page=2" hx-trigger="every 2s"' in part
    assert part.count("<article") == 1


@pytest.mark.parametrize("code", sorted(PAUSES))
def test_a_pause_for_credits_is_said_once_on_every_page(as_standard: Client, alder: Account, code: str) -> None:
    later = now_utc() + timedelta(hours=5, minutes=1)
    for task in ("sync.cycle", "export.records"):
        make_job(alder, State.WAITING, task=task, reason_code=code, reason="All used up.", not_before_utc=later)
    for path in ("/", "/revenue/", "/settings/account/", "/no/such/page/"):
        page = text_of(as_standard, path)
        assert page.count("pause-banner") == 1
        assert "All used up." in page
        assert "in 5\N{NO-BREAK SPACE}hours" in page


def test_other_waits_and_other_accounts_pauses_make_no_banner(as_standard: Client, alder: Account) -> None:
    make_job(alder, State.WAITING, reason_code="salesforce.unavailable", reason="Away.")
    make_job(create_account("Birch Telecom"), State.WAITING, reason_code="credits.quota_reached", reason="Used up.")
    assert "pause-banner" not in text_of(as_standard, "/")


def test_a_job_tells_its_credits_its_steps_and_what_came_of_it(as_standard: Client, alder: Account) -> None:
    job = make_job(alder, State.DONE, result={"rows": {"Lead": 1200}, "won_cents_by_model": {"First Touch": 123_450}})
    job.steps.create(name="publish", fence=1, done_utc=now_utc())
    meter_for(alder, job_kind="sync", job_id=str(job.pk)).reserve(Call(CallKind.QUERY))
    page = text_of(as_standard, f"/jobs/{job.pk}/")
    assert "<dt>Credits spent</dt><dd>1</dd>" in page
    assert "<dt>Rows, Lead</dt><dd>1,200</dd>" in page
    assert "<dt>Won cents by model, First Touch</dt><dd>1,234.50</dd>" in page
    assert "publish" in page


def test_a_result_is_told_line_by_line() -> None:
    assert list(result_lines({"cycle": 2, "rows": {"Lead": 3, "Case": 0}})) == [
        ("Cycle", 2), ("Rows, Lead", 3), ("Rows, Case", 0),
    ]  # fmt: skip


def test_the_overview_names_the_next_step(as_admin: Client) -> None:
    page = text_of(as_admin, "/")
    assert "Nothing is connected yet" in page
    assert page.count('aria-current="step"') == 1
    assert "Go to Connections" in page
