"""What an operator of this installation sees of all its accounts, asked from the rooms.

Not here: making accounts and inviting their admins (accounts/invitations.py), closing them (wiring.py), and the right
to see this (web/acting.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from headwater.accounts.models import Account
from headwater.accounts.services import members_of
from headwater.connections.models import Connection
from headwater.connections.services import connection_of
from headwater.credits.budget import Budget, budget_of
from headwater.credits.forecast import Forecast, forecast
from headwater.credits.reconcile import Drift, drift
from headwater.jobs.services import JobView, job_view, jobs_of
from headwater.watch import waiting_for_room


@dataclass(frozen=True, slots=True)
class AccountState:
    """`paused`: the newest job that waits for credits or for room in the org's allowances."""

    account: Account
    people: int
    connection: Connection | None
    budget: Budget
    forecast: Forecast
    drift: Drift
    last_job: JobView | None
    paused: JobView | None


def account_states() -> Iterator[AccountState]:
    """Every account by name, closed ones too."""
    for account in Account.objects.order_by("name"):
        last, waiting = jobs_of(str(account.pk)).first(), waiting_for_room(account).first()
        yield AccountState(
            account=account,
            people=members_of(account).count(),
            connection=connection_of(account),
            budget=budget_of(account),
            forecast=forecast(account),
            drift=drift(account),
            last_job=job_view(last) if last else None,
            paused=job_view(waiting) if waiting else None,
        )
