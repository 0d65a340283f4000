"""How commands speak: a table or one JSON object, progress of long work, errors with their exit codes."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from headwater.accounts.models import Account
from headwater.common.errors import Facts, Fix, HeadwaterError, Wait
from headwater.jobs.models import Job, State
from headwater.jobs.progress import Progress as JobProgress
from headwater.jobs.services import JobView, job_view, run_here

LEASE_SECONDS = 10  # a killed command is taken over this soon; the page workers keep theirs longer
EXIT_BUG, EXIT_WAIT, EXIT_FIX = 1, 3, 4

_NOT_A_TERMINAL_COLUMNS = 120  # where output goes into a file or a pipe there is no edge to keep to
out = Console(width=None if sys.stdout.isatty() else _NOT_A_TERMINAL_COLUMNS)
err = Console(stderr=True, width=None if sys.stderr.isatty() else _NOT_A_TERMINAL_COLUMNS)


def print_json(value: Any) -> None:
    """One JSON object on standard output; keys carry their units."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode() + "\n")
    sys.stdout.flush()


def print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int]) -> None:
    """`numbers` are the places of the columns that hold numbers, to be set flush right."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for place, heading in enumerate(headings):
        is_number = place in numbers
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=is_number)
    for row in rows:
        table.add_row(*row)
    out.print(table)


def money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def exit_code_of(error: HeadwaterError) -> int:
    if isinstance(error, Wait):
        return EXIT_WAIT
    return EXIT_FIX if isinstance(error, Fix) else EXIT_BUG


def show_error(error: HeadwaterError) -> None:
    if "--json" in sys.argv:
        print_json({"error": {"code": error.code, "sentence": error.sentence, **dict(error.lines())}})
        return
    err.print(f"[bold red]✗[/] [bold]{error.sentence}[/]  [dim]{error.code}[/]", highlight=False)
    for label, text in error.lines():
        err.print(f"  [dim]{label:<8}[/] {text}", highlight=False)


def the_account(slug: str | None) -> Account:
    """The account named, or the only one there is."""
    found = list(Account.objects.filter(slug=slug) if slug else Account.objects.all()[:2])
    if len(found) == 1:
        return found[0]
    known = ", ".join(Account.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
    raise Fix(
        "cli.which_account",
        f"There is no account “{slug}”." if slug else "Say which account is meant.",
        Facts(why=f"Accounts here: {known}.", you_can="name one with --account, or make one with headwater setup"),
    )


@contextmanager
def progress_bar(title: str, *, quiet: bool) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[unit]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=quiet, transient=False) as bar:
        bar.add_task(title, total=1, unit="")
        yield bar


def follow(job: Job, title: str, *, quiet: bool) -> JobView:
    """Run the job here with a progress bar. Raises Wait or Fix as the job ended so; returns it when it is done."""
    with progress_bar(title, quiet=quiet) as bar:
        only = bar.task_ids[0]

        def show(progress: JobProgress) -> None:
            bar.update(only, completed=progress.done, total=progress.total or progress.done or 1, unit=progress.unit)

        view = job_view(run_here(job, show, lease_seconds=LEASE_SECONDS))
        if view.state is State.DONE:
            done = view.progress.done if view.progress else 1
            bar.update(only, completed=done, total=done or 1)
    return _checked(view)


def _checked(view: JobView) -> JobView:
    if view.state is State.DONE:
        return view
    if view.state is State.WAITING and view.not_before_utc:
        raise Wait(view.code, view.reason, retry_utc=view.not_before_utc, facts=view.facts)
    if view.state is State.BLOCKED:
        raise Fix(view.code, view.reason, view.facts)
    raise HeadwaterError(view.code or "jobs.not_done", view.reason or f"The job ended as {view.state}.", view.facts)


def utc(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
