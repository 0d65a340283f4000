"""What an administrator does in Setup that a deployment cannot: remove a field, or give it another type.

No record's stamp moves, as in a real org.
"""

from dataclasses import replace

from orgsim.schema.model import Field
from orgsim.store.ddl import add_column
from orgsim.testing import RunningOrgsim

Stored = str | int | None


def add_field(org: RunningOrgsim, sobject: str, field: Field, value: Stored = None) -> None:
    """The field, with this value in every record."""
    org.production.add_field(org.production.catalog().get(sobject), field)
    fill_field(org, sobject, field.name, value)


def fill_field(org: RunningOrgsim, sobject: str, name: str, value: Stored) -> None:
    with org.production.database.write() as connection:
        connection.execute(f'UPDATE "{sobject}" SET "{name}" = ?', (value,))


def remove_field(org: RunningOrgsim, sobject: str, name: str) -> None:
    known = org.production.catalog().get(sobject)
    kept = tuple(each for each in known.fields if each.name != name)
    org.production.change_sobject(replace(known, fields=kept, index={}))


def retype_field(org: RunningOrgsim, sobject: str, field: Field, value: Stored) -> None:
    """Another type under the same name; its values are what Salesforce makes of them, here `value`."""
    known = org.production.catalog().get(sobject)
    with org.production.database.write() as connection:
        connection.execute(f'ALTER TABLE "{sobject}" DROP COLUMN "{field.name}"')
        connection.execute(add_column(known, field))
    org.production.change_sobject(known.with_field(field))
    fill_field(org, sobject, field.name, value)
