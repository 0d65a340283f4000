"""`python -m benches.ledger.spender prepare | CALLS`: a process that reserves and settles credits as a job does."""

import sys
from time import perf_counter

import django
import orjson
from django.core.management import call_command

django.setup()

from headwater.accounts.models import Account  # noqa: E402  Django must be set up first
from headwater.accounts.services import create_account  # noqa: E402
from headwater.credits.services import meter_for  # noqa: E402
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement  # noqa: E402

_ALLOWANCE_CALLS = 5_000_000


def prepare() -> None:
    call_command("migrate", verbosity=0)
    create_account("Bench")


def spend(calls: int) -> None:
    """Every answer brings the org's own count, as every answer of Salesforce does."""
    meter = meter_for(Account.objects.get(), job_kind="bench")
    told = Settlement(Outcome.ANSWERED, 200, OrgUsage(used_calls=1_000, limit_calls=_ALLOWANCE_CALLS))
    milliseconds = []
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started = perf_counter()
    for _ in range(calls):
        began = perf_counter()
        entry = meter.reserve(Call(CallKind.QUERY, "Contact"))
        milliseconds.append((perf_counter() - began) * 1000)
        meter.settle(entry, told)
    answer = {"seconds": perf_counter() - started, "reserve_ms": milliseconds}
    sys.stdout.write(orjson.dumps(answer).decode() + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare()
    else:
        spend(int(sys.argv[1]))
