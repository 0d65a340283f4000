"""Refuses to delete what a field with a restricting delete constraint points at (facts C.25)."""

from collections.abc import Iterable

from orgsim.errors import ApiError
from orgsim.schema.model import SObject
from orgsim.store.org import Org
from orgsim.store.rows import Row, find_rows


def refuse_referenced(org: Org, sobject: SObject, row: Row, taken_along: Iterable[tuple[SObject, Row]]) -> None:
    """Raises ApiError, unless everything that points at the record, or at what goes with it, goes with it too."""
    going = [(sobject, row), *taken_along]
    going_ids = {each["Id"] for _, each in going}
    for parent, gone in going:
        for relationship in org.catalog().children_of(parent.name):
            if not relationship.field.restricted_delete:
                continue
            children = find_rows(org.database.connect(), relationship.child, relationship.field.name, gone["Id"])
            staying = [each for each in children if not each.get("IsDeleted") and each["Id"] not in going_ids]
            if staying:
                raise _refusal(parent, gone, relationship.child, staying)


def _refusal(parent: SObject, row: Row, child: SObject, staying: list[Row]) -> ApiError:
    names = ", ".join(_name(child, each) for each in staying)
    message = (
        f"Your attempt to delete {_name(parent, row)} could not be completed because it is associated with the "
        f"following {child.label_plural.lower()}.: {names}\n"
    )
    return ApiError("DELETE_FAILED", message, fields=())


def _name(sobject: SObject, row: Row) -> str:
    field = next((each for each in sobject.fields if each.name_field), None)
    return str(row[field.name if field else "Id"])
