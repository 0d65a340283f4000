"""`python -m benches.sync [--json] [--records N] [--runs N] [--folder FOLDER] [--without-peers]`."""

import argparse
import tempfile
from pathlib import Path

from benches.report import print_numbers
from benches.sync.measure import MILLION, Sizes, measure


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench NAME=sync")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--records", type=int, default=MILLION, help="contacts; a tenth and five times as many as well")
    parser.add_argument("--runs", type=int, default=3, help="how often Headwater and the floor are measured, in turn")
    parser.add_argument("--folder", type=Path, help="kept, with all that was measured; a later run goes on from there")
    parser.add_argument("--without-peers", action="store_true")
    wish = parser.parse_args()
    sizes = Sizes(wish.records, wish.runs)
    if wish.folder:
        numbers = measure(wish.folder.absolute(), sizes, with_peers=not wish.without_peers)
    else:
        with tempfile.TemporaryDirectory(prefix="sync-bench-") as folder:
            numbers = measure(Path(folder), sizes, with_peers=not wish.without_peers)
    print_numbers(f"First import of {wish.records:,} contacts", numbers, as_json=wish.json)


if __name__ == "__main__":
    main()
