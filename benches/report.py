"""How a bench speaks: a table for people, or one JSON object for programmes. Its steps go to standard error."""

import sys
from collections.abc import Mapping

import orjson
from rich.console import Console
from rich.table import Table

_FAR_TO_READ = 1000


def tell(step: str) -> None:
    sys.stderr.write(f"{step} …\n")
    sys.stderr.flush()


def print_numbers(title: str, numbers: Mapping[str, float | str | None], *, as_json: bool) -> None:
    """The keys carry their units. None: not measured."""
    if as_json:
        print_object(numbers)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in numbers.items():
        table.add_row(name, _readable(value))
    Console().print(table)


def print_object(told: Mapping[str, object]) -> None:
    sys.stdout.write(orjson.dumps(dict(told)).decode() + "\n")


def _readable(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if isinstance(value, int) or value >= _FAR_TO_READ else f"{value:,.3g}"
