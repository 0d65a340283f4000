"""GET /sobjects/X/updated and /deleted: what moved and what went, by time (facts C.2)."""

import datetime as dt

from starlette.responses import Response

from orgsim.clock import datetime_text, parse_datetime
from orgsim.errors import ApiError
from orgsim.exchange import json_response
from orgsim.rest.call import Call
from orgsim.schema.model import SObject
from orgsim.store.lateness import Sight, sight_of

_DELETED_DAYS = 15
_UPDATED_DAYS = 30


def updated(call: Call) -> Response:
    sobject = _replicateable(call)
    start, end = _window(call, _UPDATED_DAYS)
    hidden = ' AND "IsDeleted" = 0' if sobject.has_recycle_bin else ""
    with call.org.database.read() as connection:
        sight = sight_of(call.org)
        covered = _covered(call, sobject, sight)
        rows = connection.execute(
            f'SELECT "Id" FROM {sight.table_sql(sobject)} '  # noqa: S608  names come from the schema
            f'WHERE "{sobject.stamp_field}" >= ? AND "{sobject.stamp_field}" < ?{hidden}',
            (start, end),
        ).fetchall()
    return json_response({"ids": [row[0] for row in rows], "latestDateCovered": covered})


def deleted(call: Call) -> Response:
    sobject = _replicateable(call)
    start, end = _window(call, _DELETED_DAYS)
    with call.org.database.read() as connection:
        sight = sight_of(call.org)
        covered = _covered(call, sobject, sight)
        logs = " UNION ALL ".join(sight.deletions_sql(each) for each in _deleted_with(call, sobject))
        rows = connection.execute(
            f"SELECT record_id, deleted_at FROM ({logs}) "  # noqa: S608  names come from the schema
            "WHERE deleted_at >= ? AND deleted_at < ? ORDER BY deleted_at, record_id",
            (start, end),
        ).fetchall()
    earliest = datetime_text(call.org.clock.now() - dt.timedelta(days=_DELETED_DAYS))
    records = [{"id": record_id, "deletedDate": deleted_at} for record_id, deleted_at in rows]
    return json_response({"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": covered})


def _deleted_with(call: Call, sobject: SObject) -> list[SObject]:
    """Asked for one history object, getDeleted answers for all of them (facts C.27)."""
    return [each for each in call.org.catalog() if each.is_history] if sobject.is_history else [sobject]


def _replicateable(call: Call) -> SObject:
    sobject = call.sobject()
    if not sobject.replicateable:
        raise ApiError("INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support replication")
    return sobject


def _window(call: Call, max_days: int) -> tuple[str, str]:
    """(first moment, moment after the last). Seconds are cut off; the minute of the end is asked for whole."""
    start, end = (_minute(call.query(name)) for name in ("start", "end"))
    if end - start < dt.timedelta(minutes=1):
        raise ApiError("INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start < call.org.clock.now() - dt.timedelta(days=max_days):
        raise ApiError("INVALID_REPLICATION_DATE", f"startDate before the {max_days} day limit")
    return datetime_text(start), datetime_text(end + dt.timedelta(minutes=1))


def _covered(call: Call, sobject: SObject, sight: Sight) -> str:
    """Only what can no longer change: a client that goes on from there misses nothing (facts C.2)."""
    covered = min(_minute(call.query("end")), _begun(call.org.clock.now()))
    first_hidden = sight.covered_until(call.org.database.connect(), sobject)
    return datetime_text(min(covered, _begun(first_hidden)) if first_hidden else covered)


def _minute(text: str) -> dt.datetime:
    try:
        # An unencoded "+" in a query string arrives as a space.
        return _begun(parse_datetime(text.replace(" ", "+")))
    except ValueError as error:
        raise ApiError("INVALID_REPLICATION_DATE", f"Invalid date: {text}") from error


def _begun(moment: dt.datetime) -> dt.datetime:
    """The minute that it falls into."""
    return moment.replace(second=0, microsecond=0)
