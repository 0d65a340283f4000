"""`python -m benches.credits.touchpoints COUNT NDJSON`: the wanted state of an export, made instead of computed.

Copies the latest run of attribution with its touchpoints repeated until there are COUNT, three Buyer Touchpoints to one
Buyer Attribution Touchpoint. Their ids are the same each time and their content is not.
"""

import shutil
import sys
from importlib.resources import files
from pathlib import Path

import django
import duckdb

MARTS = {"buyer_touchpoint": 3, "attribution_touchpoint": 1}
_OF = sum(MARTS.values())


def main() -> None:
    django.setup()
    from headwater.accounts.models import Account  # noqa: PLC0415  Django must be set up first
    from headwater.results.runs import latest_run, open_results, results_directory  # noqa: PLC0415

    count, records = int(sys.argv[1]), Path(sys.argv[2])
    account = Account.objects.get()
    run = latest_run(account)
    if run is None:
        raise SystemExit("There is no run of attribution to copy.")
    directory = results_directory(account) / run.directory
    copied = directory.with_name(f"bench-{run.number}")
    shutil.copytree(directory, copied)
    for mart, share in MARTS.items():
        _repeat(directory / f"{mart}.parquet", copied / f"{mart}.parquet", count * share // _OF, run.number)
    run.pk, run.number, run.job_id, run.directory = None, run.number + 1, copied.name, copied.name
    run.save()
    with open_results(account) as connection:
        connection.execute(files("headwater.export").joinpath("wanted.sql").read_text())
        connection.execute(f"COPY (SELECT sobject, record FROM wanted) TO '{records}' (FORMAT json)")  # noqa: S608  a path of our own making


def _repeat(models: Path, target: Path, count: int, round_number: int) -> None:
    with duckdb.connect() as connection:
        [(model_rows,)] = connection.execute(f"SELECT count(*) FROM '{models}'").fetchall()  # noqa: S608  a path of our own making
        connection.execute(
            f"COPY (SELECT model.* EXCLUDE (place) REPLACE ('bench-' || step AS unique_id, "  # noqa: S608  paths of our own making
            f"'Round {round_number}' AS touchpoint_source) FROM range({count}) AS steps (step) JOIN "
            f"(SELECT *, row_number() OVER () - 1 AS place FROM '{models}') AS model "
            f"ON model.place = step % {model_rows}) TO '{target}' (FORMAT parquet)"
        )


if __name__ == "__main__":
    main()
