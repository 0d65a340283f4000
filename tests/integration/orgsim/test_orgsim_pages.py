"""The pages of the side door: what they show of the orgs, and that each form does its deed or says why not."""

import re
from collections.abc import Callable

import httpx2
import pytest

from orgsim.edits.checksum import checksum
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults, list_faults
from orgsim.rest.latency import list_latencies
from orgsim.testing import RunningOrgsim

Press = Callable[..., httpx2.Response]


@pytest.fixture
def press(anyone: httpx2.Client, running: RunningOrgsim) -> Press:
    """Sends a form of the production org's page as a browser does."""

    def send(deed: str, **fields: str) -> httpx2.Response:
        sent = {"org": running.production.org_id, **fields}
        return anyone.post(f"/orgsim/form/{deed}", data=sent, headers={"Origin": running.url})

    return send


def assert_labelled(shown: httpx2.Response) -> None:
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<script" not in shown.text
    ids = re.findall(r' id="([^"]+)"', shown.text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'aria-labelledby="([^"]+)"', shown.text)) <= set(ids)


@pytest.mark.conformance(
    area="Levers", feature="A page of all orgs, the clock and snapshots", source="reference", endpoint="GET /orgsim/"
)
def test_the_first_page_shows_orgs_and_clock(anyone: httpx2.Client) -> None:
    shown = anyone.get("/orgsim/")
    assert_labelled(shown)
    for words in ("Acme (production)", "Acme (sandbox)", "clock shows", "calls used in 24 hours", "None yet."):
        assert words in shown.text


@pytest.mark.conformance(
    area="Levers",
    feature="A page of each org: calls by the hour, account, journal, faults, settings",
    source="reference",
    endpoint="GET /orgsim/org/{org_id}",
)
def test_the_page_of_an_org_shows_its_account_and_newest_calls(
    anyone: httpx2.Client, client: httpx2.Client, running: RunningOrgsim
) -> None:
    client.get("/sobjects/<b>Nothing")
    shown = anyone.get(f"/orgsim/org/{running.production.org_id}")
    assert_labelled(shown)
    used = running.production.usage.used_calls()
    for words in (
        "&lt;b&gt;Nothing",
        ">404</td>",
        "admin@",
        f"{used:,} of",
        f"0 hours ago: {used:,}<",
        "bulk_page_rows",
    ):
        assert words in shown.text, words
    assert anyone.get("/orgsim/org/00D000000000000").status_code == 404


@pytest.mark.conformance(
    area="Levers",
    feature="A page of row counts and checksums",
    source="reference",
    endpoint="GET /orgsim/org/{org_id}/records",
)
def test_the_page_of_records_shows_the_checksums(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    running.writer().insert("Account", {"Name": "Ask"})
    base = f"/orgsim/orgs/{running.production.org_id}/checksum"
    told = anyone.get(base, params={"sobject": "Account"}).json()["checksum"]
    shown = anyone.get(f"/orgsim/org/{running.production.org_id}/records")
    assert_labelled(shown)
    assert told in shown.text
    assert anyone.get("/orgsim/org/00D000000000000/records").status_code == 404


@pytest.mark.conformance(
    area="Levers",
    feature="Forms for clock, snapshots, allowance, faults, settings, edits",
    source="reference",
    endpoint="POST /orgsim/form/{deed}",
)
def test_forms_stop_move_and_free_the_clock(anyone: httpx2.Client) -> None:
    try:
        stopped = anyone.post("/orgsim/form/stop-clock", data={"moment": "2025-01-02T03:04"})
        assert (stopped.status_code, stopped.headers["location"]) == (303, "/orgsim/")
        assert anyone.post("/orgsim/form/move-on", data={"seconds": "60"}).is_redirect
        shown = anyone.get("/orgsim/").text
        assert "2025-01-02 03:05:00" in shown
        assert "stands still" in shown
    finally:
        assert anyone.post("/orgsim/form/run-clock").is_redirect
    assert "runs with the machine" in anyone.get("/orgsim/").text


def test_forms_keep_and_restore_a_snapshot(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    kept = running.writer().insert("Account", {"Name": "Kept"})
    assert anyone.post("/orgsim/form/take-snapshot", data={"name": "calm"}).is_redirect
    running.writer().delete("Account", kept)
    assert "Restore calm" in anyone.get("/orgsim/").text
    assert anyone.post("/orgsim/form/restore-snapshot", data={"name": "calm"}).is_redirect
    running.writer().update("Account", kept, {"Name": "Back"})
    again = anyone.post("/orgsim/form/take-snapshot", data={"name": "calm"})
    assert (again.status_code, "already a snapshot called calm" in again.text) == (400, True)


def test_forms_set_the_allowance_and_use_it_up(press: Press, running: RunningOrgsim) -> None:
    org = running.production
    answer = press("allowance", calls="321")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orgsim/org/{org.org_id}")
    assert org.setting("allowance_calls") == 321
    before = org.usage.used_calls()
    assert press("use-elsewhere", calls="5").is_redirect
    assert org.usage.used_calls() == before + 5
    assert press("setting", name="allowance_calls", value="100000").is_redirect
    assert org.setting("allowance_calls") == 100_000


def test_forms_lay_and_clear_faults(press: Press, running: RunningOrgsim) -> None:
    org = running.production
    assert press("add-fault", effect="503", kind="query", on_calls="1, 3", percent="").is_redirect
    assert press("add-fault", effect="drop", kind="", on_calls="", percent="2.5").is_redirect
    assert [(each["effect"], each["on_calls"], each["rate"]) for each in list_faults(org.usage)] == [
        ("503", "[1,3]", 0.0),
        ("drop", "[]", 0.025),
    ]
    assert press("clear-faults").is_redirect
    assert list_faults(org.usage) == []


def test_forms_slow_calls_down_and_make_changes_late(
    press: Press, anyone: httpx2.Client, running: RunningOrgsim
) -> None:
    org = running.production
    assert press("latency", kind="query", seconds="0.5", spread_seconds="1").is_redirect
    assert press("lateness", seconds="30", percent="25").is_redirect
    shown = anyone.get(f"/orgsim/org/{org.org_id}").text
    assert "query takes 0.5 s and up to 1 s more" in shown
    assert (org.setting("late_visible_seconds"), org.setting("late_visible_share")) == (30, 0.25)
    assert press("lateness", seconds="0", percent="100").is_redirect
    assert press("clear-latencies").is_redirect
    assert list_latencies(org.usage) == []


def test_a_form_makes_believable_edits(press: Press, running: RunningOrgsim) -> None:
    before = running.production.usage.total_credits()
    plan = {"edits": "40", "deletes": "0", "merges": "0", "conversions": "0", "seed": "1"}
    for name in ("Ek", "Ask", "Alm"):
        running.writer().insert("Lead", {"LastName": name, "Company": "Forest"})
    rows = checksum(running.production, "Lead")
    assert press("edits", **plan).is_redirect
    assert checksum(running.production, "Lead") != rows
    assert running.production.usage.total_credits() == before


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("move-on", {"seconds": "soon"}),
        ("move-on", {"seconds": "1e30"}),
        ("move-on", {"seconds": "nan"}),
        ("move-on", {}),
        ("stop-clock", {"moment": "yesterday"}),
        ("restore-snapshot", {"name": "nowhere"}),
        ("take-snapshot", {"name": "../up"}),
        ("allowance", {"org": "00D", "calls": "5"}),
        ("nothing", {}),
    ],
)
def test_a_mistake_in_a_form_is_told_on_the_page(anyone: httpx2.Client, form: str, values: dict[str, str]) -> None:
    answer = anyone.post(f"/orgsim/form/{form}", data=values)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert anyone.get("/orgsim/status").status_code == 200


@pytest.mark.parametrize(
    ("form", "values"),
    [
        ("allowance", {"calls": "-5"}),
        ("setting", {"name": "allowance_calls", "value": '"many"'}),
        ("setting", {"name": "header_noise", "value": "1"}),
        ("setting", {"name": "bulk_page_rows", "value": "true"}),
        ("setting", {"name": "no_such", "value": "1"}),
        ("setting", {"name": "edition", "value": "not JSON"}),
        ("add-fault", {"effect": "503", "on_calls": "", "percent": ""}),
        ("add-fault", {"effect": "999", "on_calls": "1"}),
        ("edits", {"edits": "many"}),
        ("latency", {"seconds": "-1", "spread_seconds": "0"}),
        ("lateness", {"seconds": "5", "percent": "101"}),
    ],
)
def test_a_mistake_about_an_org_is_told_on_its_page(
    press: Press, running: RunningOrgsim, form: str, values: dict[str, str]
) -> None:
    add_fault(running.production.usage, Fault(Effect.UNAVAILABLE, on_calls=(1_000_000,)))
    answer = press(form, **values)
    clear_faults(running.production.usage)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Newest calls" in answer.text
    assert running.production.setting("allowance_calls") == 100_000
