"""A plan over HTTP: what the API tells is what the room knows, and what the work then spends."""

import json
from typing import Any

import pytest
from django.test import Client

from headwater.accounts.api_keys import make_key
from headwater.accounts.models import Role
from headwater.connections.models import Connection
from headwater.connections.package import choose_read_only
from headwater.credits.services import calls_of_job, today
from headwater.jobs.services import run_here
from headwater.planning import plan_ahead
from headwater.wiring import WORK
from integration.conftest import ACTOR, have_package, result_of
from orgsim.seed import load_history
from orgsim.testing import RunningOrgsim


@pytest.fixture
def account(connected: Connection, org: RunningOrgsim) -> Connection:
    load_history(org.production, records=1_500, seed=3)
    return connected


def test_the_api_tells_the_plan_that_the_work_then_keeps(account: Connection, client: Client) -> None:
    mine = account.account
    key = make_key(mine, name="a script", role=Role.ADMIN, actor=ACTOR)[1]

    def plan(**wish: bool) -> Any:
        answer = client.post(
            "/api/v1/plan",
            json.dumps(wish),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    first = plan()
    assert first["export"] is None
    assert first["sync"]["looking_calls"] == today(mine).used_calls - 2  # two were spent on connecting
    have_package(mine)
    for work in ("sync", "attribute"):
        result_of(run_here(WORK[work](mine), poll_seconds=0.05))
    told = plan(count_changes=True)
    assert told["sync"]["reads"]
    export = run_here(WORK["export"](mine), poll_seconds=0.05)
    result_of(export)
    assert told["export"]["plan"]["calls"] == calls_of_job(mine, str(export.pk)) > 0


def test_what_a_read_only_account_does_not_write_is_said(account: Connection) -> None:
    mine = account.account
    for work in ("sync", "attribute"):
        result_of(run_here(WORK[work](mine), poll_seconds=0.05))
    choose_read_only(mine, read_only=True, actor=ACTOR)
    export = plan_ahead(mine).export
    assert export is not None
    assert (export.plan, export.records > 0, "read only" in export.not_written) == (None, True, True)
