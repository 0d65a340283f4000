"""Tasks by their stable names: `@task("sync.cycle")` over a function, `.enqueue(...)` to have it done.

Not here: running them (worker.py). A name outlives renames of functions, because rows in the queue carry it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Concatenate, Generic, ParamSpec

from headwater.common.errors import Bug, Facts
from headwater.jobs.models import Job, JsonValue
from headwater.jobs.queue import put
from headwater.jobs.running import RunningJob

P = ParamSpec("P")
MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Task(Generic[P]):
    """`run` under a name. After `max_attempts` unexpected errors in a row, a job of it is given up."""

    name: str
    run: Callable[Concatenate[RunningJob, P], JsonValue]
    max_attempts: int

    def __call__(self, job: RunningJob, *args: P.args, **arguments: P.kwargs) -> JsonValue:
        return self.run(job, *args, **arguments)

    def enqueue(
        self,
        *,
        tenant: str,
        not_before_utc: datetime | None = None,
        dedupe: bool = True,
        **arguments: JsonValue,
    ) -> Job:
        """Put a job in the queue. Raises TypeError at once when the function does not take these arguments."""
        inspect.signature(self.run).bind(None, **arguments)
        return put(self.name, tenant=tenant, arguments=arguments, not_before_utc=not_before_utc, dedupe=dedupe)


_tasks: dict[str, Task[Any]] = {}


def task(
    name: str, *, max_attempts: int = MAX_ATTEMPTS
) -> Callable[[Callable[Concatenate[RunningJob, P], JsonValue]], Task[P]]:
    """Register a function as the task `name`. Raises ValueError when the name is taken."""

    def register(run: Callable[Concatenate[RunningJob, P], JsonValue]) -> Task[P]:
        if name in _tasks:
            raise ValueError(f"There is a task {name!r} already: {_tasks[name].run!r}.")
        made = Task(name, run, max_attempts)
        _tasks[name] = made
        return made

    return register


def find_task(name: str) -> Task[Any]:
    if name in _tasks:
        return _tasks[name]
    raise Bug(
        "jobs.unknown_task",
        f"Nothing here knows how to do “{name}”.",
        Facts(
            why=f"No task of that name is registered in this worker; it knows: {', '.join(sorted(_tasks)) or 'none'}.",
            you_can="run the version that put this job in the queue, or cancel the job",
        ),
    )


def task_names() -> list[str]:
    return sorted(_tasks)
