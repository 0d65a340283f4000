"""Record-triggered flows as the side door and the command `orgsim flow` show and change them. No flow ever runs."""

from typing import Any

from orgsim.errors import ApiError, not_found
from orgsim.oauth.users import any_admin, usernames
from orgsim.schema.admin import FLOW_DEFINITION_VIEW
from orgsim.server.rules import sobject_named
from orgsim.store.org import Org
from orgsim.store.rows import Row, erase_row, find_rows, insert_row, update_row
from orgsim.store.rules import refuse_odd_name

WHEN = {"before save": "RecordBeforeSave", "after save": "RecordAfterSave", "before delete": "RecordBeforeDelete"}
ON = {"create": "Create", "update": "Update", "create or update": "CreateAndUpdate", "delete": "Delete"}
_PROCESS = "Workflow"  # made with Process Builder: it tells neither its object nor its events (facts C.28)
_DEFINITION_PREFIX, _VERSION_PREFIX = "300", "301"
_SHOWN = (
    "ApiName",
    "Label",
    "ProcessType",
    "TriggerObjectOrEventId",
    "TriggerType",
    "RecordTriggerType",
    "IsActive",
    "VersionNumber",
)


def describe_flows(org: Org) -> list[dict[str, object]]:
    rows = [row for active in (1, 0) for row in _rows(org, "IsActive", active)]
    ordered = sorted(rows, key=lambda row: str(row["ApiName"]))
    return [{**{name: row[name] for name in _SHOWN}, "IsActive": bool(row["IsActive"])} for row in ordered]


def set_flow(org: Org, wish: dict[str, Any]) -> list[dict[str, object]]:
    """{"sobject", "name"} and, if wanted, "when", "on", "label", "process", "active".

    A flow of that name gets a new version.
    """
    sobject = sobject_named(org, wish["sobject"])
    refuse_odd_name(wish["name"])
    now, is_active = org.now_text(), bool(wish.get("active", True))
    with org.database.write() as connection:
        if org.catalog().find(FLOW_DEFINITION_VIEW.name) is None:  # the org is older than this object
            org.add_sobjects([FLOW_DEFINITION_VIEW])
        known = _find(org, wish["name"])
        version_id = org.new_id(_VERSION_PREFIX)
        values: Row = {
            "Label": wish.get("label") or wish["name"].replace("_", " "),
            "IsActive": int(is_active),
            "LatestVersionId": version_id,
            "ActiveVersionId": version_id if is_active else None,
            "VersionNumber": int(str(known["VersionNumber"])) + 1 if known else 1,
            "LastModifiedBy": usernames(org)[any_admin(org)],
            "LastModifiedDate": now,
            **_start(sobject.name, sobject.label, wish),
        }
        if known is not None:
            update_row(connection, FLOW_DEFINITION_VIEW, str(known["Id"]), values)
        else:
            insert_row(connection, FLOW_DEFINITION_VIEW, {**_new(org, wish["name"]), **values})
    return describe_flows(org)


def remove_flow(org: Org, sobject: str, name: str) -> list[dict[str, object]]:
    known = _find(org, name)
    if known is None or str(known["TriggerObjectOrEventId"] or sobject).lower() != sobject.lower():
        raise not_found(f"{sobject} has no flow {name}")
    with org.database.write() as connection:
        erase_row(connection, FLOW_DEFINITION_VIEW, str(known["Id"]))
    return describe_flows(org)


def _start(sobject: str, label: str, wish: dict[str, Any]) -> Row:
    """What makes it run: for a process nothing of it is told."""
    if wish.get("process"):
        told = ("TriggerType", "RecordTriggerType", "TriggerObjectOrEventId", "TriggerObjectOrEventLabel")
        return {"ProcessType": _PROCESS, **dict.fromkeys(told)}
    when, on = wish.get("when") or "after save", wish.get("on") or "update"
    if when not in WHEN or on not in ON or (when == "before delete") != (on == "delete"):
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", f"A flow cannot run {when} on {on}")
    return {
        "ProcessType": "AutoLaunchedFlow",
        "TriggerType": WHEN[when],
        "RecordTriggerType": ON[on],
        "TriggerObjectOrEventId": sobject,
        "TriggerObjectOrEventLabel": label,
    }


def _new(org: Org, name: str) -> Row:
    return {
        "Id": org.new_id(FLOW_DEFINITION_VIEW.key_prefix),
        "DurableId": org.new_id(_DEFINITION_PREFIX),
        "ApiName": name,
        "IsOutOfDate": 0,
        "IsTemplate": 0,
        "Builder": "Flow Builder",
        "ManageableState": "unmanaged",
        "ApiVersion": 60,
    }


def _find(org: Org, name: str) -> Row | None:
    return next(iter(_rows(org, "ApiName", name)), None)


def _rows(org: Org, field: str, value: str | int) -> list[Row]:
    if org.catalog().find(FLOW_DEFINITION_VIEW.name) is None:
        return []
    return find_rows(org.database.connect(), FLOW_DEFINITION_VIEW, field, value)
