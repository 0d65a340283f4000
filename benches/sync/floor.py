"""The floor: `python -m benches.sync.floor URL DATABASE KIND ENCODING < token`. curl, piped into DuckDB.

It keeps no promise but speed: nothing is checked, nothing can be gone on with, nobody is asked whether it may.
KIND is `table` (of a DuckDB file) or `parquet`; ENCODING is `gzip` or `identity`.
"""

import re
import subprocess
import sys
from pathlib import Path

import duckdb

from benches.credits.objects import CONTACT, FIELDS

_TYPES = {
    **dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), "TIMESTAMP"),
    **dict.fromkeys(("IsDeleted", "HasOptedOutOfEmail"), "BOOLEAN"),
}


def main() -> None:
    url, database, kind, encoding = sys.argv[1:]
    token = sys.stdin.read()
    store = Path(database)
    with duckdb.connect(str(store) if kind == "table" else ":memory:") as connection:
        locator, page, rows = "", 0, 0
        while locator or not page:
            count, locator = _store_page(connection, store, kind, page, _curl(url, locator, token, encoding, store))
            rows, page = rows + count, page + 1
    sys.stdout.write(str(rows))


def _curl(url: str, locator: str, token: str, encoding: str, store: Path) -> list[str]:
    heads = ["-D", str(store.with_suffix(".head")), "-H", f"Authorization: Bearer {token}"]
    compressed = ["--compressed", "-H", "Accept-Encoding: gzip"] if encoding == "gzip" else []
    return ["curl", "-sSf", *heads, *compressed, url + (f"&locator={locator}" if locator else "")]


def _store_page(
    connection: duckdb.DuckDBPyConnection, store: Path, kind: str, page: int, command: list[str]
) -> tuple[int, str]:
    """Rows of the page, and the locator of the next, empty after the last."""
    names = FIELDS[CONTACT]
    columns = ", ".join(f"'{name}': '{_TYPES.get(name, 'VARCHAR')}'" for name in names)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:  # noqa: S603  the command above
        if curl.stdout is None:
            raise RuntimeError("curl has no output")
        source = (
            f"SELECT * FROM read_csv('/dev/fd/{curl.stdout.fileno()}', header = true, columns = {{{columns}}}, "  # noqa: S608  names of the bench
            "delim = ',', quote = '\"', escape = '\"')"
        )
        if kind == "parquet":
            into = f"COPY ({source}) TO '{store}-{page}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        else:
            into = f"CREATE TABLE contact AS {source}" if page == 0 else f"INSERT INTO contact {source}"
        rows = connection.execute(into).fetchall()[0][0]
    if curl.returncode:
        raise RuntimeError(f"curl ended with {curl.returncode}")
    head = store.with_suffix(".head").read_text()
    found = re.search(r"^Sforce-Locator: (\S+)", head, re.MULTILINE)
    following = found[1] if found else "null"
    return rows, "" if following == "null" else following


if __name__ == "__main__":
    main()
