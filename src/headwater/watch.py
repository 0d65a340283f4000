"""What becomes of trouble: which events are notifications and when they are over; which stopped jobs may go on.

Levels, not edges: `look` compares what is open with what is so, as often as it likes, so nothing depends on an event
that a crash has swallowed. Not here: telling itself (notify), the pipeline and people's deeds (wiring.py).
"""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from headwater.accounts.models import Account, AuditEvent
from headwater.accounts.services import events_of
from headwater.common.clock import now_utc
from headwater.common.errors import Facts
from headwater.connections.lifecycle import GRANT_LEFT
from headwater.connections.models import Connection, Status
from headwater.connections.org_accounts import read_all_limits, settle_all_abandoned
from headwater.connections.tokens import AUTHORIZATION_LOST, DEAD
from headwater.credits.ledger import abandon_all_old
from headwater.credits.readings import forget_old_readings
from headwater.credits.rollup import fold_some
from headwater.jobs.listeners import on_settled
from headwater.jobs.models import LIVE, Job, State
from headwater.jobs.retention import forget_batch, has_forgettable
from headwater.jobs.services import jobs_of, retry
from headwater.notify import mails
from headwater.notify.models import Notification
from headwater.notify.services import open_of, resolve, tell
from headwater.sync.notices import TOLD, notices_of
from headwater.sync.retention import forget_plans
from headwater.sync.schedule import keep_schedules

LOST = "connections.authorization_required"
NO_LOG_IN = {LOST, DEAD, "connections.disconnected", "connections.not_confirmed", "connections.not_connected"}
NEEDS_LOG_IN = NO_LOG_IN | {"accounts.unopenable_secret", "salesforce.clock_wrong", "salesforce.ip_refused"}
OWN_DEEDS = NO_LOG_IN - {LOST, DEAD} | {"accounts.closed"}  # a person did it and sees it on the page: nothing to tell
PAUSES = {  # work goes on by itself; credits.backfill_share_used is no trouble: history was told to wait for its share
    "credits.quota_reached",
    "credits.kept_for_fresh",
    "credits.floor_reached",
    "salesforce.request_limit",
    "salesforce.bulk_limit",
    "salesforce.concurrent_limit",
    "jobs.disk_full",
}
UNREACHABLE = "salesforce.unavailable"
UNREACHABLE_ATTEMPTS = 4  # five minutes apart: short troubles of the network mend themselves and are not told
_EVENTS_LOOKED_AT = timedelta(days=7)

Noticed = Collection[tuple[str, str]]  # code and subject of what the sync goes on without


def chores() -> None:
    """What a worker does between jobs: mend what an event has missed, keep schedules and send mails, stay small."""
    for account in _accounts_to_look_at():
        look(account)
    keep_schedules()
    mails.send_due()
    abandon_all_old()
    settle_all_abandoned()
    read_all_limits()
    forget_old_readings()
    fold_some()
    forget_old_work()


def forget_old_work() -> int:
    """Old jobs and the plans of the cycles that they carried out, some at a time; returns how many jobs."""
    if not has_forgettable():
        return 0
    with transaction.atomic():
        forgotten = forget_batch()
        forget_plans(forgotten)
    return len(forgotten)


def look(account: Account) -> None:
    """Tell what is not told, resolve what is over, let go on what may."""
    row = Connection.of(account).first()
    if row is not None and row.status == Status.AUTHORIZATION_REQUIRED:
        if not open_of(account).filter(code=LOST, subject=row.org_id).exists():
            _tell_lost(account, row)
    elif row is not None and row.status == Status.CONNECTED:
        go_on(account, NO_LOG_IN, (State.BLOCKED,))
    _tell_grants_left(account)
    noticed = _tell_notices(account)
    over = [told.pk for told in open_of(account) if _is_over(account, told, row, noticed)]
    resolve(open_of(account).filter(pk__in=over))


def go_on(account: Account, codes: Collection[str], states: Collection[State] = (State.WAITING, State.BLOCKED)) -> None:
    """Put back the jobs that stopped for one of these reasons."""
    for job in jobs_of(str(account.pk)).filter(state__in=states, reason_code__in=codes):
        retry(job)


def waiting_for_room(account: Account) -> QuerySet[Job]:
    """The jobs that wait for credits or for room in the org's allowances, the newest first."""
    return jobs_of(str(account.pk)).filter(
        state=State.WAITING, reason_code__in=[*PAUSES, "credits.backfill_share_used"]
    )


def forget_connection(account: Account) -> None:
    """The connection is being deleted: its troubles are over, but for a log-in that may still stand in the org."""
    resolve(open_of(account).exclude(code=GRANT_LEFT))


def may_be_closed(told: Notification) -> bool:
    """Whether only a person can say that it is over, as nothing here can see it."""
    return told.code == GRANT_LEFT and told.resolved_utc is None


@on_settled
def tell_of_job(job: Job) -> None:
    """A job that stopped for a reason; in the transaction that records it, so neither stands without the other."""
    account = Account.objects.filter(pk=int(job.tenant)).first() if job.tenant.isdigit() else None
    if account is None or job.reason_code in OWN_DEEDS:
        return
    row = Connection.of(account).first()
    is_long_away = job.state == State.WAITING and job.reason_code == UNREACHABLE and job.attempt >= UNREACHABLE_ATTEMPTS
    if job.reason_code in (LOST, DEAD) and row is not None:
        _tell_lost(account, row, Facts(**job.reason_facts), is_echo=job.reason_code == LOST)
    elif job.state == State.WAITING and job.reason_code in PAUSES:
        tell(account, job.reason_code, "", job.reason, Facts(**job.reason_facts))
    elif is_long_away or job.state in (State.BLOCKED, State.FAILED):
        tell(account, job.reason_code, job.task, job.reason, Facts(**job.reason_facts))
    elif job.state == State.DONE:
        _tell_notices(account)


def _tell_lost(account: Account, row: Connection, facts: Facts | None = None, *, is_echo: bool = False) -> None:
    event = events_of(account, AUTHORIZATION_LOST).first()
    known = Facts(
        why=event.after if event else "Salesforce no longer accepts the stored log-in.",
        left="What was read stays. Jobs that need the org stop and say so.",
        next="After a new log-in they go on by themselves, and everything missed is caught up.",
        you_can="click the key in Settings > Connections and log in, as any user of the same org",
    )
    sentence = f"{row.org_name} wants a new authorisation before anything is read or written."
    why = facts.why if facts and not is_echo else known.why
    told = Facts(why=why, left=known.left, next=known.next, you_can=known.you_can)
    tell(account, LOST, row.org_id, sentence, told, is_echo=is_echo)


def _tell_grants_left(account: Account) -> None:
    recent = events_of(account, GRANT_LEFT).filter(at_utc__gt=now_utc() - _EVENTS_LOOKED_AT)
    for event in recent:
        subject = f"event {event.pk}"
        if not Notification.of(account).filter(code=GRANT_LEFT, subject=subject).exists():
            tell(account, GRANT_LEFT, subject, "A log-in of Headwater may still stand in the org.", _left(event))


def _tell_notices(account: Account) -> Noticed:
    """What the sync goes on without, once: it is so in every cycle until somebody mends it. Returns what is so."""
    told = set(open_of(account).filter(code__in=TOLD).values_list("code", "subject"))
    present = {(each.code, each.subject): each for each in notices_of(account) if each.code in TOLD}
    for key, notice in present.items():
        if key not in told:
            tell(account, *key, notice.sentence, notice.facts)
    return present.keys()


def _left(event: AuditEvent) -> Facts:
    return Facts(
        why=f"It is no longer used here, and Salesforce did not take it back: {event.after}",
        left="Headwater holds no token of it.",
        you_can="revoke it in the org, Setup > Connected Apps OAuth Usage, then close this notification",
    )


def _is_over(account: Account, told: Notification, row: Connection | None, noticed: Noticed) -> bool:
    if told.code == GRANT_LEFT:
        return False
    if told.code == LOST:
        return row is None or row.status != Status.AUTHORIZATION_REQUIRED or row.org_id != told.subject
    if told.code in TOLD:
        return (told.code, told.subject) not in noticed
    jobs = jobs_of(str(account.pk))
    if told.code not in PAUSES:
        jobs = jobs.filter(task=told.subject)
    elif jobs.filter(state=State.WAITING, reason_code=told.code).exists():
        return False
    # A job under way has not shown yet that its trouble is gone; one that came to its end has.
    done_since = jobs.filter(state=State.DONE, finished_utc__gte=told.last_utc).exists()
    return done_since or not jobs.filter(state__in=[*LIVE, State.BLOCKED, State.FAILED]).exists()


def _accounts_to_look_at() -> list[Account]:
    """Those where something is open, or may have to be told or let go on."""
    open_ones = Notification.of_all().filter(resolved_utc=None).values_list("account_id", flat=True)
    lost = Connection.of_all().filter(status=Status.AUTHORIZATION_REQUIRED).values_list("account_id", flat=True)
    since = now_utc() - _EVENTS_LOOKED_AT
    left = AuditEvent.of_all().filter(action=GRANT_LEFT, at_utc__gt=since).values_list("account_id", flat=True)
    stopped = Job.objects.filter(state=State.BLOCKED, reason_code__in=NO_LOG_IN).values_list("tenant", flat=True)
    ids = {*open_ones, *lost, *left, *(int(tenant) for tenant in stopped if tenant.isdigit())}
    return list(Account.objects.filter(pk__in=ids).order_by("pk"))
