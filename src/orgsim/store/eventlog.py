"""ApiTotalUsageEventLog: the org's own log of API calls, filled from the account of calls as somebody asks for it.

How late the log is and how long it reaches back is not documented; here it is as late as `event_log_lag_seconds`, and
keeps everything. Not here: what counts (store/usage.py).
"""

import datetime as dt
import re
import sqlite3

from orgsim import ids
from orgsim.clock import datetime_text
from orgsim.schema.admin import API_TOTAL_USAGE_EVENT_LOG
from orgsim.store.org import Org

_NAME = API_TOTAL_USAGE_EVENT_LOG.name
_SEQUENCE = "event_log"  # one more than the number of the newest call that the log holds
# Kinds of call that the header Call Options is documented for: records, queries, searches, both Bulk APIs (facts B.3).
_NAMED_KINDS = frozenset({"query", "query_more", "search", "record", "bulk_query", "bulk_ingest", "bulk1"})
_BULK_KINDS = frozenset({"bulk_query", "bulk_ingest", "bulk1"})
_GIVEN_UP_SECONDS = 600  # a call that has not ended by then never will: whoever served it has died
_CLIENT = re.compile(r"(?:^|[;,])\s*client=([^;,]+)")
_INSERT = (
    f'INSERT OR IGNORE INTO "{_NAME}" ("Id", "ApiFamily", "ApiResource", "ClientName", "ConnectedAppIdentifier", '  # noqa: S608  the name is written above
    '"HttpMethod", "IsApiLimitCounted", "RequestIdentifier", "StatusCode", "Timestamp", "UserIdentifier") '
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def client_name(org: Org, kind: str, call_options: str) -> str:
    """What `Sforce-Call-Options: client=…` says, where the log takes notice of it."""
    found = _CLIENT.search(call_options)
    if found is None or not (kind in _NAMED_KINDS or org.setting("client_name_everywhere")):
        return ""
    return found[1].strip()[:255]


def names_event_log(soql: str) -> bool:
    return _NAME.lower() in soql.lower()


def fill_event_log(org: Org) -> None:
    """Take over the calls that have ended and are old enough, in their order."""
    if org.catalog().find(_NAME) is None:  # the org is older than this object
        return
    since = org.peek_number(_SEQUENCE)
    now = org.clock.now()
    border = datetime_text(now - dt.timedelta(seconds=float(org.setting("event_log_lag_seconds"))))
    given_up = datetime_text(now - dt.timedelta(seconds=_GIVEN_UP_SECONDS))
    calls = org.usage.database.connect().execute(
        "SELECT number, at, user_id, client_id, kind, method, path, credits, status, name, "
        "status IS NULL AND note IS NULL AND at > ? FROM journal LEFT JOIN journal_client USING (number) "
        "WHERE number >= ? AND at <= ? ORDER BY number",
        (given_up, since, border),
    )
    rows: list[tuple[object, ...]] = []
    apps = _app_ids(org)
    for number, at, user_id, client_id, kind, method, path, credits_, status, name, is_running in calls:
        if is_running:
            break
        family = "Bulk" if kind in _BULK_KINDS else "REST"
        resource = path.removeprefix("/services/data")[:255]
        named = (family, resource, name, apps.get(client_id), method)
        rows.append((ids.make_id("0X9", number), *named, int(credits_ > 0), f"TID:{number}", status, at, user_id))
    if rows:
        _keep(org, rows, since)


def _keep(org: Org, rows: list[tuple[object, ...]], since: int) -> None:
    with org.database.write() as connection:
        connection.executemany(_INSERT, rows)
        known = org.peek_number(_SEQUENCE)  # somebody else may have been quicker
        if (missing := since + len(rows) - known) > 0:
            org.next_number(_SEQUENCE, missing)


def _app_ids(org: Org) -> dict[str, str]:
    """The record ids of connected apps by consumer key."""
    connection: sqlite3.Connection = org.database.connect()
    return {key: ids.make_id("0H4", row) for row, key in connection.execute("SELECT rowid, client_id FROM _app")}
