"""`python -m benches.orgsim [--json] [--records N] [--runs N]`."""

import argparse
import tempfile
from pathlib import Path

from benches.orgsim.measure import Numbers, bulk_query, log_in, parallel_scans, soql_pages
from benches.orgsim.processes import orgsim_serving
from benches.orgsim.records import copy_contacts, seed
from benches.report import print_numbers, tell

MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench NAME=orgsim")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--records", type=int, default=MILLION, help="records seeded, and contacts queried")
    parser.add_argument("--runs", type=int, default=7, help="how often results are read")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orgsim-bench-") as folder:
        numbers = measure(Path(folder), wish.records, wish.runs)
    print_numbers(f"orgsim with {wish.records:,} records", numbers, as_json=wish.json)


def measure(folder: Path, records: int, runs: int) -> Numbers:
    state, static = folder / "state", folder / "static"
    static.mkdir()
    folder.chmod(0o755)  # the static server may give up its rights
    tell(f"seeding {records:,} records")
    seeding = seed(state, records)
    tell(f"copying contacts until there are {records:,}")
    copy_contacts(state, records)
    tell("a Bulk query of all contacts")
    with orgsim_serving(state) as server:
        token = log_in(server.url)
        bulk = bulk_query(server.url, token, static, runs)
        soql = soql_pages(server.url, token)
        parallel = parallel_scans(server.url, token)
    return {
        **bulk,
        **soql,
        **parallel,
        "seed_records": records,
        "seed_1m_seconds": seeding.seconds * MILLION / records,
        "seed_records_per_second": records / seeding.seconds,
        "seed_peak_memory_mb": seeding.peak_memory_mb,
        "serve_peak_memory_mb": server.ended.peak_memory_mb,
        "peak_memory_mb": max(seeding.peak_memory_mb, server.ended.peak_memory_mb),
    }


if __name__ == "__main__":
    main()
