"""Lets other parts hear what became of a job, in the transaction that records it. This room knows none of them."""

from collections.abc import Callable

from headwater.jobs.models import Job

Listener = Callable[[Job], None]
_listeners: list[Listener] = []


def on_settled(listener: Listener) -> Listener:
    """Have `listener` called with the row of each job that a worker lets go, as it will stand in the database."""
    _listeners.append(listener)
    return listener


def tell_listeners(job_id: int) -> None:
    if _listeners:
        job = Job.objects.get(pk=job_id)
        for listener in _listeners:
            listener(job)
