"""What of the package is in the org, as the connected user sees it. Not here: changing it (install.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headwater.accounts.models import Account
from headwater.connections.package.definition import FIELDS, PERMISSION_SET
from headwater.connections.services import connection_of, session
from headwater.connections.tokens import not_connected
from headwater.salesforce.rest import Org
from headwater.salesforce.transport import Transport

INSTALLING = "package.install"


@dataclass(frozen=True, slots=True)
class Installed:
    """What of the package the connected user can see; `missing` names objects and `Object.Field`s.

    `is_ungranted`: the permission set is in the org and the connected user does not have it, which hides all it grants.
    """

    missing: tuple[str, ...]
    is_ungranted: bool = False

    @property
    def is_complete(self) -> bool:
        return not self.missing


def installed(account: Account) -> Installed:
    """Ask the org which of our objects and fields are there: one credit, one more for why some are missing."""
    with session(account, job_kind=INSTALLING) as transport:
        return installed_in(transport, account)


def installed_in(transport: Transport, account: Account) -> Installed:
    """The same, in a session that is open already."""
    org = Org(transport)
    found = org.describe([*FIELDS, "PermissionSet"])
    missing = _missing(found)
    if not missing or "PermissionSet" not in found:  # who does not see Setup cannot be told why
        return Installed(missing)
    grant = grant_of(org, user_id_of(account))
    return Installed(missing, is_ungranted=grant is not None and not grant.is_assigned)


def _missing(found: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    missing = []
    for sobject, fields in FIELDS.items():
        if sobject not in found:
            missing.append(sobject)
            continue
        seen = {field["name"] for field in found[sobject]["fields"]}
        missing.extend(f"{sobject}.{field.name}" for field in fields if field.name not in seen)
    return tuple(missing)


def why_missing(state: Installed) -> str:
    """For whoever reads a message about an installation that is not complete."""
    if state.is_ungranted:
        return f"They are in the org, and the connected user does not have the permission set {PERMISSION_SET}."
    named = ", ".join(state.missing[:5])
    further = f" and {len(state.missing) - 5} more" if len(state.missing) > 5 else ""
    return f"Missing, or hidden from the connected user: {named}{further}."


@dataclass(frozen=True, slots=True)
class Grant:
    permission_set_id: str
    is_assigned: bool


def user_id_of(account: Account) -> str:
    row = connection_of(account)
    if row is None:
        raise not_connected()
    return row.user_id


def grant_of(org: Org, user_id: str) -> Grant | None:
    """Our permission set, and whether the user has it; None where it is not in the org. One credit."""
    rows = org.query(
        f"SELECT Id, (SELECT Id FROM Assignments WHERE AssigneeId = '{user_id}') "  # noqa: S608 - SOQL
        f"FROM PermissionSet WHERE Name = '{PERMISSION_SET}'",
        "asking who has Headwater's permission set",
    )
    return Grant(rows[0]["Id"], rows[0]["Assignments"] is not None) if rows else None
