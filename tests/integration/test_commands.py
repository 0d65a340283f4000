"""The `headwater` command as people run it: separate processes, killed in the middle or wrongly used."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
import psycopg
import pytest

from headwater.sync.objects import OBJECTS
from migrated import have_migrated
from orgsim.edits.checksum import checksum
from orgsim.person import answer_login
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.seed import load_history
from orgsim.server.admin import move_clock
from orgsim.server.triggers import set_trigger
from orgsim.testing import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SANDBOX_USERNAME,
    USERNAME,
    RunningOrgsim,
    running_orgsim,
)
from postgres import Cluster, throwaway_postgres
from unit.cli.test_help import COMMANDS

PORT = 21717
HEADWATER = Path(sys.executable).with_name("headwater")
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Shell:
    """Runs `headwater` with an installation of its own."""

    environment: dict[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(HEADWATER), *arguments],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def json(self, *arguments: str, code: int = 0) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return orjson.loads(done.stdout)

    def connect(
        self,
        *arguments: str,
        username: str = USERNAME,
        password: str = PASSWORD,
        allow: bool = True,
        answer: str = "y",
    ) -> "subprocess.CompletedProcess[str]":
        with self.start("connect", "--port", str(PORT), *arguments) as process:
            assert process.stderr is not None
            address = next(line.strip() for line in process.stderr if line.startswith("http"))
            httpx2.get(answer_login(address, username, password, allow=allow))
            out, err = process.communicate(f"{answer}\n", timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture
def org(tmp_path: Path) -> Iterator[RunningOrgsim]:
    with running_orgsim(tmp_path / "org", callbacks=(f"http://localhost:{PORT}/OauthRedirect",)) as running:
        yield running


@pytest.fixture
def new_shell(tmp_path: Path, org: RunningOrgsim) -> Shell:
    """Of an installation that has nothing yet."""
    return Shell(
        {
            "PATH": os.environ["PATH"],
            "HEADWATER_DATA_DIR": str(tmp_path / "data"),
            "HEADWATER_SALESFORCE_LOGIN_URL": org.url,
            "HEADWATER_SALESFORCE_SANDBOX_LOGIN_URL": org.sandbox_url,
            "HEADWATER_SALESFORCE_CLIENT_ID": CLIENT_ID,
            "HEADWATER_SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
        }
    )


@pytest.fixture
def shell(tmp_path: Path, new_shell: Shell, migrated: Path) -> Shell:
    have_migrated(migrated, tmp_path / "data")
    return set_up(new_shell)


def set_up(shell: Shell) -> Shell:
    shell.json("setup", "--account", "Acme", "--email", "ann@example.com")
    return shell


def await_calls(org: RunningOrgsim, calls: int) -> None:
    deadline = time.monotonic() + 60
    while org.production.usage.used_calls() < calls:
        assert time.monotonic() < deadline, "the org never counted that call"
        time.sleep(0.05)


def test_a_sync_killed_in_the_middle_goes_on_to_the_same_replica_and_no_credit_is_missing(
    org: RunningOrgsim, shell: Shell
) -> None:
    load_history(org.production, records=6_000, seed=7)
    assert shell.connect().returncode == 0
    for _ in range(3):
        hang = Fault(Effect.TIMEOUT, on_calls=(2,), seconds=5, after=True)
        add_fault(org.production.usage, hang)
        used = org.production.usage.used_calls()
        with shell.start("sync", "--json") as process:
            await_calls(org, used + 2)
            process.send_signal(signal.SIGKILL)
        clear_faults(org.production.usage)
    done = shell.json("sync", "--checksums")
    read = {each["sobject"]: each for each in shell.json("fields", "list")["objects"] if each["state"] == "read"}
    assert read.keys() == {*OBJECTS, "RecordType"}
    theirs = {name: checksum(org.production, name, columns(org, each)) for name, each in read.items()}
    assert done["replica_rows"] == {name: each.rows for name, each in theirs.items()}
    assert done["checksums"] == {name: each.checksum for name, each in theirs.items()}
    assert shell.json("credits")["used_calls"] == org.production.usage.used_calls()


def test_an_audit_killed_again_and_again_goes_on_and_pays_only_the_broken_off_calls_twice(
    org: RunningOrgsim, shell: Shell
) -> None:
    load_history(org.production, records=400, seed=7)
    move_clock(org.state, {"jump_seconds": 1_200})
    assert shell.connect().returncode == 0
    shell.json("sync")
    for lead in leads(org, "IsConverted = 0")[:3]:
        org.writer().purge("Lead", lead)
    before = org.production.usage.used_calls()
    for call in (2, 4):  # while it compares; and then as it reads anew
        add_fault(org.production.usage, Fault(Effect.TIMEOUT, on_calls=(call,), seconds=5, after=True))
        used = org.production.usage.used_calls()
        with shell.start("audit") as process:
            await_calls(org, used + call)
            process.send_signal(signal.SIGKILL)
        clear_faults(org.production.usage)
    audit = shell.json("audit")["audit"]
    [lead] = [each for each in audit["objects"] if each["sobject"] == "Lead"]
    assert (lead["finding"], sum(month["gone"] for month in lead["differing"])) == ("repaired", 3)
    assert org.production.usage.used_calls() - before == audit["spent_calls"] == 3 + 1 + 1 + 1 + 2
    assert shell.json("credits")["used_calls"] == org.production.usage.used_calls()
    shown = shell.run("audit", "--show").stdout
    assert f"{audit['repaired_rows']} rows repaired. Credits: 3 planned, 8 spent." in shown

    assert shell.json("rebuild", "Lead", "--yes")["objects"] == ["Lead"]
    assert shell.json("sync")["rows"]["Lead"] == len(leads(org))


def leads(org: RunningOrgsim, where: str = "1") -> list[str]:
    rows = org.production.database.connect().execute(f"SELECT Id FROM Lead WHERE IsDeleted = 0 AND {where} ORDER BY Id")
    return [lead for (lead,) in rows]


def test_an_installation_killed_while_the_org_deploys_goes_on_with_the_same_deployment(
    org: RunningOrgsim, shell: Shell
) -> None:
    org.production.set("deploy_delay_seconds", 6.0)
    assert shell.connect().returncode == 0
    planned = shell.json("package", "--plan", code=4)
    assert (planned["state"], planned["version"]) == ("not_installed", None)
    with shell.start("package", "--install") as process:
        until(lambda: [call["method"] for call in deploy_calls(org)] == ["POST", "GET"])
        process.send_signal(signal.SIGKILL)
    done = shell.json("package", "--install")
    assert [call["method"] for call in deploy_calls(org)].count("POST") == 1
    assert len(done["installation"]["created"]) == len(planned["components"])
    assert (done["state"], done["missing"]) == ("current", [])
    assert shell.json("credits")["used_calls"] == org.production.usage.used_calls()

    assert shell.json("package", "--read-only") == {"is_read_only": True}
    assert "Nothing was written." not in shell.run("package").stdout
    refused = shell.run("package", "--install")
    assert (refused.returncode, "connections.read_only" in refused.stderr) == (4, True)


def deploy_calls(org: RunningOrgsim) -> list[dict[str, object]]:
    """The oldest first."""
    return sorted(
        (call for call in org.production.usage.journal() if call["kind"] == "deploy"), key=lambda call: str(call["at"])
    )


def columns(org: RunningOrgsim, read: dict[str, Any]) -> list[str]:
    """The fields that are read, in the order of the object's describe, Id first: the replica's order."""
    names = {field["name"] for field in read["fields"]}
    wanted = [field.name for field in org.production.catalog().get(read["sobject"]).fields if field.name in names]
    return sorted(wanted, key=lambda field: field != "Id")


def test_every_command_is_listed_and_wrong_usage_ends_with_2(shell: Shell) -> None:
    """What each says of itself: unit/cli/test_help.py."""
    listed = shell.run("--help").stdout
    for name in COMMANDS:
        assert name in listed
    assert "--help" in shell.run("sync", "--help").stdout
    assert shell.run("sync", "--no-such-option").returncode == 2


def test_what_a_person_must_mend_ends_with_4_and_says_how(shell: Shell) -> None:
    not_connected = shell.run("plan")
    assert not_connected.returncode == 4
    assert "headwater connect" in not_connected.stderr
    told = shell.run("sync", "--json")
    assert told.returncode == 4
    assert orjson.loads(told.stdout)["error"]["code"] == "connections.not_connected"
    assert shell.run("credits", "--limit", "99999").returncode == 4
    assert shell.json("credits")["limit_calls"] == 100_000


def test_the_wrong_org_is_left_and_the_right_one_disconnected_and_connected_again(
    org: RunningOrgsim, shell: Shell
) -> None:
    left = shell.connect(answer="n")
    assert (left.returncode, f"as {USERNAME}?" in left.stdout, "nothing was read" in left.stdout) == (4, True, True)
    assert shell.connect().returncode == 0
    assert shell.json("disconnect")["status"] == "disconnected"
    stopped = shell.run("sync")
    assert (stopped.returncode, "was disconnected from Acme" in stopped.stderr) == (4, True)
    assert shell.connect(answer="").returncode == 0  # the same org needs no second look
    stays = shell.run("disconnect", "--delete", "--name", "Acme")
    assert (stays.returncode, "production org" in stays.stderr) == (4, True)


def test_connecting_production_tells_how_it_compares_with_the_sandbox_before_it(
    org: RunningOrgsim, shell: Shell
) -> None:
    set_trigger(org.production, {"sobject": "Lead", "name": "Stamp", "cpu_ms_per_record": 1})
    assert shell.connect("--environment", "sandbox", username=SANDBOX_USERNAME).returncode == 0
    assert shell.run("disconnect", "--delete", "--name", "Acme").returncode == 0
    connected = shell.connect()
    assert connected.returncode == 0
    assert (
        "Compared with Acme (sandbox): 1 differences that matter, 0 parts that could not be compared"
        in connected.stderr
    )


def test_refusing_the_authorisation_ends_with_4_and_connects_nothing(shell: Shell) -> None:
    refused = shell.connect(allow=False)
    assert refused.returncode == 4
    assert "not authorised" in refused.stderr
    assert shell.run("check").stdout.count("connections.W002") == 1


def test_the_whole_job_runs_from_the_command_line(org: RunningOrgsim, new_shell: Shell) -> None:
    run_the_whole_job(org, set_up(new_shell))


@pytest.mark.postgres
def test_the_whole_job_runs_on_postgresql(org: RunningOrgsim, new_shell: Shell, postgres_cluster: Cluster) -> None:
    url = postgres_cluster.new_database("headwater")
    run_the_whole_job(org, set_up(Shell({**new_shell.environment, "HEADWATER_DATABASE_URL": url})))


@pytest.fixture
def keeping_its_promises() -> Iterator[Cluster]:
    """What it has committed is there after a crash: the tests' own server is quicker and forgets."""
    with throwaway_postgres(settings="") as cluster:
        yield cluster


ENQUEUE = """
import django
django.setup()
from headwater.accounts.models import Account
from headwater.wiring import WORK
WORK["sync"](Account.objects.get())
"""


@pytest.mark.postgres
def test_a_database_that_goes_away_in_the_middle_is_waited_for_and_the_sync_goes_on(
    org: RunningOrgsim, new_shell: Shell, keeping_its_promises: Cluster
) -> None:
    url = keeping_its_promises.new_database("headwater")
    shell = set_up(Shell({**new_shell.environment, "HEADWATER_DATABASE_URL": url}))
    load_history(org.production, records=2_000, seed=7)
    assert shell.connect().returncode == 0
    used = org.production.usage.used_calls()
    add_fault(org.production.usage, Fault(Effect.TIMEOUT, on_calls=(2,), seconds=2, after=True))
    enqueueing = {**shell.environment, "DJANGO_SETTINGS_MODULE": "headwater.settings"}
    subprocess.run([sys.executable, "-c", ENQUEUE], env=enqueueing, check=True)
    with shell.start("worker", "--poll-seconds", "0.2") as worker:
        await_calls(org, used + 2)
        keeping_its_promises.stop()
        time.sleep(3)  # the call ends meanwhile, and its outcome cannot be written
        keeping_its_promises.start()
        until(lambda: job_states(url) == ["done"])
        assert worker.poll() is None, "the worker lived through it"
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    assert sum(shell.json("sync")["replica_rows"].values()) > 1_500
    assert shell.json("credits")["used_calls"] == org.production.usage.used_calls()


@pytest.mark.postgres
def test_a_command_whose_database_goes_away_says_so_and_goes_on_when_it_is_run_again(
    org: RunningOrgsim, new_shell: Shell, keeping_its_promises: Cluster
) -> None:
    url = keeping_its_promises.new_database("headwater")
    shell = set_up(Shell({**new_shell.environment, "HEADWATER_DATABASE_URL": url}))
    load_history(org.production, records=500, seed=7)
    assert shell.connect().returncode == 0
    used = org.production.usage.used_calls()
    add_fault(org.production.usage, Fault(Effect.TIMEOUT, on_calls=(2,), seconds=2, after=True))
    with shell.start("sync") as process:
        await_calls(org, used + 2)
        keeping_its_promises.stop()
        _, said = process.communicate(timeout=120)
    assert process.returncode == 3, said
    assert "The database does not answer." in said
    assert "goes on with a job" in said
    assert "Traceback" not in said
    assert shell.json("sync", code=3)["error"]["code"] == "cli.database_away"
    keeping_its_promises.start()
    assert sum(shell.json("sync")["replica_rows"].values()) > 300
    assert shell.json("credits")["used_calls"] == org.production.usage.used_calls()


def test_a_command_before_the_setup_says_what_is_missing(new_shell: Shell) -> None:
    assert new_shell.json("sync", code=4)["error"]["code"] == "cli.not_set_up"


def job_states(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM jobs_job ORDER BY id").fetchall()]


def run_the_whole_job(org: RunningOrgsim, shell: Shell) -> None:
    load_history(org.production, records=2_000, seed=7)
    assert shell.json("check")["findings"][0]["code"] == "connections.W002"
    shell.connect()
    assert shell.json("check") == {"findings": []}
    assert shell.json("plan")["sync"]["calls"] >= 3
    assert sum(shell.json("sync")["rows"].values()) > 1_500
    assert len(shell.json("attribute")["sums"]) == 5
    assert shell.json("package", "--install")["is_complete"]
    first, second = shell.json("export"), shell.json("export")
    assert first["done"] > 0
    assert (second["done"], second["spent_calls"]) == (0, 0)
    assert "Attributed revenue" in shell.run("attribute").stdout
    assert shell.json("worker", "--once")["jobs_run"] == 0
    assert shell.json("credits")["used_calls"] == org.production.usage.used_calls()


def test_serve_answers_works_on_jobs_and_starts_again_what_dies(org: RunningOrgsim, shell: Shell) -> None:
    load_history(org.production, records=500, seed=7)
    shell.connect()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with shell.start("serve", "--port", str(port)) as process:
        try:
            await_answer(f"http://127.0.0.1:{port}/accounts/login/", process)
            [worker] = children(process.pid, "worker")
            os.kill(worker, signal.SIGKILL)
            until(lambda: children(process.pid, "worker") not in ([], [worker]))
            until(lambda: httpx2.get(f"http://127.0.0.1:{port}/accounts/login/").status_code == 200)
            taken = shell.run("serve", "--port", str(port))
            assert taken.returncode == 4
            assert "choose another port" in taken.stderr
        finally:
            process.terminate()
        assert process.wait(40) == 0
    assert children(process.pid, "worker") == []


def children(parent: int, command: str) -> list[int]:
    """Processes that `parent` started to run `headwater <command>`."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [int(pid) for pid, ppid, args in rows if int(ppid) == parent and args.endswith(f"headwater {command}")]


def await_answer(address: str, process: "subprocess.Popen[str]") -> None:
    def answers() -> bool:
        assert process.poll() is None, "headwater serve ended"
        try:
            return httpx2.get(address).status_code == 200
        except httpx2.ConnectError:
            return False

    until(answers)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
