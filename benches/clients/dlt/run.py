"""Jobs of the benches by dlt: `run.py JOB MODE FOLDER < wish.json`, JOB being read or load.

dlt's Salesforce source is not a package but code that `dlt init` copies into a project. This is a source of the same
manner on dlt's public API, as small as can be: describe, then a Bulk API 1 query by simple-salesforce, from the newest
stamp on. `read` only extracts: normalizing and loading ask Salesforce for nothing. `load` does all, into a DuckDB file.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
from simple_salesforce.api import Salesforce


def main() -> None:
    folder = Path(sys.argv[3])
    wish = json.load(sys.stdin)
    client = Salesforce(username=wish["username"], password=wish["password"], security_token="")
    is_load = sys.argv[1] == "load"
    destination = dlt.destinations.duckdb(str(folder / "dlt.duckdb")) if is_load else "dummy"
    pipeline = dlt.pipeline(
        "credits", destination=destination, dataset_name="salesforce", pipelines_dir=str(folder / "dlt")
    )
    resources = [resource_of(client, name, asked) for name, asked in wish["objects"].items()]
    if is_load:
        pipeline.run(resources)
        sys.stdout.write(str(pipeline.last_trace.last_normalize_info.row_counts["contact"]))
        return
    pipeline.extract(resources)
    pipeline.drop_pending_packages(with_partial_loads=True)


def resource_of(client: Any, name: str, asked: dict[str, Any]) -> Any:
    newest = dlt.sources.incremental(asked["stamp"], initial_value=None)

    def records(since: Any = newest) -> Iterator[list[dict[str, Any]]]:
        described = {field["name"]: field["type"] for field in getattr(client, name).describe()["fields"]}
        moments = [field for field in asked["fields"] if described[field] == "datetime"]
        where = f" WHERE {asked['stamp']} > {since.last_value}" if since.last_value else ""
        fields = ", ".join(asked["fields"])
        soql = f"SELECT {fields} FROM {name}{where} ORDER BY {asked['stamp']} ASC"  # noqa: S608  SOQL of the bench's own
        for page in getattr(client.bulk, name).query_all(soql, lazy_operation=True):
            yield [as_stored(record, moments) for record in page]

    return dlt.resource(records, name=name, write_disposition="merge", primary_key="Id")


def as_stored(record: dict[str, Any], moments: list[str]) -> dict[str, Any]:
    """Bulk API 1 gives moments as milliseconds."""
    record.pop("attributes", None)
    for field in moments:
        if record[field]:
            seconds, milliseconds = divmod(record[field], 1000)
            moment = dlt.common.pendulum.from_timestamp(seconds)
            record[field] = f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{milliseconds:03d}Z"
    return record


if __name__ == "__main__":
    main()
