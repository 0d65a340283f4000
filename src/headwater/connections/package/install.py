"""Puts the package into the org and gives the connected user its permission set. Not here: the files (files.py)."""

import time
from collections.abc import Callable

from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.errors import Facts, Fix
from headwater.connections.metadata_xml import zipped
from headwater.connections.package.definition import FIELDS, PERMISSION_SET
from headwater.connections.package.files import files
from headwater.connections.package.state import INSTALLING, grant_of, user_id_of
from headwater.connections.services import session
from headwater.salesforce.deploy import deploy_status, start_deploy
from headwater.salesforce.rest import Org
from headwater.salesforce.transport import Transport

_POLL_SECONDS = 2.0
_POLLS_MAX = 60


def install(account: Account, *, actor: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Deploy the package, wait for the org to finish, and give the connected user its permission set.

    Raises Fix with the org's own words where it refuses one or the other.
    """
    with session(account, job_kind=INSTALLING) as transport:
        _deploy(transport, sleep)
        record_event(account, actor=actor, action=INSTALLING, before="", after=", ".join(FIELDS))
        _assign(Org(transport), user_id_of(account))


def _deploy(transport: Transport, sleep: Callable[[float], None]) -> None:
    status = start_deploy(transport, zipped(files()))
    for _ in range(_POLLS_MAX):
        if status.is_done:
            break
        sleep(_POLL_SECONDS)
        status = deploy_status(transport, status.id)
    if not (status.is_done and status.is_success):
        raise Fix(
            "connections.package_refused",
            "The org did not install Headwater's objects.",
            Facts(
                why="; ".join(status.problems) or "The installation did not finish in time.",
                left="Nothing was installed: a deploy is put in whole or not at all.",
                you_can="grant 'Customize Application' and 'Modify Metadata', or deploy the files by hand",
            ),
        )


def _assign(org: Org, user_id: str) -> None:
    """What a deploy creates nobody sees, administrators neither, until it is granted and assigned (facts C.8)."""
    grant = grant_of(org, user_id)
    if grant is None:
        raise _not_assigned(f"The org does not show the permission set {PERMISSION_SET}.")
    if grant.is_assigned:
        return
    [result] = org.insert(
        "PermissionSetAssignment", [{"PermissionSetId": grant.permission_set_id, "AssigneeId": user_id}]
    )
    refused = [error for error in result.errors if error.status_code != "DUPLICATE_VALUE"]  # somebody was faster
    if refused:
        raise _not_assigned("; ".join(f"{error.status_code}: {error.message}" for error in refused))


def _not_assigned(why: str) -> Fix:
    return Fix(
        "connections.package_not_assigned",
        "Headwater's objects are installed, but the connected user could not be given the right to use them.",
        Facts(
            why=why,
            left="The objects are in the org. Nothing is written to them.",
            you_can=f"assign the permission set {PERMISSION_SET} to the connected user in Setup > Permission Sets, "
            "or grant 'Assign Permission Sets' and install again",
        ),
    )
