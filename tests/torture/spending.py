"""The processes of the torture of the ledger: `python -m torture.spending PART ...`, the parts are below.

The nursery sets Django up once and forks spenders, so that killing one costs no start of a new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import django

END = "end"
ACCOUNT = "Acme"
PATHS = ("/services/data/v64.0/limits", "/services/data/v64.0/sobjects/Lead/none")  # a refusal costs a call too
SENDER = "torture-"  # before the mark by which the org's own log tells one call from another
LOOK_SECONDS = 0.005


def prepare() -> None:
    from headwater.accounts.services import create_account
    from headwater.credits.models import Quota
    from headwater.credits.opening import quota_of

    account = create_account(ACCOUNT)
    Quota.of(account).filter(pk=quota_of(account).pk).update(time_zone="Europe/Berlin", reset_minute=150)


def nurse(url: str, token: str, clock: Path) -> None:
    """Fork a spender for each line `SLOT FENCE` of stdin and print its process id; end when stdin does and all did."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed are buried by the kernel
    for line in sys.stdin:
        slot, fence = (int(word) for word in line.split())
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            spend(url, token, clock, slot=slot, fence=fence)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    with suppress(ChildProcessError):
        while True:
            os.wait()


def spend(url: str, token: str, clock: Path, *, slot: int, fence: int) -> None:
    """Call the org as fast as the ledger lets, through every window, until the clock says that it is over."""
    from headwater.accounts.models import Account
    from headwater.credits.priorities import Priority
    from headwater.credits.services import meter_for
    from headwater.salesforce.transport import Transport

    priority = {6: Priority.EXPORT, 7: Priority.BACKFILL}.get(slot, Priority.FRESH)
    meter = meter_for(Account.objects.get(), job_kind=priority, job_id=str(slot), fence=fence, priority=priority)
    serial, was_full_at, random = 0, "", Random(slot * 1_000 + fence)  # noqa: S311  chance for a test, not for a secret
    with Transport(url, _OneToken(token), meter) as transport, clock.open() as shared:
        while (moment := clock.read_text()) != END:
            if moment == was_full_at:
                time.sleep(LOOK_SECONDS * random.randrange(1, 10))
                continue
            fcntl.flock(shared, fcntl.LOCK_SH)  # while it is held, no time passes
            if (moment := clock.read_text()) != END:
                serial += 1
                was_full_at = moment if not _call(transport, moment, f"{slot}x{fence}x{serial}") else ""
            fcntl.flock(shared, fcntl.LOCK_UN)


def _call(transport: object, moment: str, mark: str) -> bool:
    """One call at `moment`; False where the ledger has no room for it."""
    from headwater.common.clock import clock_set_to
    from headwater.common.errors import Fix, Wait
    from headwater.salesforce.meter import Call, CallKind
    from headwater.salesforce.transport import Request, Transport

    assert isinstance(transport, Transport)
    path, named = PATHS[len(mark) % 2], {"Sforce-Call-Options": f"client={SENDER}{mark}"}
    with clock_set_to(datetime.fromisoformat(moment)):
        try:
            transport.send(Call(CallKind.LIMITS, mark), Request("GET", path, "spending", headers=named))
        except Wait as wait:
            if not wait.code.startswith("credits."):
                raise
            return False
        except Fix as fix:
            if "NOT_FOUND" not in fix.facts.why:  # the lead that is not there
                raise
    return True


class _OneToken:
    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self) -> str:
        return self._token

    def renew(self, stale: str) -> str:
        raise AssertionError(f"The org did not take {stale[:6]}…")


def report(moment: str) -> None:
    """Settle what the dead left, then print the windows and entries."""
    from headwater.common.clock import clock_set_to
    from headwater.credits.ledger import ABANDONED_AFTER, abandon_all_old
    from headwater.credits.models import Entry, Window

    with clock_set_to(datetime.fromisoformat(moment) + ABANDONED_AFTER + timedelta(seconds=1)):
        given_up_by_age = abandon_all_old()
    windows = (
        Window.of_all().order_by("starts_utc").values("pk", "starts_utc", "ends_utc", "used_calls", "backfill_calls")
    )
    entries = Entry.of_all().order_by("pk").values("pk", "window_id", "state", "priority", "job_id", "sobject")
    told = {"by_age": given_up_by_age, "windows": list(windows), "entries": list(entries)}
    sys.stdout.write(json.dumps(told, default=datetime.isoformat))


def give_back(marks: list[str]) -> None:
    """Settle calls of dead processes that the org's log does not know."""
    from headwater.accounts.models import Account
    from headwater.credits.ledger import settle
    from headwater.credits.models import Entry, EntryState
    from headwater.salesforce.meter import Outcome, Settlement

    for entry in Entry.of_all().filter(sobject__in=marks, state=EntryState.ABANDONED):
        settle(Account.objects.get(), entry.pk, Settlement(Outcome.NOT_SENT))


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["prepare"]:
            prepare()
        case ["nurse", url, token, clock]:
            nurse(url, token, Path(clock))
        case ["give-back", *marks]:
            give_back(marks)
        case ["report", moment]:
            report(moment)
        case unknown:
            sys.exit(f"No such part: {unknown}")
