"""What the org shows of the package, in one call: objects, fields, permission sets and what these grant.

Not here: what that means (compare.py). Fields that no permission set grants to the connected user are hidden from
describes (facts C.8), so what our sets grant is asked too: a grant exists only as long as its field does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headwater.connections.package.definition import (
    FIELDS,
    PERMISSION_SET,
    PERMISSION_SETS,
    VERSION_MARK,
)
from headwater.salesforce.rest import Org, Record

_DOING = "asking what of Headwater's package is there"
_BEFORE_MARKS = 1  # the version that left no mark in the org
_MARK = re.compile(rf"{VERSION_MARK} (\d+)\b")
OBJECT_RIGHTS = {
    "allowCreate": "PermissionsCreate",
    "allowDelete": "PermissionsDelete",
    "allowEdit": "PermissionsEdit",
    "allowRead": "PermissionsRead",
    "modifyAllRecords": "PermissionsModifyAllRecords",
    "viewAllRecords": "PermissionsViewAllRecords",
}


@dataclass(slots=True)
class SeenSet:
    """A permission set as it is in the org. `fields`: whether editable, by `Object.Field`; `objects`: their rights."""

    id: str
    label: str
    description: str
    is_assigned: bool
    fields: dict[str, bool] = field(default_factory=dict)
    objects: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """`sets` is None where the connected user may not look at permission sets (View Setup)."""

    describes: Mapping[str, Mapping[str, Any]]
    sets: Mapping[str, SeenSet] | None

    @property
    def version(self) -> int | None:
        """As the Administrator set tells it; None where it is not there, or not shown."""
        administrator = self.administrator
        if administrator is None:
            return None
        return version_in(administrator.description)

    @property
    def administrator(self) -> SeenSet | None:
        return (self.sets or {}).get(PERMISSION_SET)

    def granted(self) -> frozenset[str]:
        """Objects and fields that exist, hidden or not, because one of our sets grants them."""
        sets = (self.sets or {}).values()
        return frozenset(name for each in sets for name in (*each.fields, *each.objects))

    def visible_fields(self, sobject: str) -> dict[str, Mapping[str, Any]]:
        fields = self.describes[sobject]["fields"] if sobject in self.describes else ()
        return {each["name"]: each for each in fields}


def version_in(description: str) -> int:
    """The version that the Administrator set's description is marked with."""
    mark = _MARK.search(description)
    return int(mark[1]) if mark else _BEFORE_MARKS


def look(org: Org, user_id: str) -> Seen:
    """One credit."""
    names = ", ".join(f"'{each.name}'" for each in PERMISSION_SETS)
    assigned = f"Id, Name, Label, Description, (SELECT Id FROM Assignments WHERE AssigneeId = '{user_id}')"  # noqa: S608 - SOQL
    rights = ", ".join(OBJECT_RIGHTS.values())
    describes, answers = org.describe_and_query(
        list(FIELDS),
        [
            f"SELECT {assigned} FROM PermissionSet WHERE Name IN ({names})",  # noqa: S608
            f"SELECT Parent.Name, Field, PermissionsEdit FROM FieldPermissions WHERE Parent.Name IN ({names})",  # noqa: S608
            f"SELECT Parent.Name, SobjectType, {rights} FROM ObjectPermissions WHERE Parent.Name IN ({names})",  # noqa: S608
        ],
        _DOING,
    )
    return Seen(describes, _sets(answers))


def _sets(answers: Sequence[list[Record] | None]) -> dict[str, SeenSet] | None:
    rows, fields, objects = answers
    if rows is None or fields is None or objects is None:
        return None
    sets = {
        row["Name"]: SeenSet(row["Id"], row["Label"], row["Description"] or "", row["Assignments"] is not None)
        for row in rows
    }
    for row in fields:
        sets[row["Parent"]["Name"]].fields[row["Field"]] = row["PermissionsEdit"]
    for row in objects:
        granted = frozenset(tag for tag, column in OBJECT_RIGHTS.items() if row[column])
        sets[row["Parent"]["Name"]].objects[row["SobjectType"]] = granted
    return sets
