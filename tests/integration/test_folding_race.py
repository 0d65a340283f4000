"""Several processes fold one ledger at once, and some are killed at it: every call is still counted once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migrated import have_migrated
from postgres import Cluster

CALLS = 1_500
PROCESSES = 3

_SET_UP = """
from datetime import timedelta
from headwater.accounts.services import create_account
from headwater.common.clock import now_utc
from headwater.credits.models import Entry, Window
account = create_account("Acme")
start = now_utc().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=9)
days = [start + timedelta(days=day) for day in range(4)]
windows = [
    Window.of(account).create(account=account, starts_utc=day, ends_utc=next, promised_ends_utc=next)
    for day, next in zip(days, days[1:])
]
Entry.of(account).bulk_create(
    Entry(account=account, window=windows[number % 3], job_kind="sync", job_id=str(number % 7), call_kind="query",
          state="answered", reserved_utc=start + timedelta(days=number % 3, minutes=number % 1440))
    for number in range({calls})
)
"""
_FOLD = """
from headwater.credits import rollup
rollup.BATCH_ENTRIES = 20
print("ready", flush=True)
while rollup.fold_some():
    pass
"""
_CHECK = """
from datetime import timedelta
from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.models import Entry
from headwater.credits.spending import calls_of_job, spending
account, now = Account.objects.get(), now_utc()
told = sum(row.calls for row in spending(account, now - timedelta(days=20), now, by=["hour"]))
print(Entry.of(account).count(), told, sum(calls_of_job(account, str(job)) for job in range(7)))
"""


def start(script: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    code = f"import django; django.setup()\n{script}"
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)


def outcome(process: "subprocess.Popen[str]") -> str:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.strip()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_folding_at_once_and_being_killed_at_it_neither_loses_nor_doubles_a_call(
    tmp_path: Path, database: str, migrated: Path, request: pytest.FixtureRequest
) -> None:
    have_migrated(migrated, tmp_path)
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "headwater.settings",
        "HEADWATER_DATA_DIR": str(tmp_path),
    }
    if database == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        environment["HEADWATER_DATABASE_URL"] = cluster.migrated_database("folding")
    outcome(start(_SET_UP.format(calls=CALLS), environment))
    killed, *others = [start(_FOLD, environment) for _ in range(PROCESSES)]
    assert killed.stdout is not None
    assert killed.stdout.readline() == "ready\n"
    killed.kill()
    killed.communicate()
    for process in others:
        assert outcome(process) == "ready"
    assert outcome(start(_CHECK, environment)) == f"0 {CALLS} {CALLS}"
