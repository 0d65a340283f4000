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
from headwater.credits.services import today
from headwater.jobs.services import JobView, job_view, jobs_of


@dataclass(frozen=True, slots=True)
class AccountState:
    account: Account
    people: int
    connection: Connection | None
    used_calls: int  # in the current window of 24 hours
    limit_calls: int
    last_job: JobView | None


def account_states() -> Iterator[AccountState]:
    """Every account by name, closed ones too."""
    for account in Account.objects.order_by("name"):
        spent, last = today(account), jobs_of(str(account.pk)).first()
        yield AccountState(
            account=account,
            people=members_of(account).count(),
            connection=connection_of(account),
            used_calls=spent.used_calls,
            limit_calls=spent.limit_calls,
            last_job=job_view(last) if last else None,
        )
