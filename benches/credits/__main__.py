"""`python -m benches.credits [--json] [--records N] [--contacts N] [--only NAME …] [--jobs reading|writing]`."""

import argparse
import tempfile
from pathlib import Path

from benches.credits.measure import READING, WRITING, Part, measure
from benches.credits.table import print_table
from benches.report import print_object

MILLION = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench NAME=credits")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--records", type=int, default=MILLION, help="contacts, touchpoints, and ten times the changes")
    parser.add_argument("--contacts", type=int, help="where there shall be another number of contacts than of records")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="headwater and peers that take part; all without it")
    parser.add_argument("--jobs", choices=[READING, WRITING], help="only these; both without it")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="credits-bench-") as folder:
        told = measure(Path(folder), Part(wish.records, wish.contacts or wish.records, wish.only, wish.jobs))
    if wish.json:
        print_object(told)
    else:
        print_table(told)


if __name__ == "__main__":
    main()
