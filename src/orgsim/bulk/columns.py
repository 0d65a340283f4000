"""The column names of an upload: whether the object has them, and a row's cells as the values to write (facts C.5)."""

from collections.abc import Iterable, Mapping

from orgsim.errors import ApiError
from orgsim.schema.model import SObject
from orgsim.store.access import view_of
from orgsim.store.org import Org

SET_NULL = "#N/A"
MAX_CELL_CHARACTERS = 131_072
MAX_ROW_CHARACTERS = 400_000
MAX_COLUMNS = 5_000


def invalid_batch(message: str) -> ApiError:
    """The refusal of a whole batch, before any row of it."""
    return ApiError("InvalidBatch", message)


def loaded_sobject(org: Org, user_id: str, name: str) -> SObject:
    """As whoever made the job sees it now. Raises ApiError InvalidBatch when it is gone from their sight."""
    sobject = view_of(org, user_id).catalog.find(name)
    if sobject is None:
        raise invalid_batch(f"Unable to find object: {name}")
    return sobject


def refuse_unknown_columns(sobject: SObject, names: Iterable[str]) -> None:
    """Raises ApiError InvalidBatch for the first column that leads nowhere."""
    for count, name in enumerate(names, start=1):
        if count > MAX_COLUMNS:
            raise invalid_batch(f"Maximum number of fields exceeded: {MAX_COLUMNS}")
        if "." in name:
            _refuse_unknown_parent(sobject, name)
        elif sobject.find(name) is None:
            raise invalid_batch(f"Field name not found : {name}")


def values_of(cells: dict[str, str]) -> Mapping[str, object]:
    """Empty cells leave a field alone, `#N/A` empties it, `Account.Key__c` names a parent by its external id.

    Raises ApiError for more text than a row may have.
    """
    if sum(map(len, cells.values())) > MAX_ROW_CHARACTERS:
        raise invalid_batch(f"Maximum number of characters in a record exceeded: {MAX_ROW_CHARACTERS}")
    values: dict[str, object] = {}
    for name, cell in cells.items():
        if cell == "":
            continue
        if len(cell) > MAX_CELL_CHARACTERS:
            raise invalid_batch(f"Maximum number of characters in a field exceeded: {MAX_CELL_CHARACTERS}")
        value = None if cell == SET_NULL else cell
        if "." not in name:
            values[name] = value
            continue
        target, relationship, key = _split(name)
        values[relationship] = {"type": target, key: value} if target else {key: value}
    return values


def _refuse_unknown_parent(sobject: SObject, name: str) -> None:
    """`ReportsTo.Email`; where several objects may be meant, `Lead:Who.Email`."""
    target, relationship, _ = _split(name)
    field = sobject.find_relationship(relationship)
    if field is None:
        raise invalid_batch(f"Unable to find relationship: {relationship}")
    if target and not field.is_polymorphic:
        raise invalid_batch(f"type is not needed for non polymorphic foreign key references: {relationship}")
    if field.is_polymorphic and target.lower() not in {each.lower() for each in field.reference_to}:
        raise invalid_batch(f"type is needed for polymorphic foreign key references: {relationship}")


def _split(name: str) -> tuple[str, str, str]:
    """(object or empty, relationship, key) of `Object:Relationship.Key`."""
    path, _, key = name.partition(".")
    target, _, relationship = path.rpartition(":")
    return target, relationship, key
