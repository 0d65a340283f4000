"""The processes of the torture tests: `python -m torture.process PART ...`, the parts are below."""

from __future__ import annotations

import json
import logging
import sys
import time
from random import Random
from threading import Event, Timer

import django

LEASE_SECONDS = 1.5
TENANTS = 6
JOBS = 60


def prepare() -> None:
    from django.core.management import call_command

    from torture.work import chain

    call_command("migrate", run_syncdb=True, verbosity=0)
    for number in range(JOBS):
        chain.enqueue(tenant=f"tenant-{number % TENANTS}", number=number)


def prepare_one_long_step() -> None:
    from django.core.management import call_command

    from torture.work import long_step

    call_command("migrate", run_syncdb=True, verbosity=0)
    long_step.enqueue(tenant="tenant", seconds=3 * LEASE_SECONDS)


def work_calmly(name: str) -> None:
    """Work until all jobs are done, under a clock that is right."""
    from headwater.jobs.models import ENDED, Job
    from headwater.jobs.worker import Worker

    worker = Worker(name, lease_seconds=LEASE_SECONDS)
    while Job.objects.exclude(state__in=ENDED).exists():
        worker.run_until_idle()
        time.sleep(0.05)


def work(name: str, seed: int) -> None:
    """Work until all jobs are done: in short shifts, each under another clock, each ended by a request to stop."""
    from headwater.common.clock import clock_running_ahead
    from headwater.jobs.models import ENDED, Job
    from headwater.jobs.worker import Worker
    from torture.work import jump

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    random = Random(seed)  # noqa: S311  chance for a test, not for a secret
    worker = Worker(name, lease_seconds=LEASE_SECONDS)
    while Job.objects.exclude(state__in=ENDED).exists():
        end_of_shift = Event()
        timer = Timer(random.uniform(0.2, 0.8), end_of_shift.set)
        timer.start()
        with clock_running_ahead(jump(random)):
            worker.run_forever(end_of_shift, poll_seconds=0.05)


def report() -> None:
    from django.db import connection

    from headwater.jobs.models import Job, Step
    from torture.models import Attempt, Effect
    from torture.work import chained

    facts = {
        "database": connection.vendor,
        "jobs": list(Job.objects.order_by("pk").values("pk", "tenant", "state", "reason", "reason_facts", "result")),
        "expected": [chained(number)[-1] for number in range(JOBS)],
        "steps": Step.objects.count(),
        "effects": list(Effect.objects.order_by("pk").values("tenant", "job_id", "step", "fence", "running_of_tenant")),
        "attempts": list(Attempt.objects.order_by("pk").values("job_id", "fence", "worker")),
    }
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["prepare"]:
            prepare()
        case ["prepare-one-long-step"]:
            prepare_one_long_step()
        case ["work-calmly", name]:
            work_calmly(name)
        case ["work", name, seed]:
            work(name, int(seed))
        case ["report"]:
            report()
        case unknown:
            sys.exit(f"No such part: {unknown}")
