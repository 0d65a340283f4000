"""Does the org count as we do: our own ledger beside what the org last said of itself.

The org's number is of its rolling 24 hours and of all its users, and it wavers (facts B.2, B.3); so ours is counted
over the same 24 hours. Not here: guarding the org's allowance.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Q

from headwater.accounts.models import Account
from headwater.credits.allowance import NOISE_CALLS, ORG_WINDOW
from headwater.credits.models import UNANSWERED, Allowance, EntryState
from headwater.credits.readings import last_of_limits
from headwater.credits.spending import calls_between

EDGE = timedelta(hours=1)  # how finely the org's window moves is not documented: the oldest hour may have left it
INSTANT = timedelta(microseconds=1)  # the span ends with the moment of the answer


class Verdict(StrEnum):
    """UNKNOWN: the org has not spoken. OTHERS: it counts more, calls of its other users. LESS: it counts fewer."""

    UNKNOWN = "unknown"
    AGREES = "agrees"
    OTHERS = "others"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Drift:
    """Calls in the 24 hours before `at_utc`, when the org last spoke. `org_*` and `difference_calls` None: it has not.

    own_calls         by our ledger; `unanswered_calls` of them got no answer, so the org may not have seen them,
                      `edge_calls` were sent in the first of the 24 hours, so it may have dropped them
    difference_calls  the org's number less ours
    others_calls      of the org's number, what is not ours
    limits_used_calls what `/limits` said at `limits_at_utc`; None where it was not asked in 24 hours, or not shown
    unexplained_calls how many calls the org counts too few, beyond what those and noise explain
    """

    at_utc: datetime | None
    own_calls: int
    unanswered_calls: int
    edge_calls: int
    org_used_calls: int | None
    org_limit_calls: int | None
    difference_calls: int | None
    others_calls: int
    noise_calls: int
    unexplained_calls: int
    verdict: Verdict
    sentence: str
    limits_used_calls: int | None = None
    limits_at_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """Our calls in the org's 24 hours; `sure_calls` of `calls` were answered, and not in the first of the hours."""

    calls: int = 0
    sure_calls: int = 0
    unanswered_calls: int = 0
    edge_calls: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """What the org said of itself, when."""

    used_calls: int
    limit_calls: int
    at_utc: datetime


def drift(account: Account) -> Drift:
    """Costs nothing: what was heard is compared with what was written down."""
    heard = _last_heard(account)
    if heard is None:
        said = "The org has not said yet how many calls it counts; it does with its next answer."
        return Drift(None, 0, 0, 0, None, None, None, 0, NOISE_CALLS, 0, Verdict.UNKNOWN, said)
    found = judge(heard, _own_calls(account, heard.at_utc))
    limits = last_of_limits(account)
    return replace(found, limits_used_calls=limits.used_calls, limits_at_utc=limits.read_utc) if limits else found


def judge(heard: Heard, own: Own) -> Drift:
    difference = heard.used_calls - own.calls
    unexplained = max(0, own.sure_calls - NOISE_CALLS - heard.used_calls)
    verdict = Verdict.OTHERS if difference > NOISE_CALLS else Verdict.AGREES
    verdict = Verdict.LESS if unexplained else verdict
    return Drift(
        at_utc=heard.at_utc,
        own_calls=own.calls,
        unanswered_calls=own.unanswered_calls,
        edge_calls=own.edge_calls,
        org_used_calls=heard.used_calls,
        org_limit_calls=heard.limit_calls,
        difference_calls=difference,
        others_calls=max(0, difference),
        noise_calls=NOISE_CALLS,
        unexplained_calls=unexplained,
        verdict=verdict,
        sentence=_SENTENCES[verdict].format(
            org=heard.used_calls,
            own=own.calls,
            more=difference,
            fewer=-difference,
            unanswered=own.unanswered_calls,
            edge=own.edge_calls,
            noise=NOISE_CALLS,
            at=f"{heard.at_utc:%Y-%m-%d %H:%M} UTC",
        ),
    )


_SENTENCES = {
    Verdict.AGREES: (
        "The org counted {org:,} calls in the 24 hours before {at}, Headwater {own:,}: they agree, "
        "as the org's number wavers by about {noise}."
    ),
    Verdict.OTHERS: (
        "The org counted {org:,} calls in the 24 hours before {at}, {own:,} of them Headwater's; "
        "the other {more:,} are by its other users and programs."
    ),
    Verdict.LESS: (
        "The org counted {org:,} calls in the 24 hours before {at}, {fewer:,} fewer than Headwater, which sent {own:,} "
        "({unanswered:,} without an answer, {edge:,} about to leave its 24 hours). Its number wavers by about {noise}; "
        "the rest it did not count. Headwater goes by its own, higher number."
    ),
}


def _own_calls(account: Account, until_utc: datetime) -> Own:
    since = _in_this_org_since(account, until_utc - ORG_WINDOW)
    unanswered, at_edge = Q(state__in=UNANSWERED), Q(reserved_utc__lte=since + EDGE)
    sent = calls_between(account, since + INSTANT, until_utc + INSTANT).exclude(state=EntryState.NOT_SENT)
    counted = sent.aggregate(
        calls=Count("pk"),
        sure_calls=Count("pk", filter=~unanswered & ~at_edge),
        unanswered_calls=Count("pk", filter=unanswered),
        edge_calls=Count("pk", filter=at_edge),
    )
    return Own(**counted)


def _in_this_org_since(account: Account, since_utc: datetime) -> datetime:
    """What was spent before the account came to its org was spent in another."""
    came_utc = Allowance.of(account).values_list("new_org_utc", flat=True).first()
    return max(since_utc, came_utc) if came_utc else since_utc


def _last_heard(account: Account) -> Heard | None:
    row = Allowance.of(account).first()
    if row is None or row.said_calls is None or row.limit_calls is None or row.heard_utc is None:
        return None
    return Heard(row.said_calls, row.limit_calls, row.heard_utc)
