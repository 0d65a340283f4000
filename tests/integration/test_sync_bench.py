"""The sync bench runs from end to end on a few records and says what it promises; the peers stay at home."""

import subprocess
import sys
from pathlib import Path

import orjson

from benches.sync.measure import PROMISED, Kept, Sizes, label

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("_ratio", "_seconds", "_per_second", "_exponent", "_records", "_fetches")


def test_the_bench_prints_one_json_object_and_a_second_run_only_repeats_it(tmp_path: Path) -> None:
    part = ("--records", "100", "--runs", "1", "--without-peers", "--folder", str(tmp_path / "kept"))
    command = [sys.executable, "-m", "benches.sync", "--json", *part]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = orjson.loads(done.stdout)
    assert set(PROMISED) <= told.keys()
    assert all(name.endswith(UNITS) or "_mb" in name for name in told)
    missing = {name for name, value in told.items() if value is None}
    assert missing == set(PROMISED) - {"floor_time_over_ours_ratio", "growth_exponent"}
    assert {"peak_memory_mb_10", "peak_memory_mb_500", "cycle_1_into_500_seconds"} <= told.keys()
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert orjson.loads(again.stdout) == told


def test_what_was_measured_is_measured_once(tmp_path: Path) -> None:
    assert Kept(tmp_path).once("ours", lambda: 1) == 1
    assert Kept(tmp_path).once("ours", lambda: 2) == 1


def test_sizes_have_names_that_can_be_read() -> None:
    sizes = Sizes(1_000_000, 3)
    assert [label(size) for size in (sizes.small, sizes.records, sizes.large, sizes.changed)] == [
        "100k",
        "1m",
        "5m",
        "10k",
    ]
    assert label(250) == "250"
