"""The credits bench runs from end to end on a few records and says what it promises; the peers stay at home."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from benches.credits.measure import DISCOVERY, JOBS, WRITE
from benches.credits.objects import CHANGED, FIELDS
from benches.credits.table import print_table
from headwater.sync.objects import OBJECTS

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 600


def test_the_objects_of_the_bench_include_those_of_the_sync() -> None:
    assert FIELDS.keys() == CHANGED.keys() >= OBJECTS.keys()
    assert len(FIELDS["Contact"]) == 20
    assert sum(CHANGED.values()) == 100_000


def test_the_bench_prints_one_json_object_whose_keys_carry_units() -> None:
    """Reading alone: the ways of writing have tests of their own, and the package takes its time."""
    part = ("--records", str(RECORDS), "--only", "headwater", "--jobs", "reading")
    command = [sys.executable, "-m", "benches.credits", "--json", *part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = orjson.loads(done.stdout)
    assert told.pop("peers") == {}
    assert {*JOBS, DISCOVERY} <= told.keys()
    assert all(name.endswith(("_calls", "_records")) for name in told)
    assert [job for job in JOBS if told[job] is None] == [*WRITE.values()]
    assert all(told[job] > 0 for job in JOBS if told[job] is not None)
    assert told["idle_cycle_15_objects_calls"] == 3
    assert "idle_cycle_15_objects_calls: 3 calls" in done.stderr


def test_people_get_a_table_of_headwater_and_every_way_of_its_peers(capsys: pytest.CaptureFixture[str]) -> None:
    first = JOBS[0]
    peer = {**dict.fromkeys(JOBS), first: 500, **{f"{job}_null_because": "it only reads" for job in JOBS[1:]}}
    told = {"contacts_records": 1_000_000, first: 9, "peers": {"tap": {**peer, "modes": {"rest": {first: 500}}}}}
    print_table(told)
    shown = capsys.readouterr().out
    assert [line.split("│")[1:4] for line in shown.splitlines() if first in line] != []
    assert f"tap, {JOBS[1]}: it only reads" in shown
