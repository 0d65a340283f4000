"""The bench runs from end to end on a few records and says what it promises. No time is asserted."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from benches.report import print_numbers

ROOT = Path(__file__).resolve().parents[3]
RECORDS = 1000
PROMISED = ("bulk_query_over_static_file_speed_ratio", "seed_1m_seconds", "peak_memory_mb", "soql_page_ms")
UNITS = ("_ratio", "_seconds", "_mb", "_ms", "_rows", "_records", "_per_second")


def test_the_bench_prints_one_json_object_whose_keys_carry_units() -> None:
    command = [sys.executable, "-m", "benches.orgsim", "--json", "--records", str(RECORDS), "--runs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    numbers = orjson.loads(done.stdout)
    assert set(PROMISED) <= set(numbers)
    assert all(name.endswith(UNITS) for name in numbers if name != "static_server")
    assert all(value > 0 for name, value in numbers.items() if name != "static_server")
    assert (numbers["bulk_query_rows"], numbers["seed_records"]) == (RECORDS, RECORDS)
    assert numbers["static_server"].startswith(("nginx/", "python http.server"))


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_numbers(
        "orgsim", {"seed_1m_seconds": 61.234, "serve_rows": 1_000_000, "static_server": "nginx"}, as_json=False
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.strip("│ ").split() for line in lines if "_" in line] == [
        ["seed_1m_seconds", "│", "61.2"],
        ["serve_rows", "│", "1,000,000"],
        ["static_server", "│", "nginx"],
    ]
