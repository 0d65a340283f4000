"""GET /sobjects/X/updated and /deleted: what moved and what went, by time (facts C.2)."""

import datetime as dt

from starlette.responses import Response

from orgsim.clock import datetime_text, parse_datetime
from orgsim.errors import ApiError
from orgsim.exchange import json_response
from orgsim.rest.call import Call
from orgsim.schema.model import SObject

_DELETED_DAYS = 15
_UPDATED_DAYS = 30


def updated(call: Call) -> Response:
    sobject = _replicateable(call)
    start, end, covered = _window(call, _UPDATED_DAYS)
    hidden = ' AND "IsDeleted" = 0' if sobject.has_recycle_bin else ""
    rows = call.org.database.connect().execute(
        f'SELECT "Id" FROM "{sobject.name}" WHERE "{sobject.stamp_field}" >= ? AND "{sobject.stamp_field}" < ?{hidden}',  # noqa: S608  names come from the schema
        (start, end),
    )
    return json_response({"ids": [row[0] for row in rows], "latestDateCovered": covered})


def deleted(call: Call) -> Response:
    sobject = _replicateable(call)
    start, end, covered = _window(call, _DELETED_DAYS)
    rows = call.org.database.connect().execute(
        "SELECT record_id, deleted_at FROM _deleted WHERE sobject = ? AND deleted_at >= ? AND deleted_at < ? "
        "ORDER BY deleted_at, record_id",
        (sobject.name, start, end),
    )
    earliest = datetime_text(call.org.clock.now() - dt.timedelta(days=_DELETED_DAYS))
    records = [{"id": record_id, "deletedDate": deleted_at} for record_id, deleted_at in rows]
    return json_response({"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": covered})


def _replicateable(call: Call) -> SObject:
    sobject = call.sobject()
    if not sobject.replicateable:
        raise ApiError("INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support replication")
    return sobject


def _window(call: Call, max_days: int) -> tuple[str, str, str]:
    """(first moment, moment after the last, covered to). Seconds are cut off; the minute of the end is asked for whole.

    Covered is only what can no longer change: a client that goes on from there misses nothing.
    """
    start, end = (_minute(call.query(name)) for name in ("start", "end"))
    if end - start < dt.timedelta(minutes=1):
        raise ApiError("INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start < call.org.clock.now() - dt.timedelta(days=max_days):
        raise ApiError("INVALID_REPLICATION_DATE", f"startDate before the {max_days} day limit")
    covered = min(end, call.org.clock.now().replace(second=0, microsecond=0))
    return datetime_text(start), datetime_text(end + dt.timedelta(minutes=1)), datetime_text(covered)


def _minute(text: str) -> dt.datetime:
    try:
        # An unencoded "+" in a query string arrives as a space.
        return parse_datetime(text.replace(" ", "+")).replace(second=0, microsecond=0)
    except ValueError as error:
        raise ApiError("INVALID_REPLICATION_DATE", f"Invalid date: {text}") from error
