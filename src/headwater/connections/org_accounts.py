"""Asks the org for its own account of our calls, and has the ledger settled by it.

Not here: what the answers mean (the credits room), and when a worker asks (watch.py).
"""

import logging

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Fix, Wait
from headwater.connections.models import Connection, Status
from headwater.connections.services import session
from headwater.credits import abandoned, readings
from headwater.credits.priorities import Priority
from headwater.credits.reconcile_models import Source
from headwater.salesforce.errors import Refusal
from headwater.salesforce.event_log import EVENT_LOG, logged_calls
from headwater.salesforce.meter import OrgUsage
from headwater.salesforce.usage import daily_api_requests

RECONCILING = "reconcile"
LOG_KEPT_BACK = "credits.log_kept_back"
logger = logging.getLogger(__name__)


def settle_all_abandoned() -> None:
    """Of every account that is connected and has something to ask. Any number of workers may do it at once."""
    for account in abandoned.accounts_to_ask(now_utc()):
        if Connection.of(account).filter(status=Status.CONNECTED).exists():
            settle_abandoned(account)


def read_all_limits() -> None:
    """Once a day for every connected account that is at work: the second opinion on what its answers' headers say."""
    for account in readings.accounts_to_read(now_utc()):
        if Connection.of(account).filter(status=Status.CONNECTED).exists() and readings.claim_limits(account):
            read_limits(account)


def read_limits(account: Account) -> OrgUsage | None:
    """Ask for `/limits`, one credit, and keep what it says; None where the org keeps it back or does not answer."""
    try:
        with session(account, job_kind=RECONCILING, priority=Priority.BACKFILL, attempts=1) as transport:
            said = daily_api_requests(transport)
    except (Fix, Wait) as error:
        logger.info("%s: /limits was not read: %s", account, error.sentence)
        return None
    if isinstance(said, Refusal):
        logger.info("%s: the org does not show /limits: %s %s", account, said.error_code, said.message)
        return None
    readings.keep_reading(account, said, Source.LIMITS)
    return said


def settle_abandoned(account: Account) -> tuple[int, int]:
    """For one credit, settle what dead processes left and the org's log decides: (were sent, are given back).

    Nothing is asked, and nothing spent, where nothing is due. An org that does not show its log is asked again a day
    later; one that does not answer, six hours later. Whatever is not proven stays spent.
    """
    asked = abandoned.question(account)
    if asked is None:
        return 0, 0
    try:
        with session(account, job_kind=RECONCILING, priority=Priority.BACKFILL, attempts=1) as transport:
            logged = logged_calls(transport, asked.names, asked.since_utc)
    except (Fix, Wait) as error:
        abandoned.say_not_answered(account, error.sentence)
        logger.info("%s: the log of calls was not read: %s", account, error.sentence)
        return 0, 0
    if isinstance(logged, Refusal):
        told = f"{logged.error_code} {logged.message}"
        if abandoned.say_unavailable(account, told):
            what = f"{EVENT_LOG}: {told}. Calls of dead processes stay spent."
            record_event(account, actor="headwater", action=LOG_KEPT_BACK, after=what)
        return 0, 0
    return abandoned.settle_from_log(account, asked, logged)
