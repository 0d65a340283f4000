"""What the sync bench says of its measurements; it takes too long to be run here from end to end."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benches.running import run
from benches.sync.measure import FLOORS, PROMISED, Kept, Sizes, label, numbers_of

ROOT = Path(__file__).resolve().parents[3]
SIZES = Sizes(1_000_000, runs=3)
UNITS = ("_ratio", "_seconds", "_per_second", "_exponent", "_records", "_fetches", "_rows")


def ours(seconds: float, memory_mb: float = 400.0) -> dict[str, Any]:
    return {"seconds": seconds, "peak_memory_mb": memory_mb, "pages": 1}


def numbers(sizes: Sizes) -> dict[str, float | None]:
    runs = {
        sizes.small: [ours(2)],
        sizes.records: [ours(30), ours(10, 450), ours(20)],
        sizes.large: [ours(200)],
    }
    floors = {way: [16.0, 8.0, 99.0] for way in FLOORS} | {("parquet", "identity"): [4.0]}
    peers = {
        "dlt": {"rows": 100_000, "seconds": 100.0},
        "simple_salesforce": {"rows": 1_000_000, "seconds": 40.0},
        "simple_salesforce_one_page": {"rows": 1_000_000, "seconds": 25.0},
    }
    return numbers_of(sizes, runs, floors, ours(4), peers)


def test_it_says_what_it_promises_by_medians_and_a_peers_fastest_way() -> None:
    told = numbers(SIZES)
    assert {name: told[name] for name in PROMISED} == {
        "floor_time_over_ours_ratio": 16 / 20,
        "ours_over_dlt_rows_per_second_ratio": 50,
        "ours_over_simple_salesforce_rows_per_second_ratio": 25 / 20,
        "peak_memory_mb_1m": 450,
        "peak_memory_mb_5m": 400,
        "growth_exponent": told["growth_exponent"],
        "cycle_10k_into_5m_seconds": 4,
    }
    assert told["growth_exponent"] is not None
    assert 1 < told["growth_exponent"] < 1.2
    assert told["parquet_floor_time_over_ours_ratio"] == 4 / 20
    assert all(name.endswith(UNITS) or "_mb" in name for name in told)


def test_a_smaller_run_names_its_sizes_and_leaves_those_of_the_large_one_empty() -> None:
    told = numbers(Sizes(20_000, runs=1))
    assert {name for name in PROMISED if told[name] is None} == {
        "peak_memory_mb_1m", "peak_memory_mb_5m", "cycle_10k_into_5m_seconds",
    }  # fmt: skip
    assert {"peak_memory_mb_20k", "peak_memory_mb_100k", "cycle_200_into_100k_seconds"} <= told.keys()


def test_what_was_measured_is_measured_once(tmp_path: Path) -> None:
    assert Kept(tmp_path).once("ours", lambda: 1) == 1
    assert Kept(tmp_path).once("ours", lambda: 2) == 1


def test_sizes_have_names_that_can_be_read() -> None:
    assert [label(size) for size in (SIZES.small, SIZES.records, SIZES.large, SIZES.changed)] == [
        "100k",
        "1m",
        "5m",
        "10k",
    ]
    assert label(250) == "250"


def test_the_command_that_is_measured_starts_with_nothing_set_up() -> None:
    command = (sys.executable, "-m", "benches.sync.headwater", "sync", "--help")
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "Read the org" in done.stdout, done.stderr


def test_a_programme_is_not_charged_with_the_memory_of_the_bench() -> None:
    """A child begins with the pages of the process that started it."""
    ours = b"x" * (300 * 1024 * 1024)
    ran = run((sys.executable, "-I", "-S", "-c", "print(len(input()))"), os.environ, given=b"hello\n")
    assert (ran.told, len(ours)) == (b"5\n", 300 * 1024 * 1024)
    assert ran.peak_memory_mb < 100
    assert ran.cpu_seconds > 0


def test_the_memory_and_the_work_of_a_programmes_own_child_count() -> None:
    child = "bytearray(b'x') * (200 * 1024 * 1024)"
    ran = run((sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"), {})
    assert ran.peak_memory_mb > 200


def test_a_programme_that_fails_is_told_with_its_own_words() -> None:
    with pytest.raises(RuntimeError, match=r"failed \(3\): out of order"):
        run((sys.executable, "-c", "import sys; print('out of order'); sys.exit(3)"), os.environ)
    with pytest.raises(RuntimeError, match="no-such-programme"):
        run(("no-such-programme",), os.environ)
