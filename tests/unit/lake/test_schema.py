"""A schema comes from describe alone."""

from typing import Any

import pytest

from headwater.common.errors import Fix
from headwater.lake import CanonicalType, Column, schema_from_describe


def describe(**types: str) -> dict[str, Any]:
    return {"name": "Thing", "fields": [{"name": name, "type": kind} for name, kind in types.items()]}


def test_it_takes_the_types_from_describe() -> None:
    types = {
        "Id": "id", "OwnerId": "reference", "Status": "picklist", "Body": "textarea", "At": "time",
        "Amount": "currency", "Share": "percent", "Count": "int", "Weight": "double", "IsOn": "boolean",
        "CloseDate": "date", "Made": "datetime",
    }  # fmt: skip
    schema = schema_from_describe(describe(**types), list(types))
    text, number = CanonicalType.STRING, CanonicalType.DOUBLE
    assert [column.type for column in schema.columns] == [
        text, text, text, text, text, CanonicalType.DECIMAL,
        number, number, number, CanonicalType.BOOLEAN, CanonicalType.DATE, CanonicalType.TIMESTAMP,
    ]  # fmt: skip


def test_it_adds_id_first_and_the_columns_that_tell_change_where_the_object_has_them() -> None:
    shown = describe(Name="string", SystemModstamp="datetime", IsDeleted="boolean", Id="id")
    assert schema_from_describe(shown, ["Name"]).names == ("Id", "Name", "SystemModstamp", "IsDeleted")
    assert schema_from_describe(describe(Id="id", Name="string"), ["Name"]).names == ("Id", "Name")


def test_it_uses_salesforces_spelling_and_leaves_out_what_was_not_asked_for() -> None:
    schema = schema_from_describe(describe(Id="id", LeadSource="picklist", Fax="phone"), {"leadsource"})
    assert schema.columns[1:] == (Column("LeadSource", CanonicalType.STRING),)


def test_it_names_all_missing_fields_at_once() -> None:
    with pytest.raises(Fix, match=r"2 of the fields .* Budget__c, Region__c\.") as caught:
        schema_from_describe(describe(Id="id"), ["Region__c", "Budget__c"])
    assert caught.value.code == "lake.fields_missing"


def test_it_refuses_types_it_cannot_hold_rather_than_guess() -> None:
    with pytest.raises(Fix, match=r"MailingAddress \(address\), Photo \(base64\)") as caught:
        schema_from_describe(describe(Id="id", MailingAddress="address", Photo="base64"), ["MailingAddress", "Photo"])
    assert caught.value.code == "lake.field_type_unknown"
