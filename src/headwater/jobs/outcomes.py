"""What becomes of a job when its task returns or raises, and writing that down under the fence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, Value, When

from headwater.common.clock import now_utc
from headwater.common.errors import NO_FACTS, Bug, Facts, HeadwaterError, Wait
from headwater.jobs.backoff import backoff_seconds
from headwater.jobs.lease import Lease
from headwater.jobs.listeners import tell_listeners
from headwater.jobs.models import ENDED, Job, JsonValue, State

MAX_TAKEOVERS = 10
SHORTEST_WAIT = timedelta(seconds=1)  # a moment that is past already must not make the worker spin


@dataclass(frozen=True, slots=True)
class Outcome:
    state: State
    result: JsonValue = None
    code: str = ""
    sentence: str = ""
    facts: Facts = NO_FACTS
    not_before_utc: datetime | None = None
    failures: int = 0


HANDED_BACK = Outcome(State.QUEUED)
CANCELLED = Outcome(State.CANCELLED)


def told(state: State, error: HeadwaterError, *, not_before_utc: datetime | None = None) -> Outcome:
    """`state` for the reason that one of our own errors gives."""
    return Outcome(state, code=error.code, sentence=error.sentence, facts=error.facts, not_before_utc=not_before_utc)


def waiting(error: Wait) -> Outcome:
    return told(State.WAITING, error, not_before_utc=max(error.retry_utc, now_utc() + SHORTEST_WAIT))


def refuse_deadly(row: Job) -> None:
    """Raises Bug for a job whose holders died again and again at the same step: it would go on killing workers."""
    if row.takeovers >= MAX_TAKEOVERS:
        raise Bug(
            "jobs.workers_died",
            f"The job was given up: {row.takeovers} workers in a row stopped at the same step of it.",
            Facts(
                why="Each stopped without a word, as a process does that is killed or runs out of memory.",
                left="Steps that were done stay done.",
                you_can="give the workers more memory, then retry the job",
            ),
        )


def unexpected(error: Exception, *, failures: int, max_attempts: int) -> Outcome:
    """Try again later, or give up after `max_attempts` errors in a row (this one counted in `failures`)."""
    why = f"{type(error).__name__}: {error}".replace("\0", "")  # PostgreSQL refuses NUL in text
    if failures >= max_attempts:
        facts = Facts(
            why=why, left="Steps that were done stay done.", you_can="look into the cause, then retry the job"
        )
        sentence = f"The job was given up after {failures} unexpected errors in a row."
        return Outcome(State.FAILED, None, "jobs.given_up", sentence, facts, None, failures)
    facts = Facts(why=why, left="Steps that were done stay done.", next="It goes on by itself after a pause.")
    sentence = f"An unexpected error interrupted the job ({failures} of {max_attempts} tries used)."
    again_utc = now_utc() + timedelta(seconds=backoff_seconds(failures))
    return Outcome(State.WAITING, None, "jobs.interrupted", sentence, facts, again_utc, failures)


def settle(lease: Lease, outcome: Outcome) -> None:
    """Write the outcome, tell the listeners, let the job go. A cancellation that came too late to be seen wins.

    Raises LostJob, with nothing written, when the job is no longer this holder's.
    """
    has_ended = outcome.state in ENDED
    state, finished = Value(outcome.state.value), Value(now_utc() if has_ended else None)
    cancelled = When(cancel_requested=True, then=Value(State.CANCELLED.value))
    cancelled_at = When(cancel_requested=True, then=Value(now_utc()))
    columns = {
        "state": state if has_ended else Case(cancelled, default=state),
        "finished_utc": finished if has_ended else Case(cancelled_at, default=finished, output_field=DateTimeField()),
        "not_before_utc": outcome.not_before_utc,
        "worker": "",
        "lease_until_utc": None,
        "result": outcome.result,
        "reason_code": outcome.code,
        "reason": outcome.sentence,
        "reason_facts": asdict(outcome.facts),
        "failures": outcome.failures,
    }
    with transaction.atomic():
        lease.write(**columns)
        tell_listeners(lease.job_id)
