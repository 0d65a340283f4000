"""Several processes spend one account's last credits: together they get what is left, and not one call more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from postgres import Cluster

LEFT = 150
PROCESSES = 4

_SET_UP = """
from django.core.management import call_command
from headwater.accounts.services import create_account
from headwater.credits.opening import current_window
call_command("migrate", verbosity=0)
window = current_window(create_account("Acme"))
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


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_many_processes_never_overspend_the_quota_together(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "headwater.settings",
        "HEADWATER_DATA_DIR": str(tmp_path),
    }
    if database == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        environment["HEADWATER_DATABASE_URL"] = cluster.new_database("race")
    outcome(start(_SET_UP.format(left=LEFT), environment))
    spenders = [start(_SPEND, environment) for _ in range(PROCESSES)]
    granted = [int(outcome(process)) for process in spenders]
    assert sum(granted) == LEFT
    assert outcome(start(_CHECK, environment)) == f"100000 {LEFT}"
