"""Apex triggers and their cost as the side door and the command `orgsim trigger` show and change them."""

from typing import Any

from orgsim.errors import ApiError, not_found
from orgsim.oauth.users import any_admin
from orgsim.rest.tooling.triggers import add_trigger, change_trigger, drop_trigger
from orgsim.schema.admin import APEX_TRIGGER
from orgsim.server.rules import sobject_named
from orgsim.store.org import Org
from orgsim.store.rows import Row, find_rows
from orgsim.store.triggers import cost_of, keep_cost
from orgsim.store.write import Writer

DEFAULT_EVENTS = ("before insert", "before update")
_SHOWN = ("Id", "Name", "TableEnumOrId", "Status")


def describe_triggers(org: Org) -> list[dict[str, object]]:
    rows = [row for status in ("Active", "Inactive") for row in _rows(org, "Status", status)]
    return [
        {
            **{name: row[name] for name in _SHOWN},
            "events": [name.removeprefix("Usage") for name, value in row.items() if name.startswith("Usage") and value],
            "cpu_ms_per_record": cost_of(org, str(row["Id"])),
        }
        for row in sorted(rows, key=lambda row: str(row["Name"]))
    ]


def set_trigger(org: Org, wish: dict[str, Any]) -> list[dict[str, object]]:
    """{"sobject", "name", "cpu_ms_per_record"} and, if wanted, "events", "active". One of that name is changed."""
    cost_ms = int(wish["cpu_ms_per_record"])
    if cost_ms < 0:
        raise ApiError("INVALID_INPUT", "A trigger cannot cost less than 0 ms")
    writer, sobject = Writer(org, any_admin(org)), sobject_named(org, wish["sobject"]).name
    values: dict[str, object] = {"Status": "Active" if wish.get("active", True) else "Inactive"}
    with org.database.write():
        known = _find(org, sobject, wish["name"])
        if known is None or wish.get("events"):
            values |= {"TableEnumOrId": sobject, "Body": _body(sobject, wish)}
        if known is not None:
            change_trigger(writer, known, values)
        keep_cost(org, str(known["Id"]) if known else add_trigger(writer, values), cost_ms)
    return describe_triggers(org)


def remove_trigger(org: Org, sobject: str, name: str) -> list[dict[str, object]]:
    known = _find(org, sobject, name)
    if known is None:
        raise not_found(f"{sobject} has no trigger {name}")
    drop_trigger(Writer(org, any_admin(org)), str(known["Id"]))
    return describe_triggers(org)


def _body(sobject: str, wish: dict[str, Any]) -> str:
    events = ", ".join(wish.get("events") or DEFAULT_EVENTS)
    return f"trigger {wish['name']} on {sobject} ({events}) {{\n}}\n"


def _find(org: Org, sobject: str, name: str) -> Row | None:
    found = (row for row in _rows(org, "Name", name) if str(row["TableEnumOrId"]).lower() == sobject.lower())
    return next(found, None)


def _rows(org: Org, field: str, value: str) -> list[Row]:
    return find_rows(org.database.connect(), APEX_TRIGGER, field, value)
