"""The accounts of this installation as Prometheus reads them, asked from the database at each scrape.

So every process tells the same numbers, and none of them is lost with a process. Labels are short names of accounts
and kinds of work; never a secret, a person or a record. Not here: who may read them (web/pages/metrics.py).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.credits.budget import budget_of
from headwater.credits.forecast import forecast
from headwater.credits.models import EntryState
from headwater.credits.reconcile import drift
from headwater.credits.spending import spending
from headwater.jobs.models import State
from headwater.jobs.services import jobs_of
from headwater.watch import waiting_for_room

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before any ledger
# Calls that are open or given up may still turn out to be something else: as counters they could go backwards.
SETTLED = (EntryState.ANSWERED, EntryState.REFUSED, EntryState.LOST)


class AccountsCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        accounts = list(Account.objects.filter(closed_utc=None).order_by("slug"))
        yield from _window_gauges(accounts)
        yield from _org_gauges(accounts)
        yield _calls(accounts)
        yield _jobs(accounts)
        yield _paused(accounts)


def registry() -> CollectorRegistry:
    made = CollectorRegistry(auto_describe=False)
    made.register(AccountsCollector())
    return made


def _window_gauges(accounts: Iterable[Account]) -> Iterator[Metric]:
    used = _gauge("credits_used", "API credits used in the running window.")
    limit = _gauge("credits_limit", "The Daily CRM API Limit.")
    left = _gauge("credits_left", "API credits that could be spent now: within the limit and above the org's floor.")
    ends = _gauge("credits_window_ends_timestamp_seconds", "When the limit resets, in Unix time.")
    expected = _gauge("credits_expected", "API credits that will have been used when the limit resets, by forecast.")
    for account in accounts:
        budget, name = budget_of(account), [account.slug]
        used.add_metric(name, budget.used_calls)
        limit.add_metric(name, budget.limit_calls)
        left.add_metric(name, budget.left_calls)
        ends.add_metric(name, budget.ends_utc.timestamp())
        expected.add_metric(name, forecast(account).expected_used_calls)
    yield from (used, limit, left, ends, expected)


def _org_gauges(accounts: Iterable[Account]) -> Iterator[Metric]:
    """Absent for an account until its org has spoken."""
    used = _gauge("org_calls_used", "API calls of all the org's users in its last 24 hours, as it last said.")
    limit = _gauge("org_calls_limit", "API calls that the org allows in 24 hours, as it last said.")
    floor = _gauge("org_calls_floor", "API calls of the org's allowance that are left to its other users.")
    heard = _gauge("org_heard_timestamp_seconds", "When the org last said so, in Unix time.")
    for account in accounts:
        found, budget, name = drift(account), budget_of(account), [account.slug]
        if found.at_utc and found.org_used_calls is not None and found.org_limit_calls is not None:
            used.add_metric(name, found.org_used_calls)
            limit.add_metric(name, found.org_limit_calls)
            heard.add_metric(name, found.at_utc.timestamp())
        if budget.floor_calls is not None:
            floor.add_metric(name, budget.floor_calls)
    yield from (used, limit, floor, heard)


def _calls(accounts: Iterable[Account]) -> Metric:
    calls = CounterMetricFamily(
        "headwater_calls",
        "Calls to Salesforce since the account was made, each one credit, by how they ended.",
        labels=["account", "job_kind", "call_kind", "outcome"],
    )
    for account in accounts:
        for row in spending(account, BEGINNING, now_utc(), by=["job_kind", "call_kind", "outcome"]):
            if row.outcome in SETTLED:
                calls.add_metric([account.slug, row.job_kind or "", row.call_kind or "", str(row.outcome)], row.calls)
    return calls


def _jobs(accounts: Iterable[Account]) -> Metric:
    jobs = _gauge("jobs", "Jobs, by state.", "state")
    for account in accounts:
        counted = Counter(jobs_of(str(account.pk)).values_list("state", flat=True))
        for state in State:
            jobs.add_metric([account.slug, state.value], counted[state.value])
    return jobs


def _paused(accounts: Iterable[Account]) -> Metric:
    paused = _gauge("jobs_paused", "Jobs that wait for credits or room in an org's allowance, by reason.", "reason")
    for account in accounts:
        reasons = Counter(waiting_for_room(account).values_list("reason_code", flat=True))
        for reason, jobs in sorted(reasons.items()):
            paused.add_metric([account.slug, reason], jobs)
    return paused


def _gauge(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"headwater_{name}", told, labels=["account", *labels])
