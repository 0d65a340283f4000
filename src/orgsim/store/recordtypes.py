"""Record types of an object: what there are, and which a record may have (facts C.26).

They are rows of RecordType. A custom object has a field RecordTypeId from its first record type on.
"""

from orgsim.errors import ApiError
from orgsim.schema.declare import reference
from orgsim.schema.describe import MASTER_RECORD_TYPE_ID
from orgsim.schema.model import RecordTypeInfo, SObject
from orgsim.store.org import Org
from orgsim.store.rows import Row, find_rows, read_row

FIELD = "RecordTypeId"
_KEY_PREFIX = "012"


def record_types_of(org: Org, sobject: SObject) -> list[RecordTypeInfo]:
    """By label."""
    rows = find_rows(org.database.connect(), org.catalog().get("RecordType"), "SobjectType", sobject.name)
    infos = (
        RecordTypeInfo(
            str(row["Id"]),
            str(row["DeveloperName"]),
            str(row["Name"]),
            active=bool(row["IsActive"]),
            is_default=row["Id"] == sobject.default_record_type_id,
        )
        for row in rows
    )
    return sorted(infos, key=lambda info: info.label)


def open_object(org: Org, row: Row) -> None:
    """A record type is saved: a custom object gets the field for it, and any object a new describe. Raises ApiError."""
    sobject = org.catalog().find(str(row["SobjectType"]))
    if sobject is None or not (sobject.custom or sobject.find(FIELD)):
        message = f"Sobject Type Name: bad value for restricted picklist field: {row['SobjectType']}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=("SobjectType",))
    row["SobjectType"] = sobject.name
    if sobject.find(FIELD) is None:
        org.add_field(sobject, reference(FIELD, "RecordType"))
    else:
        org.change_sobject(sobject)


def settle_record_type(org: Org, sobject: SObject, row: Row, old: Row | None) -> None:
    """Gives a new record the default, and refuses what is no active record type of the object."""
    if sobject.find(FIELD) is None:
        return
    if old is None and row.get(FIELD) is None:
        row[FIELD] = sobject.default_record_type_id or None
    if row.get(FIELD) == MASTER_RECORD_TYPE_ID:
        row[FIELD] = None
    wanted = row.get(FIELD)
    if wanted is None or (old is not None and old.get(FIELD) == wanted) or not str(wanted).startswith(_KEY_PREFIX):
        return  # an id of another kind is refused as any reference is
    found = read_row(org.database.connect(), org.catalog().get("RecordType"), str(wanted))
    if found is None or found["SobjectType"] != sobject.name or not found["IsActive"]:
        message = f"Record Type ID: this ID value isn't valid for the user: {wanted}"
        raise ApiError("INVALID_CROSS_REFERENCE_KEY", message, fields=(FIELD,))
