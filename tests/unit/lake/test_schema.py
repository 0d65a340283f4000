"""A column has the type that Salesforce's own type calls for, and what has no place here is known."""

import pytest

from headwater.lake import CanonicalType, Column, TableSchema, can_hold, canonical_type


def test_each_of_salesforces_types_has_one_here() -> None:
    text, number = CanonicalType.STRING, CanonicalType.DOUBLE
    expected = {
        "id": text, "reference": text, "picklist": text, "textarea": text, "time": text, "anyType": text,
        "currency": CanonicalType.DECIMAL, "long": CanonicalType.DECIMAL,
        "percent": number, "int": number, "double": number, "boolean": CanonicalType.BOOLEAN,
        "date": CanonicalType.DATE, "datetime": CanonicalType.TIMESTAMP,
    }  # fmt: skip
    assert {kind: canonical_type(kind) for kind in expected} == expected
    assert all(can_hold(kind) for kind in expected)


@pytest.mark.parametrize("kind", ["address", "location", "base64", "complexvalue", "of tomorrow"])
def test_what_it_cannot_hold_is_known_rather_than_guessed(kind: str) -> None:
    assert not can_hold(kind)


def test_a_row_has_its_id_first() -> None:
    name = Column("Name", CanonicalType.STRING)
    with pytest.raises(ValueError, match="first column of Thing must be Id"):
        TableSchema("Thing", (name,))
    assert TableSchema("Thing", (Column("Id", CanonicalType.STRING), name)).names == ("Id", "Name")
