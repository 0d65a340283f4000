"""Installs or updates the package as a job: look, deploy what is missing, assign the Administrator set, look again.

A deployment that was begun is followed to its end, by whichever worker: its id is a step's result. Not here: the
files (files.py) and what is missing (compare.py).
"""

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Any

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.connections.metadata_xml import zipped
from headwater.connections.package.compare import Comparison, PackageState
from headwater.connections.package.definition import ADMINISTRATOR, VERSION
from headwater.connections.package.files import files
from headwater.connections.package.state import INSTALLING, look_and_keep
from headwater.connections.package.writing import require_writing
from headwater.connections.services import connection_of, job_session
from headwater.connections.tokens import not_connected
from headwater.credits.prices import poll_delay_seconds
from headwater.jobs.running import Cancelled, RunningJob
from headwater.salesforce.deploy import DeployStatus, cancel_deploy, deploy_status, start_deploy
from headwater.salesforce.rest import Org
from headwater.salesforce.transport import Transport

POLLS_IN_A_ROW = 15  # ten minutes; then the worker turns to other jobs for a while
_LOOK_AGAIN = timedelta(minutes=5)
_PROBLEMS_NAMED = 5


def run_install(job: RunningJob, account: Account, *, actor: str) -> dict[str, Any]:
    """Returns what was created and changed, and how the package stands. Raises Fix with the org's own words."""
    require_writing(account)
    with job_session(account, job, job_kind=INSTALLING) as transport:
        deployed = _deploy(job, transport, account, actor)
        stands = job.step("package: assign", lambda: _assign(transport, account))
    return {"version": VERSION, **deployed, **stands}


def _deploy(job: RunningJob, transport: Transport, account: Account, actor: str) -> dict[str, Any]:
    """Deployments by number: a job that is retried after a refusal looks and sends anew."""
    number = 1
    while True:
        names = job.step(f"package: what is missing {number}", lambda: _missing(transport, account))
        if not names:
            return {"created": [], "changed": []}
        send = partial(_send, job, transport, account, names)
        deploy_id = job.step(f"package: send {number}", send)
        follow = partial(_follow, job, transport, deploy_id)
        had_ended = job.has_done(f"package: deployed {number}")
        ended = job.step(f"package: deployed {number}", follow, partial(_record, account, actor))
        if ended["is_success"]:
            return {"created": ended["created"], "changed": ended["changed"]}
        if not had_ended:
            raise _refused(ended["problems"])
        number += 1


def _missing(transport: Transport, account: Account) -> list[str]:
    _, found = look_and_keep(transport, account)
    if found.is_refused:
        raise newer_in_org(found) if found.state is PackageState.NEWER else name_taken(found)
    return [each.name for each in found.to_deploy]


def _send(job: RunningJob, transport: Transport, account: Account, names: list[str]) -> str:
    """The deployment's id; empty where another worker died between sending and noting it, and it came through.

    Where that one is still under way, the org gets the same files once more, and does the same nothing with them.
    """
    if job.attempt > 1 and not _missing(transport, account):
        return ""
    return start_deploy(transport, zipped(files(names))).id


def _follow(job: RunningJob, transport: Transport, deploy_id: str) -> DeployStatus:
    if not deploy_id:
        return DeployStatus(id="", is_done=True, is_success=True, status="Succeeded")
    for poll in range(POLLS_IN_A_ROW):
        try:
            job.pause(poll_delay_seconds(poll))
        except Cancelled:
            cancel_deploy(transport, deploy_id)
            raise
        status = deploy_status(transport, deploy_id)
        tests = f", {status.tests_done} of {status.tests_total} tests" if status.tests_total else ""
        job.progress(status.components_done, status.components_total or None, "components", f"{status.status}{tests}")
        if status.is_done:
            return status
    raise _still_deploying(deploy_id)


def _record(account: Account, actor: str, status: DeployStatus) -> dict[str, Any]:
    if status.is_success:
        told = f"version {VERSION}: {len(status.created)} created, {len(status.changed)} changed"
        record_event(account, actor=actor, action=INSTALLING, after=told)
    return asdict(status)


def _assign(transport: Transport, account: Account) -> dict[str, Any]:
    """What a deploy creates nobody sees, administrators neither, until it is granted and assigned (facts C.8)."""
    seen, found = look_and_keep(transport, account)
    administrator = seen.administrator
    if administrator is None:
        raise _not_assigned(f"The org does not show the permission set {ADMINISTRATOR.name}.")
    if administrator.is_assigned:
        return {"assigned": False, "state": found.state.value}
    _assign_to_connected(transport, account, administrator.id)
    _, found = look_and_keep(transport, account)
    return {"assigned": True, "state": found.state.value}


def _assign_to_connected(transport: Transport, account: Account, permission_set_id: str) -> None:
    row = connection_of(account)
    if row is None:
        raise not_connected()
    assignment = {"PermissionSetId": permission_set_id, "AssigneeId": row.user_id}
    [result] = Org(transport).insert("PermissionSetAssignment", [assignment])
    refused = [error for error in result.errors if error.status_code != "DUPLICATE_VALUE"]  # somebody was faster
    if refused:
        raise _not_assigned("; ".join(f"{error.status_code}: {error.message}" for error in refused))
    told = f"{ADMINISTRATOR.name} to {row.username}"
    record_event(account, actor="headwater", action="package.assigned", after=told)


def newer_in_org(found: Comparison) -> Fix:
    return Fix(
        "connections.package_newer",
        f"The org has version {found.version} of Headwater's package, which is newer than this Headwater's {VERSION}.",
        Facts(
            why="A newer Headwater installed it. Putting an older one over it would take away what that one writes.",
            left="Nothing was changed in the org.",
            you_can="update this Headwater, or let the newer one alone write to this org",
        ),
    )


def name_taken(found: Comparison) -> Fix:
    told = "; ".join(f"{each.name}: {', '.join(each.details)}" for each in found.clashes[:_PROBLEMS_NAMED])
    return Fix(
        "connections.package_name_taken",
        "The org has objects or fields of these names that are not Headwater's.",
        Facts(
            why=f"{told}.",
            left="Nothing was deployed, and what is there was not touched.",
            you_can="rename or remove them in Setup > Object Manager, or choose Read only and report in the app",
        ),
    )


def _refused(problems: list[list[str]]) -> Fix:
    named = "; ".join(f"{name}: {problem}" if name else problem for name, problem in problems[:_PROBLEMS_NAMED])
    further = f"; and {len(problems) - _PROBLEMS_NAMED} more" if len(problems) > _PROBLEMS_NAMED else ""
    return Fix(
        "connections.package_refused",
        "The org did not install Headwater's package.",
        Facts(
            why=f"{named}{further}" or "The deployment was cancelled in the org.",
            left="Nothing was installed: a deployment is put in whole or not at all.",
            you_can="change in the org what its words above name and install again, or deploy the files by hand",
        ),
    )


def _still_deploying(deploy_id: str) -> Wait:
    retry_utc = now_utc() + _LOOK_AGAIN
    return Wait(
        "connections.package_deploying",
        "The org is still at work on the installation.",
        retry_utc=retry_utc,
        facts=Facts(
            why=f"Deployment {deploy_id} has not ended; other deployments may stand before it.",
            left="Nothing is sent twice.",
            next=f"Headwater asks again at {retry_utc:%H:%M} UTC.",
            you_can="look at Setup > Deployment Status in the org",
        ),
    )


def _not_assigned(why: str) -> Fix:
    return Fix(
        "connections.package_not_assigned",
        "Headwater's objects are installed, but the connected user could not be given the right to use them.",
        Facts(
            why=why,
            left="The objects are in the org. Nothing is written to them.",
            you_can=f"assign the permission set {ADMINISTRATOR.label} to the connected user in Setup > Permission "
            "Sets, or grant 'Assign Permission Sets' and install again",
        ),
    )
