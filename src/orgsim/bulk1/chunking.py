"""PK chunking: one query split into several by ranges of record ids (facts C.9)."""

import re
from dataclasses import dataclass

from orgsim import ids
from orgsim.errors import ApiError
from orgsim.schema.model import SObject
from orgsim.soql import tree
from orgsim.soql.parse import parse
from orgsim.store.org import Org

HEADER = "Sforce-Enable-PKChunking"
DEFAULT_ROWS, MAX_ROWS = 100_000, 250_000
_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chunking:
    """`parent` names the object whose ids make the ranges, where it is not the queried one."""

    rows: int = DEFAULT_ROWS
    start: str = ""
    parent: str = ""


def read_header(text: str | None) -> Chunking | None:
    """`true`, or settings such as `chunkSize=50000; startRow=001…; parent=Case`. None: no chunking."""
    parts = [part.strip() for part in (text or "").split(";") if part.strip()]
    if not parts or any(part.lower() == "false" for part in parts):
        return None
    given = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    rows = given.get("chunksize") or str(DEFAULT_ROWS)
    if not rows.isdecimal() or not 0 < int(rows) <= MAX_ROWS:
        raise ApiError("InvalidJob", f"chunkSize must be a number from 1 to {MAX_ROWS}")
    start = given.get("startrow", "")
    if start and not ids.is_id(start):
        raise ApiError("InvalidJob", f"startRow is no record id: {start}")
    return Chunking(int(rows), start, given.get("parent", ""))


def chunk(org: Org, soql: str, chunking: Chunking) -> list[str]:
    """The queries whose results together are that of `soql`; empty when a query of its kind is not chunked."""
    select = parse(soql)
    if select.order or select.limit is not None or _names_an_id(select.where):
        return []
    sobject = org.catalog().get(str(select.source))
    field, owner = _range_field(org, sobject, chunking.parent)
    return [
        _narrowed(soql, select, f"{field} >= '{first}' AND {field} < '{after}'")
        for first, after in _ranges(org, owner, chunking)
    ]


def _range_field(org: Org, sobject: SObject, parent: str) -> tuple[str, SObject]:
    """(the field the ranges are of, the object whose ids they are)."""
    if not parent:
        return "Id", sobject
    owner = org.catalog().find(parent)
    found = [each for each in sobject.fields if owner and owner.name in each.reference_to]
    if owner is None or not found:
        raise ApiError("InvalidBatch", f"{parent} is not a parent of {sobject.name}")
    return found[0].name, owner


def _ranges(org: Org, sobject: SObject, chunking: Chunking) -> list[tuple[str, str]]:
    """Deleted records count too, so a range may hold fewer rows than it is wide (D: api-asynch/pk-chunking)."""
    first, last = (
        org.database.connect().execute(f'SELECT min("Id"), max("Id") FROM "{sobject.name}"').fetchone()  # noqa: S608  a name of the schema
    )
    low = ids.number_of(chunking.start or first) if chunking.start or first else 0
    high = ids.number_of(last) if last else low
    starts = range(low, max(low, high) + 1, chunking.rows)
    return [
        (ids.make_id(sobject.key_prefix, start), ids.make_id(sobject.key_prefix, start + chunking.rows))
        for start in starts
    ]


def _narrowed(soql: str, select: tree.Select, condition: str) -> str:
    """`soql` with one more condition. A chunkable query ends with its WHERE, so the text need not be made anew."""
    found = _WHERE.search(soql, select.source.at)
    if select.where is None or found is None:
        return f"{soql.strip()} WHERE {condition}"
    return f"{soql[: found.end()]} ({soql[found.end() :].strip()}) AND {condition}"


def _names_an_id(condition: tree.Condition | None) -> bool:
    """Filtering by any id field switches chunking off (D: api-asynch/pk-chunking)."""
    match condition:
        case tree.Not(inner):
            return _names_an_id(inner)
        case tree.Both():
            return any(_names_an_id(each) for each in condition.conditions)
        case tree.Comparison():
            return "id" in str(condition.left).rpartition(".")[2].lower()
    return False
