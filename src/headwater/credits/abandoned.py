"""Calls that a dead process left behind: which of them the org's own event log proves to have cost nothing.

They are spent until then. Found and counted: spent. Not found: free only where the log surely holds that time, because
other calls of ours of the same kind, sent around it and well after it, are all there. Anything else stays spent.
Why so: docs/decisions/0010-the-orgs-own-log.md. Not here: asking the org (connections/org_accounts.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.ledger import settle
from headwater.credits.models import Allowance, Entry, EntryState
from headwater.credits.reconcile_models import LogCheck
from headwater.salesforce.event_log import LoggedCall
from headwater.salesforce.meter import Outcome, Settlement, client_name

ASK_AFTER = timedelta(hours=2)  # the log has had time to hold what was sent well after the call
ASK_EVERY = timedelta(hours=6)
ASK_FOR = timedelta(hours=24)  # then it is spent for good
MARGIN = timedelta(hours=1)  # how much later a call in the log must be to show that the log is complete up to ours
CLOCKS_APART = timedelta(minutes=15)  # ours and Salesforce's, and how long a call takes
ENTRIES_ASKED = 40
NEAR_WITNESSES = 2  # on each side of a call, and as many beyond the margin
_WITNESSES = (EntryState.ANSWERED, EntryState.REFUSED)


@dataclass(frozen=True, slots=True)
class Question:
    """Calls to look for in the log, each with those whose being there shows that the log is complete around it."""

    witnesses_of: Mapping[Entry, Sequence[Entry]]
    since_utc: datetime

    @property
    def names(self) -> list[str]:
        entries = {each.pk for each in self.witnesses_of} | {
            witness.pk for witnesses in self.witnesses_of.values() for witness in witnesses
        }
        return [client_name(pk) for pk in sorted(entries)]


def accounts_to_ask(moment: datetime) -> list[Account]:
    """Those with calls that may still be looked up, whose log was not asked lately and is not known to be closed."""
    waiting = _askable(Entry.of_all(), moment).values_list("account_id", flat=True).distinct()
    ids = set(waiting)
    asked = Q(asked_utc__gt=moment - ASK_EVERY) | Q(unavailable_utc__gt=moment - ASK_FOR)
    ids -= set(LogCheck.of_all().filter(asked, account__in=ids).values_list("account_id", flat=True))
    return list(Account.objects.filter(pk__in=ids, closed_utc=None).order_by("pk"))


def question(account: Account) -> Question | None:
    """What to ask now, or None. Only one worker gets it: the others come too late for this time."""
    now = now_utc()
    entries = list(_askable(_of_this_org(account), now).order_by("reserved_utc")[:ENTRIES_ASKED])
    if not entries or not _claim(account, now):
        return None
    witnesses_of = {each: _witnesses(account, each) for each in entries}
    since = min(each.reserved_utc for each in (*entries, *(w for found in witnesses_of.values() for w in found)))
    return Question(witnesses_of, since - CLOCKS_APART)


def settle_from_log(account: Account, asked: Question, logged: Iterable[LoggedCall]) -> tuple[int, int]:
    """Settle what the log decides. Returns (how many were sent, how many are given back); the rest stays as it is."""
    known: dict[str, list[LoggedCall]] = {}
    for call in logged:
        known.setdefault(call.client_name, []).append(call)
    sent = given_back = 0
    for entry, witnesses in asked.witnesses_of.items():
        settlement = judge(entry, witnesses, known)
        if settlement is not None:
            settle(account, entry.pk, settlement)
            sent += settlement.outcome is not Outcome.NOT_SENT
            given_back += settlement.outcome is Outcome.NOT_SENT
    LogCheck.of(account).update(told="", unavailable_utc=None)
    return sent, given_back


def judge(entry: Entry, witnesses: Sequence[Entry], known: Mapping[str, Sequence[LoggedCall]]) -> Settlement | None:
    """How the call ended, as far as the log proves it; None where it does not. NOT_SENT: it cost nothing."""
    found = known.get(client_name(entry.pk), ())
    if found:
        return _as_logged(entry, found)
    beyond = [each for each in witnesses if each.reserved_utc >= entry.reserved_utc + MARGIN]
    if beyond and all(_is_there(each, known) for each in witnesses):
        return Settlement(Outcome.NOT_SENT)
    return None


def say_unavailable(account: Account, told: str) -> bool:
    """The org keeps its log from the connected user. Returns whether that is news."""
    is_news = not LogCheck.of(account).filter(told=told).exclude(unavailable_utc=None).exists()
    LogCheck.of(account).update(unavailable_utc=now_utc(), told=told)
    return is_news


def say_not_answered(account: Account, told: str) -> None:
    LogCheck.of(account).update(told=told)


def _as_logged(entry: Entry, found: Sequence[LoggedCall]) -> Settlement | None:
    counted = [call for call in found if call.is_counted]
    if not counted:  # another installation may give the same name, so the time must fit before a credit comes back
        return Settlement(Outcome.NOT_SENT) if any(_is_when(entry, call) for call in found) else None
    status = counted[0].status_code
    if status is None:
        return Settlement(Outcome.LOST)
    return Settlement(Outcome.ANSWERED if status < 400 else Outcome.REFUSED, status)


def _is_there(witness: Entry, known: Mapping[str, Sequence[LoggedCall]]) -> bool:
    return any(_is_when(witness, call) for call in known.get(client_name(witness.pk), ()))


def _is_when(entry: Entry, call: LoggedCall) -> bool:
    return abs(call.at_utc - entry.reserved_utc) <= CLOCKS_APART


def _witnesses(account: Account, entry: Entry) -> list[Entry]:
    """Answered calls of the same kind: the nearest on both sides, and the first beyond the margin."""
    alike = _of_this_org(account).filter(call_kind=entry.call_kind, state__in=_WITNESSES)
    before = alike.filter(pk__lt=entry.pk, reserved_utc__gt=entry.reserved_utc - ASK_FOR).order_by("-pk")
    after = alike.filter(pk__gt=entry.pk).order_by("pk")
    beyond = after.filter(reserved_utc__gte=entry.reserved_utc + MARGIN)
    chosen = [*before[:NEAR_WITNESSES], *after[:NEAR_WITNESSES], *beyond[:NEAR_WITNESSES]]
    return list({each.pk: each for each in chosen}.values())


def _askable(entries: QuerySet[Entry], moment: datetime) -> QuerySet[Entry]:
    return entries.filter(
        state=EntryState.ABANDONED, reserved_utc__gt=moment - ASK_FOR, reserved_utc__lte=moment - ASK_AFTER
    )


def _of_this_org(account: Account) -> QuerySet[Entry]:
    """What was spent before the account came to its org stands in another org's log."""
    came_utc = Allowance.of(account).values_list("new_org_utc", flat=True).first()
    entries = Entry.of(account)
    return entries.filter(reserved_utc__gt=came_utc) if came_utc else entries


def _claim(account: Account, now: datetime) -> bool:
    with transaction.atomic():
        row, _ = LogCheck.of(account).get_or_create(account=account)
        rested = Q(asked_utc=None) | Q(asked_utc__lte=now - ASK_EVERY)
        return LogCheck.of(account).filter(rested, pk=row.pk).update(asked_utc=now) == 1
