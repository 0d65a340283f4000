"""The first page after log-in: where the account stands and what to do next; and the switch between accounts."""

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from headwater.accounts.models import Account, Role
from headwater.accounts.services import events_of, members_of
from headwater.connections.models import Connection, Status
from headwater.connections.package import INSTALLING
from headwater.connections.preflight import count_of, latest_preflight, summary_of
from headwater.connections.preflight_rules import Level
from headwater.connections.services import connection_of
from headwater.credits.services import today
from headwater.export.services import written_counts
from headwater.results.services import Run, latest_run, revenue_by_channel
from headwater.sync.schedule import next_cycle_utc
from headwater.sync.services import ReplicaState, replica_state
from headwater.web.acting import CHOSEN_ACCOUNT, MemberRequest, PersonRequest, leave_entered, member_page, own_page


@dataclass(frozen=True, slots=True)
class Step:
    """One of the steps from an empty account to touchpoints in the org. `work`: the job that does it, if one does."""

    name: str
    sentence: str
    is_done: bool
    work: str = ""


@member_page
def overview(request: MemberRequest) -> HttpResponse:
    account = request.account
    connection, replica, run = connection_of(account), replica_state(account), latest_run(account)
    looked = latest_preflight(account)
    steps = _steps(account, connection, replica, run)
    facts = {
        "admins": [member.user for member in members_of(account).filter(role=Role.ADMIN)],
        "connection": connection,
        "preflight": summary_of(looked) if looked and count_of(looked, Level.MUST) else None,
        "replica": replica,
        "next_read_utc": next_cycle_utc(account),
        "run": run,
        "today": today(account),
        "steps": steps,
        "next_step": next((step for step in steps if not step.is_done), None),
        "revenue": revenue_by_channel(account) if run else None,
    }
    return render(request, "web/overview.html", facts)


def _steps(
    account: Account, connection: Connection | None, replica: ReplicaState | None, run: Run | None
) -> list[Step]:
    is_connected = connection is not None and connection.status == Status.CONNECTED
    is_written = any(written_counts(account).values())
    is_installed = is_written or events_of(account, INSTALLING).exists()
    return [
        Step("Connect", "Log in to the Salesforce org whose revenue is to be traced.", is_connected),
        Step("Sync", "Read the org into the local copy, within the Daily CRM API Limit.", replica is not None, "sync"),
        Step("Attribute", "Work out which touches led to which revenue. It is free.", run is not None, "attribute"),
        Step("Install", "Put Headwater's objects into the org, so that results can be written to it.", is_installed),
        Step("Export", "Write touchpoints back to where sales and marketing look.", is_written, "export"),
    ]


@require_POST
@own_page
def choose_account(request: PersonRequest, slug: str) -> HttpResponse:
    """Act for another of one's own accounts from now on."""
    chosen = [account for account in request.accounts if account.slug == slug]
    if not chosen:
        raise Http404(slug)
    leave_entered(request)
    request.session[CHOSEN_ACCOUNT] = chosen[0].pk
    return redirect("web:overview")
