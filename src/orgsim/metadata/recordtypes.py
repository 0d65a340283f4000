"""Keeps a record type, as a deployment brings it or the lever wants it. Not here: which a record may have."""

from dataclasses import dataclass

from orgsim.schema.model import SObject
from orgsim.store.recordtypes import record_types_of
from orgsim.store.rules import refuse_odd_name
from orgsim.store.write import Writer


@dataclass(frozen=True, slots=True)
class RecordTypeWish:
    """`is_default` None leaves the object's default as it is."""

    name: str
    label: str
    description: str = ""
    active: bool = True
    is_default: bool | None = None


def keep_record_type(writer: Writer, sobject: SObject, wish: RecordTypeWish) -> bool:
    """Whether it is new; one of that name is changed. Raises ApiError."""
    refuse_odd_name(wish.name)
    org = writer.org
    values: dict[str, object] = {"Name": wish.label, "Description": wish.description, "IsActive": wish.active}
    known = {each.developer_name.lower(): each.id for each in record_types_of(org, sobject)}
    record_id = known.get(wish.name.lower())
    with org.database.write():
        if record_id:
            writer.update("RecordType", record_id, values)
        else:
            kind = {"DeveloperName": wish.name, "SobjectType": sobject.name}
            record_id = writer.insert("RecordType", {**values, **kind})
        now = org.catalog().get(sobject.name)
        is_default = now.default_record_type_id == record_id
        if wish.is_default is not None and wish.is_default != is_default:
            org.change_sobject(now.with_default_record_type(record_id if wish.is_default else ""))
    return wish.name.lower() not in known
