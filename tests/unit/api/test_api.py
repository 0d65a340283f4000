"""The REST API over HTTP: who may ask what, that nothing of another account is found, and how errors read."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from headwater.accounts.api_keys import MADE, REVOKED, find_key, keys_of, make_key, revoke_key
from headwater.accounts.models import Account, ApiKey, Role
from headwater.accounts.services import create_account, create_user, events_of
from headwater.api.app import api
from headwater.common.clock import now_utc
from headwater.common.errors import Fix
from headwater.connections.models import Connection, Status
from headwater.credits.quota_settings import settings_of
from headwater.credits.services import meter_for
from headwater.jobs.models import Job
from headwater.jobs.services import jobs_of
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement
from headwater.wiring import WORK

ACTOR = "alice@alderfinch.example"
ROOT = "/api/v1"


@pytest.fixture
def alder(db: None) -> Account:
    return create_account("Alder & Finch")


@pytest.fixture
def birch(db: None) -> Account:
    """Another account, with one of everything that an operation could touch."""
    account = create_account("Birch Telecom")
    Connection.of(account).create(
        account=account,
        status=Status.CONNECTED,
        org_id="00D000000000002AAA",
        org_name="Birch Production",
        org_kind="production",
        instance_url="http://127.0.0.1:2",
        login_url="http://127.0.0.1:2",
        username="integration@birch.example",
        connected_utc=now_utc(),
        sealed_tokens="",
    )
    WORK["sync"](account)
    return account


def key_of(account: Account, role: Role = Role.STANDARD) -> str:
    return make_key(account, name="a script", role=role, actor=ACTOR)[1]


def ask(client: Client, method: str, path: str, key: str = "", body: dict[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    content = json.dumps(body) if body is not None else ""
    return client.generic(method.upper(), ROOT + path, content, content_type="application/json", headers=headers)


def operations(account: Account) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Every operation of the OpenAPI document, with this account's ids and a body of the right shape."""
    job = jobs_of(str(account.pk)).first()
    ids = {"job_id": str(job.pk if job else 1), "opportunity_id": "006000000000001AAA"}
    bodies: dict[str, dict[str, Any]] = {
        "LimitShape": {"daily_limit_calls": 250_000},
        "FieldWish": {"sobject": "Contact", "field": "Title"},
        "WishedSchedule": {"every_minutes": 60},
        "WishedSettings": {"floor_percent": 20},
        "StartShape": {"work": "attribute"},
        "PlanWish": {"count_changes": True},
    }
    document = api.get_openapi_schema()
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            filled = re.sub(r"{(\w+)}", lambda found: ids[found[1]], path.removeprefix(ROOT))
            filled += "?by=hour" if filled.endswith("/spending") else ""
            content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            shape = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
            yield method, filled, bodies[shape] if shape else None


def everything_of(account: Account) -> list[object]:
    """What an operation could change of an account."""
    return [
        list(Connection.of(account).values()),
        list(Job.objects.filter(tenant=str(account.pk)).order_by("pk").values()),
        settings_of(account),
        list(events_of(account).values()),
        list(keys_of(account).values("pk", "name", "digest", "role", "expires_utc", "revoked_utc")),
    ]


def test_the_document_lists_operations_that_read_and_that_change(alder: Account) -> None:
    methods = {method for method, _, _ in operations(alder)}
    assert methods == {"get", "post", "put", "patch"}
    assert len(list(operations(alder))) >= 19


def test_no_operation_answers_without_a_key_that_works(client: Client, birch: Account) -> None:
    expired, revoked = make_key(birch, name="old", role=Role.ADMIN, actor=ACTOR, days=1), key_of(birch, Role.ADMIN)
    ApiKey.of(birch).filter(pk=expired[0].pk).update(expires_utc=now_utc() - timedelta(seconds=1))
    newest = keys_of(birch).first()
    assert newest is not None
    revoke_key(birch, newest.pk, actor=ACTOR)
    before = everything_of(birch)
    for key in ("", "hw_", "hw_forged", expired[1], revoked, revoked[:-1]):
        for method, path, body in operations(birch):
            answer = ask(client, method, path, key, body)
            assert answer.status_code == 401, (method, path)
            assert answer.json()["code"] == "api.key_needed"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert everything_of(birch) == before


def test_a_session_of_a_browser_is_not_a_key(client: Client, birch: Account) -> None:
    client.force_login(create_user(ACTOR, "three quiet rivers"))
    assert {ask(client, method, path, "", body).status_code for method, path, body in operations(birch)} == {401}


def test_nothing_of_another_account_is_found_or_changed(client: Client, alder: Account, birch: Account) -> None:
    """Every operation, with the other account's ids and the strongest key of ones own."""
    before, key = everything_of(birch), key_of(alder, Role.ADMIN)
    for method, path, body in operations(birch):
        answer = ask(client, method, path, key, body)
        assert answer.status_code in {200, 202, 404, 409}, (method, path, answer.content)
        if re.search(r"/\d", path):
            assert answer.status_code in {404, 409}, (method, path)
        assert b"irch" not in answer.content, (method, path)
        assert b"00D000000000002AAA" not in answer.content
    assert everything_of(birch) == before


def test_a_standard_key_changes_nothing(client: Client, birch: Account) -> None:
    key = key_of(birch)
    before = everything_of(birch)
    for method, path, body in operations(birch):
        answer = ask(client, method, path, key, body)
        if method != "get":
            assert (answer.status_code, answer.json()["code"]) == (403, "api.admin_key_needed"), (method, path)
    assert everything_of(birch) == before


def test_it_tells_the_connection_and_no_token(client: Client, birch: Account) -> None:
    answer = ask(client, "get", "/connection", key_of(birch)).json()
    assert (answer["status"], answer["org_name"]) == ("connected", "Birch Production")
    assert not [name for name in answer if "token" in name or "secret" in name]


def test_an_account_without_an_org_says_so(client: Client, alder: Account) -> None:
    assert ask(client, "get", "/connection", key_of(alder)).json()["status"] == "not_connected"


def test_the_limit_is_set_by_the_same_rules_as_on_the_page(client: Client, alder: Account) -> None:
    key = key_of(alder, Role.ADMIN)
    assert ask(client, "put", "/credits/daily-limit", key, {"daily_limit_calls": 150_000}).status_code == 200
    refused = ask(client, "put", "/credits/daily-limit", key, {"daily_limit_calls": 99_999})
    assert (refused.status_code, refused.json()["code"]) == (409, "credits.bad_limit")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert ask(client, "get", "/credits/daily-limit", key).json() == {"daily_limit_calls": 150_000}
    assert ask(client, "get", "/credits", key).json()["limit_calls"] == 150_000
    changed = events_of(alder, "credits.daily_limit_changed").get()
    assert changed.actor.startswith("API key a script (hw_")


def test_the_schedule_is_read_and_set(client: Client, alder: Account) -> None:
    key = key_of(alder, Role.ADMIN)
    assert ask(client, "put", "/schedule", key, {"every_minutes": 60}).json()["every_minutes"] == 60
    refused = ask(client, "put", "/schedule", key, {"every_minutes": 7})
    assert (refused.status_code, refused.json()["code"]) == (409, "sync.bad_interval")
    assert ask(client, "put", "/schedule", key, {"every_minutes": None}).json()["every_minutes"] is None
    told = ask(client, "get", "/schedule", key).json()
    assert (told["every_minutes"], told["next_utc"]) == (None, None)
    assert list(told["idle_calls_a_day"]) == ["5", "10", "15", "30", "60", "180", "360", "720", "1440"]


def test_how_often_formulas_are_read_anew_is_set_alone_or_with_the_rest(client: Client, alder: Account) -> None:
    key = key_of(alder, Role.ADMIN)
    told = ask(client, "put", "/schedule", key, {"formulas_every_days": 7}).json()
    assert (told["formulas_every_days"], told["every_minutes"]) == (7, 15)
    assert (told["formulas_calls"], told["formula_fields"]) == (0, [])
    refused = ask(client, "put", "/schedule", key, {"every_minutes": 7, "formulas_every_days": None})
    assert (refused.status_code, refused.json()["code"]) == (409, "sync.bad_interval")
    assert ask(client, "get", "/schedule", key).json()["formulas_every_days"] == 7
    told = ask(client, "put", "/schedule", key, {"every_minutes": 60, "formulas_every_days": None}).json()
    assert (told["every_minutes"], told["formulas_every_days"]) == (60, None)


def test_the_settings_of_credits_are_read_and_set_one_by_one(client: Client, alder: Account) -> None:
    key = key_of(alder, Role.ADMIN)
    assert ask(client, "patch", "/credits/settings", key, {"floor_percent": 20, "reset_time": "06:30"}).json() == {
        "daily_limit_calls": 100_000,
        "reset_time": "06:30",
        "time_zone": "UTC",
        "floor_percent": 20,
        "backfill_share_percent": 50,
    }
    refused = ask(client, "patch", "/credits/settings", key, {"time_zone": "Mars/Base", "floor_percent": 30})
    assert (refused.status_code, refused.json()["code"]) == (409, "credits.unknown_time_zone")
    assert ask(client, "get", "/credits/settings", key).json()["floor_percent"] == 20


def test_it_tells_where_credits_went_where_the_day_is_going_and_what_the_org_says(
    client: Client, alder: Account
) -> None:
    for job_kind, usage in (("sync", None), ("export", None), ("sync", OrgUsage(4_321, 115_000))):
        meter = meter_for(alder, job_kind=job_kind)
        entry = meter.reserve(Call(CallKind.QUERY, "Lead"))
        meter.settle(entry, Settlement(Outcome.ANSWERED, 200, usage))
    key = key_of(alder)
    now = ask(client, "get", "/credits", key).json()
    assert (now["used_calls"], now["floor_calls"], now["forecast"]["used_calls"]) == (3, 11_500, 3)
    assert now["left_calls"] == now["org_left_calls"]  # of 99,997 and what the org has above its floor, the less
    split = ask(client, "get", "/credits/spending?by=job_kind", key).json()["spending"]
    assert [(row["job_kind"], row["calls"], row["sobject"]) for row in split] == [
        ("sync", 2, None),
        ("export", 1, None),
    ]
    assert [row["used_calls"] for row in ask(client, "get", "/credits/history", key).json()["windows"]] == [3]
    assert ask(client, "get", "/credits/hours", key).json()["points"][0]["used_calls"] == 0
    org = ask(client, "get", "/credits/org", key).json()
    assert (org["org_used_calls"], org["own_calls"], org["verdict"]) == (4_321, 3, "others")


def test_work_is_started_seen_and_cancelled(client: Client, alder: Account) -> None:
    key = key_of(alder, Role.ADMIN)
    started = ask(client, "post", "/jobs", key, {"work": "sync"})
    assert started.status_code == 202
    job_id = started.json()["id"]
    assert [job["id"] for job in ask(client, "get", "/jobs", key).json()["jobs"]] == [job_id]
    assert ask(client, "get", f"/jobs/{job_id}", key).json()["state"] == "queued"
    assert ask(client, "post", f"/jobs/{job_id}/cancel", key).json()["state"] == "cancelled"
    assert ask(client, "post", f"/jobs/{job_id}/retry", key).json()["code"] == "jobs.ended"
    assert ask(client, "get", "/jobs?page=2", key).json() == {"jobs": [], "total": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("post", "/jobs", {"work": "everything"}, 409, "api.unknown_work"),
        ("post", "/jobs", {}, 422, "api.bad_request"),
        ("put", "/credits/daily-limit", {"daily_limit_calls": "many"}, 422, "api.bad_request"),
        ("get", "/credits/spending", None, 422, "api.bad_request"),
        ("get", "/credits/spending?by=colour", None, 422, "api.bad_request"),
        ("get", "/credits/history?windows=0", None, 422, "api.bad_request"),
        ("get", "/jobs?page=0", None, 422, "api.bad_request"),
        ("get", "/jobs/7", None, 404, "api.not_found"),
    ],
)
def test_what_cannot_be_done_is_told_as_a_problem(
    client: Client, alder: Account, method: str, path: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    answer = ask(client, method, path, key_of(alder, Role.ADMIN), body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "sentence", "why", "left", "next", "you_can"}


# Keys


def test_a_key_is_kept_as_its_digest_alone(alder: Account) -> None:
    key, text = make_key(alder, name="Looker", role=Role.STANDARD, actor=ACTOR)
    stored = " ".join(str(value) for value in ApiKey.of(alder).values()[0].values())
    assert text not in stored
    assert text.startswith(key.prefix)
    found = find_key(text)
    assert found is not None
    assert found.account == alder


def test_its_use_is_noted(alder: Account) -> None:
    key, text = make_key(alder, name="Looker", role=Role.STANDARD, actor=ACTOR)
    assert key.last_used_utc is None
    find_key(text)
    key.refresh_from_db()
    assert key.last_used_utc is not None


def test_who_made_and_revoked_it_is_kept_and_the_key_is_not(alder: Account) -> None:
    key, text = make_key(alder, name="Looker", role=Role.ADMIN, actor=ACTOR)
    revoke_key(alder, key.pk, actor="bob@alderfinch.example")
    made, revoked = events_of(alder, MADE).get(), events_of(alder, REVOKED).get()
    assert (made.actor, revoked.actor) == (ACTOR, "bob@alderfinch.example")
    assert text not in made.after + revoked.before
    assert find_key(text) is None


def test_another_accounts_key_cannot_be_revoked(alder: Account, birch: Account) -> None:
    key, text = make_key(birch, name="theirs", role=Role.STANDARD, actor=ACTOR)
    with pytest.raises(Fix) as refused:
        revoke_key(alder, key.pk, actor=ACTOR)
    assert refused.value.code == "api_keys.unknown"
    assert find_key(text) is not None


@pytest.mark.parametrize(("name", "days", "code"), [(" ", None, "name_missing"), ("x", 0, "bad_lifetime")])
def test_a_key_has_a_name_and_a_lifetime(alder: Account, name: str, days: int | None, code: str) -> None:
    with pytest.raises(Fix) as refused:
        make_key(alder, name=name, role=Role.STANDARD, actor=ACTOR, days=days)
    assert refused.value.code == f"api_keys.{code}"
    assert keys_of(alder).count() == 0


def test_the_page_lists_every_operation_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/api.md").read_text()
    listed = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", page, re.MULTILINE))
    document = api.get_openapi_schema()["paths"]
    assert listed == {
        f"{method.upper()} {path.removeprefix(ROOT)}" for path, methods in document.items() for method in methods
    }
