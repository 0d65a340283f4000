"""Writes calls into the ledger at chosen moments, through the ledger itself."""

from datetime import datetime, timedelta

from headwater.accounts.models import Account
from headwater.common.clock import clock_set_to
from headwater.credits.ledger import Ledger
from headwater.salesforce.meter import Call, CallKind, OrgUsage, Outcome, Settlement


def spend(
    account: Account,
    at: datetime,
    calls: int = 1,
    *,
    job_kind: str = "sync",
    job_id: str = "",
    call: Call = Call(CallKind.QUERY, "Lead"),  # noqa: B008 - frozen
    outcome: Outcome | None = Outcome.ANSWERED,
    org_usage: OrgUsage | None = None,
) -> list[int]:
    """`outcome` None leaves the calls open, as a crash does. They are a millisecond apart."""
    entries = []
    for number in range(calls):
        with clock_set_to(at + timedelta(milliseconds=number)):
            ledger = Ledger(account, job_kind=job_kind, job_id=job_id)
            entries.append(ledger.reserve(call))
            if outcome is not None:
                status = {Outcome.ANSWERED: 200, Outcome.REFUSED: 400}.get(outcome)
                ledger.settle(entries[-1], Settlement(outcome, status, org_usage))
    return entries
