"""What the writer asks of an object for every record it saves, worked out once: blanks, required, unique, stamps.

Not here: saving (store/write.py).
"""

from dataclasses import dataclass

from orgsim.schema.model import Field, SObject
from orgsim.store.org import Org
from orgsim.store.rows import Row
from orgsim.store.values import Stored, to_stored

_MOMENTS = ("LastModifiedDate", "SystemModstamp")


@dataclass(frozen=True, slots=True)
class Shape:
    """`blank` is a new record without anything sent, with all its columns, in the order of `select_sql`.

    `required`, `unique` and the stamps are names of fields.
    """

    blank: Row
    select_sql: str
    required: tuple[str, ...]
    unique: tuple[str, ...]
    auto_numbers: tuple[Field, ...]
    touch_moments: tuple[str, ...]
    touch_users: tuple[str, ...]


def shape_of(org: Org, sobject: SObject) -> Shape:
    """Kept for a transaction: in another the schema may be another."""
    return org.database.kept(("shape", sobject.name), lambda: _make(sobject))


def _make(sobject: SObject) -> Shape:
    stored = sobject.stored_fields
    columns = ", ".join(f'"{each.name}"' for each in stored)
    return Shape(
        select_sql=f'SELECT {columns} FROM "{sobject.name}" WHERE "Id" = ?',  # noqa: S608  names come from the schema
        blank={each.name: _default(each) for each in stored},
        required=tuple(each.name for each in stored if each.is_required),
        unique=tuple(each.name for each in stored if each.unique),
        auto_numbers=tuple(each for each in sobject.fields if each.auto_number),
        touch_moments=tuple(name for name in _MOMENTS if sobject.find(name)),
        touch_users=tuple(name for name in ("LastModifiedById",) if sobject.find(name)),
    )


def _default(field: Field) -> Stored:
    return to_stored(field, field.default) if field.default not in (None, "") else None
