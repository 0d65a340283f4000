"""Jobs of the benches by simple-salesforce: `run.py JOB MODE FOLDER < wish.json`, JOB being read, download or write.

The library keeps no state, so this keeps the newest stamp of each object, as its users do. Modes of reading: `rest`
(query_all_iter), `bulk2` (download, in the library's pages), `bulk2-one-page` (download, a million rows a page).
"""

import csv
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simple_salesforce.api import Salesforce

BULK_ROWS = 100_000  # a file: its own cut at 100 MB counts characters, and the org bytes
COLLECTION_ROWS = 200
PAGE_ROWS = {"bulk2": {}, "bulk2-one-page": {"max_records": 1_000_000}}


def main() -> None:
    job, mode, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    wish = json.load(sys.stdin)
    client = Salesforce(username=wish["username"], password=wish["password"], security_token="")
    if job == "write":
        write(client, wish)
    elif job == "download":
        download(client, mode, folder, wish)
    else:
        read_all(client, mode, folder, wish["objects"])


def read_all(client: Any, mode: str, folder: Path, objects: dict[str, dict[str, Any]]) -> None:
    kept = folder / f"simple-salesforce-{mode}.json"
    newest = json.loads(kept.read_text()) if kept.exists() else {}
    for name, asked in objects.items():
        stamp, since = asked["stamp"], newest.get(name)
        where = f" WHERE {stamp} > {since}" if since else ""
        soql = f"SELECT {', '.join(asked['fields'])} FROM {name}{where}"  # noqa: S608  SOQL of the bench's own
        for row in records(client, mode, name, soql, folder):
            newest[name] = max(newest.get(name, ""), row[stamp].replace("+0000", "Z"))
    kept.write_text(json.dumps(newest))


def download(client: Any, mode: str, folder: Path, wish: dict[str, Any]) -> None:
    """Files of text, as the library leaves them: no types, no table."""
    pages = getattr(client.bulk2, wish["sobject"]).download(wish["soql"], path=str(folder), **PAGE_ROWS[mode])
    sys.stdout.write(str(sum(page["number_of_records"] for page in pages)))


def records(client: Any, mode: str, name: str, soql: str, folder: Path) -> Iterator[dict[str, Any]]:
    if mode == "rest":
        yield from client.query_all_iter(soql)
        return
    for page in getattr(client.bulk2, name).download(soql, path=str(folder), **PAGE_ROWS[mode]):
        path = Path(page["file"])
        with path.open(newline="") as file:
            yield from csv.DictReader(file)
        path.unlink()


def write(client: Any, wish: dict[str, Any]) -> None:
    with Path(wish["touchpoints"]).open() as file:
        rows = (json.loads(line) for line in file)
        for sobject, group in itertools.groupby(rows, key=lambda row: row["sobject"]):
            wanted = [json.loads(row["record"]) for row in group]
            if wish["way"] == "rest":
                write_collections(client, sobject, wanted)
            else:
                write_in_bulk(client, sobject, wanted)


def write_collections(client: Any, sobject: str, wanted: list[dict[str, Any]]) -> None:
    for start in range(0, len(wanted), COLLECTION_ROWS):
        chosen = wanted[start : start + COLLECTION_ROWS]
        body = {"allOrNone": False, "records": [{"attributes": {"type": sobject}, **each} for each in chosen]}
        results = client.restful(f"composite/sobjects/{sobject}/UniqueId__c", method="PATCH", json=body)
        failed = [each for each in results if not each["success"]]
        if failed:
            raise SystemExit(f"refused: {failed[0]}")


def write_in_bulk(client: Any, sobject: str, wanted: list[dict[str, Any]]) -> None:
    plain = [{name: "#N/A" if value is None else value for name, value in each.items()} for each in wanted]
    chosen = getattr(client.bulk2, sobject)
    for job in chosen.upsert(records=plain, external_id_field="UniqueId__c", batch_size=BULK_ROWS):
        if job["numberRecordsFailed"]:
            raise SystemExit(f"refused: {job}")


if __name__ == "__main__":
    main()
