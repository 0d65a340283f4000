"""The processes of the torture of the sync: `python -m torture.syncing PART ...`, the parts are below.

The nursery sets Django up once and forks workers, so that killing one costs no start of a new one.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from headwater.accounts.models import Account
    from headwater.jobs.models import Job

LEASE_SECONDS = 1.0
LIMIT_CALLS = 30
IDLE_SECONDS = 0.1
DIFFERENCES_SHOWN = 20


def serve(folder: Path) -> None:
    """The org, in a process of its own, until stdin ends."""
    from integration.callbacks import REDIRECT_URI
    from orgsim.testing import running_orgsim

    with running_orgsim(folder, callbacks=(REDIRECT_URI,)) as org:
        _tell(
            {"url": org.url, "sandbox_url": org.sandbox_url, "user_ids": [org.production_user_id, org.sandbox_user_id]}
        )
        sys.stdin.read()


def prepare() -> None:
    from headwater.accounts.services import create_account
    from headwater.credits.models import Quota
    from headwater.credits.opening import quota_of
    from integration.conftest import connect

    account = create_account("Acme")
    Quota.of(account).filter(pk=quota_of(account).pk).update(daily_limit_calls=LIMIT_CALLS)
    connect(account)


def nurse(home: Path) -> None:
    """Fork a worker for each line `NAME SECONDS AHEAD` of stdin and print its process id; end when stdin does."""
    import headwater.wiring  # noqa: F401  loaded once for all
    from headwater.sync import services  # noqa: F401  as above

    errors = logging.FileHandler(home / "errors", delay=True)
    errors.setLevel(logging.ERROR)
    logging.getLogger("headwater").addHandler(errors)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed are buried by the kernel
    for line in sys.stdin:
        name, ahead_seconds = line.split()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with _clock(float(ahead_seconds)):
                work(name, home)
            os._exit(0)
        _tell(pid)


def work(name: str, home: Path) -> None:
    """One cycle after the other, until somebody kills this process, or the nursery is gone."""
    from headwater.jobs.worker import Worker

    worker, nursery = Worker(name, lease_seconds=LEASE_SECONDS), os.getppid()
    while os.getppid() == nursery:
        _have_fields_named(home)
        _have_a_cycle(home)
        if not worker.run_one():
            time.sleep(IDLE_SECONDS)


def _have_a_cycle(home: Path) -> Job:
    """One that is queued, running or waiting. One that stopped for a person goes on, as if the person had acted."""
    from headwater.jobs.models import State
    from headwater.jobs.services import latest, retry
    from headwater.sync.services import sync_cycle

    account = _account()
    last = latest(str(account.pk), sync_cycle.name)
    if last is not None and last.state in (State.BLOCKED, State.FAILED):
        with (home / "stops").open("a") as stops:
            stops.write(json.dumps([last.reason_code, last.reason, last.reason_facts]) + "\n")
        return retry(last)
    return sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)


def _have_fields_named(home: Path) -> None:
    """What people of the org made is read from now on, if it is still there and the quota has room to ask."""
    from headwater.common.errors import HeadwaterError
    from headwater.sync.extras import name_field
    from headwater.sync.models import ExtraField

    account, wanted = _account(), home / "wanted"
    lines = wanted.read_text().splitlines() if wanted.exists() else []
    named = set(ExtraField.of(account).values_list("field", flat=True))
    given_up = home / "given-up"
    gone = given_up.read_text().split() if given_up.exists() else []
    for sobject, field in (line.split() for line in lines):
        if field in named or field in gone:
            continue
        try:
            name_field(account, sobject, field, actor="ann@example.com")
        except HeadwaterError as error:  # whoever meets it on a page tries again
            if error.code == "sync.field_unknown":  # removed meanwhile
                with given_up.open("a") as file:
                    file.write(f"{field}\n")


def settle(home: Path, ahead_seconds: float) -> None:
    """Work on what was begun, then carry out one cycle more; tell how it went."""
    from headwater.jobs.models import LIVE, State
    from headwater.jobs.running import GIVE_WAY
    from headwater.jobs.services import jobs_of
    from headwater.jobs.worker import Worker

    worker = Worker("the last", lease_seconds=LEASE_SECONDS)
    with _clock(ahead_seconds):
        _have_a_cycle(home)
        worker.run_until_idle()
    with _clock(ahead_seconds + 2 * GIVE_WAY.total_seconds()):  # what gave way to that cycle goes on
        worker.run_until_idle()
        begun = _have_a_cycle(home)
        worker.run_until_idle()
        begun.refresh_from_db()
        live = list(
            jobs_of(begun.tenant).filter(state__in=LIVE).values("task", "state", "reason_code", "not_before_utc")
        )
    result: Any = begun.result if begun.state == State.DONE else {}
    is_over = begun.state == State.DONE and not live and "waiting" not in result
    _tell(
        {
            "is_over": is_over,
            "state": begun.state,
            "code": begun.reason_code,
            "why": begun.reason_facts,
            "live": live,
            "waiting": result.get("waiting"),
        }
    )


def compare(folder: Path) -> None:
    from compared import compared
    from orgsim.store.state import State

    found = compared(_account(), State(folder).orgs()[0])
    shown = [asdict(each) for each in found.differences[:DIFFERENCES_SHOWN]]
    _tell({"rows": found.rows, "differences": len(found.differences), "shown": shown})


def report(ahead_seconds: float) -> None:
    """Settle what the dead left, then print windows, entries, cycles and what they told."""
    from headwater.credits.ledger import ABANDONED_AFTER, abandon_all_old
    from headwater.credits.models import Entry, Window
    from headwater.jobs.models import Job, State
    from headwater.sync.services import sync_cycle

    with _clock(ahead_seconds + ABANDONED_AFTER.total_seconds() + 1):
        abandon_all_old()
    done = Job.objects.filter(task=sync_cycle.name, state=State.DONE)
    told: Counter[str] = Counter()
    for result in done.values_list("result", flat=True):
        told.update(
            {name: 1 for name in ("untold", "vanished", "waiting") if isinstance(result, dict) and name in result}
        )
    _tell(
        {
            "cycles": done.count(),
            "told": told,
            "windows": list(Window.of_all().values("pk", "used_calls", "limit_calls")),
            "entries": list(Entry.of_all().values("pk", "window_id", "state", "status_code", "call_kind")),
        }
    )


def give_back(entries: list[str]) -> None:
    """Settle calls of dead processes that the org's log does not know."""
    from headwater.credits.ledger import settle as settle_entry
    from headwater.salesforce.meter import Outcome, Settlement

    for entry in entries:
        settle_entry(_account(), int(entry), Settlement(Outcome.NOT_SENT))


def _account() -> Account:
    from headwater.accounts.models import Account

    return Account.objects.get()


@contextmanager
def _clock(ahead_seconds: float) -> Iterator[None]:
    from headwater.common.clock import clock_running_ahead

    with clock_running_ahead(timedelta(seconds=ahead_seconds)):
        yield


def _tell(what: object) -> None:
    sys.stdout.write(json.dumps(what, default=datetime.isoformat) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    django.setup()
    with suppress(KeyboardInterrupt):
        match sys.argv[1:]:
            case ["serve", folder]:
                serve(Path(folder))
            case ["prepare"]:
                prepare()
            case ["nurse", home]:
                nurse(Path(home))
            case ["settle", home, ahead_seconds]:
                settle(Path(home), float(ahead_seconds))
            case ["compare", folder]:
                compare(Path(folder))
            case ["report", ahead_seconds]:
                report(float(ahead_seconds))
            case ["give-back", *entries]:
                give_back(entries)
            case unknown:
                sys.exit(f"No such part: {unknown}")
