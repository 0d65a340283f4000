"""Several processes spend one account's last credits: together they get what is left, and not one call more.

Where the org has nothing left above the floor, one of them asks it again, not each.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrated import have_migrated
from postgres import Cluster

LEFT = 150
PROCESSES = 4

_SET_UP = """
from headwater.accounts.services import create_account
from headwater.credits.opening import current_window
account = create_account("Acme")
window = current_window(account)
window.used_calls = 100_000 - {left}
window.save()
"""
_SPEND = """
from headwater.accounts.models import Account
from headwater.common.errors import Wait
from headwater.credits.ledger import Ledger
from headwater.salesforce.meter import Call, CallKind
ledger, granted = Ledger(Account.objects.get(), job_kind="race"), 0
try:
    while True:
        ledger.reserve(Call(CallKind.QUERY))
        granted += 1
except Wait:
    print(granted)
"""
_CHECK = """
from headwater.credits.models import Entry, Window
print(Window.of_all().get().used_calls, Entry.of_all().count())
"""


def start(script: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    code = f"import django; django.setup()\n{script}"
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)


def outcome(process: "subprocess.Popen[str]") -> str:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.strip()


_BELOW_THE_FLOOR = """
from datetime import timedelta
from headwater.common.clock import now_utc
from headwater.credits.models import Allowance
heard = {"said_calls": 950, "used_calls": 950, "limit_calls": 1000, "heard_utc": now_utc() - timedelta(hours=1)}
Allowance.of_all().update_or_create(account=account, defaults=heard)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    have_migrated(migrated, tmp_path)
    made = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "headwater.settings",
        "HEADWATER_DATA_DIR": str(tmp_path),
    }
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        made["HEADWATER_DATABASE_URL"] = cluster.migrated_database("race")
    return made


def granted_together(environment: dict[str, str]) -> int:
    spenders = [start(_SPEND, environment) for _ in range(PROCESSES)]
    return sum(int(outcome(process)) for process in spenders)


def test_many_processes_never_overspend_the_quota_together(environment: dict[str, str]) -> None:
    outcome(start(_SET_UP.format(left=LEFT), environment))
    assert granted_together(environment) == LEFT
    assert outcome(start(_CHECK, environment)) == f"100000 {LEFT}"


def test_below_the_floor_one_process_of_many_asks_the_org_again(environment: dict[str, str]) -> None:
    outcome(start(_SET_UP.format(left=LEFT) + _BELOW_THE_FLOOR, environment))
    assert granted_together(environment) == 1
