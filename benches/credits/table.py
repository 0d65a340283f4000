"""The result for people: a job a row, Headwater first, then each peer's way with its best for the job marked."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benches.credits.measure import DISCOVERY, JOBS

_NOT = "-"


def print_table(told: Mapping[str, Any]) -> None:
    ways = {f"{name} {mode}": costs for name, peer in told["peers"].items() for mode, costs in peer["modes"].items()}
    title = f"API calls, by the org's own count, with {told['contacts_records']:,} records"
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("job")
    for heading in ("headwater", *ways):
        table.add_column(heading, justify="right")
    for job in (DISCOVERY, *JOBS):
        cells = [_NOT if costs.get(job) is None else f"{costs[job]:,}" for costs in (told, *ways.values())]
        table.add_row(job, *cells)
    console = Console()
    console.print(table)
    for name, peer in told["peers"].items():
        for job in JOBS:
            if peer[job] is None:
                console.print(f"{name}, {job}: {peer[f'{job}_null_because']}")
