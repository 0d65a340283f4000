"""`python -m benches.ledger [--json] [--records N]`: on SQLite and PostgreSQL, by one process and by eight at once."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import orjson

from benches.report import print_numbers, tell
from postgres import throwaway_postgres

PROCESSES = (1, 8)
_SPENDER = (sys.executable, "-m", "benches.ledger.spender")

Environment = Mapping[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench NAME=ledger")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--records", type=int, default=4_000, help="credits that are reserved and settled in each run")
    wish = parser.parse_args()
    numbers: dict[str, float | str] = {"ledger_calls": wish.records}
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder, throwaway_postgres(settings="") as cluster:
        for database in ("sqlite", "postgresql"):
            for processes in PROCESSES:
                data = Path(folder) / f"{database}-{processes}"
                url = cluster.new_database("ledger") if database == "postgresql" else ""
                numbers |= run(f"{database}_{processes}_processes", data, url, processes, wish.records)
    print_numbers("The ledger of credits", numbers, as_json=wish.json)


def run(name: str, data: Path, database_url: str, processes: int, calls: int) -> dict[str, float]:
    """All of them start together, once each is ready. The slowest decides how long it took."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "headwater.settings", "HEADWATER_DATA_DIR": str(data)}
    environment |= {"HEADWATER_DATABASE_URL": database_url} if database_url else {}
    tell(f"{name}: {calls:,} credits")
    subprocess.run([*_SPENDER, "prepare"], env=environment, check=True)  # noqa: S603  our own module
    command = [*_SPENDER, str(calls // processes)]
    pipe = subprocess.PIPE
    spenders = [subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe) for _ in range(processes)]  # noqa: S603  our own module
    for each in spenders:
        _line(each)
    for each in spenders:
        _go(each)
    told = [orjson.loads(_line(each)) for each in spenders]
    for each in spenders:
        each.communicate()
        if each.returncode:
            raise subprocess.CalledProcessError(each.returncode, command)
    milliseconds = sorted(one for each in told for one in each["reserve_ms"])
    return {
        f"{name}_calls_per_second": calls / max(each["seconds"] for each in told),
        f"{name}_reserve_median_ms": milliseconds[len(milliseconds) // 2],
        f"{name}_reserve_99_percent_ms": milliseconds[len(milliseconds) * 99 // 100],
    }


def _line(process: "subprocess.Popen[bytes]") -> bytes:
    if process.stdout is None:
        raise ValueError("The process was started without a pipe.")
    return process.stdout.readline()


def _go(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is None:
        raise ValueError("The process was started without a pipe.")
    process.stdin.write(b"go\n")
    process.stdin.flush()


if __name__ == "__main__":
    main()
