"""Requests that ask for an answer only if something has changed, or for a change only if nothing has (facts C.7).

Describes and rows carry Last-Modified; describes and Account rows carry an ETag too. A 304 costs its credit as well.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256

import orjson
from starlette.responses import Response

from orgsim.clock import UTC, parse_datetime
from orgsim.errors import ApiError
from orgsim.exchange import empty_response
from orgsim.rest.call import Call
from orgsim.schema.model import SObject
from orgsim.store.rows import read_row

_WITH_ETAG = frozenset({"Account"})


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of a thing this is. None where that is not known or not told."""

    modified: dt.datetime | None = None
    etag: str | None = None

    def headers(self) -> dict[str, str]:
        told = {"ETag": self.etag, "Last-Modified": self.modified and format_datetime(self.modified, usegmt=True)}
        return {name: value for name, value in told.items() if value}


def schema_version(call: Call) -> Version:
    """Every describe is as new as the last change of the schema."""
    moment = str(call.org.setting("schema_changed_at"))
    modified = parse_datetime(moment) if moment else None
    return Version(modified, _etag(call.org.setting("schema_version"), call.exchange.path))


def row_version(call: Call, sobject: SObject, record_id: str) -> Version:
    row = read_row(call.org.database.connect(), sobject, record_id) or {}
    stamp = row.get(sobject.stamp_field) or row.get("LastModifiedDate")
    modified = parse_datetime(str(stamp)) if stamp else None
    return Version(modified, _etag(*row.values()) if row and sobject.name in _WITH_ETAG else None)


def answer_if_changed(call: Call, version: Version, answer: Callable[[], Response]) -> Response:
    refuse_if_changed(call, version)
    response = empty_response(304) if _is_known(call, version) else answer()
    response.headers.update(version.headers())
    return response


def refuse_if_changed(call: Call, version: Version) -> None:
    """Raises ApiError 412 when If-Match or If-Unmodified-Since does not hold."""
    wanted = _tags(call, "if-match")
    if wanted and version.etag:
        changed = not wanted & {version.etag, "*"}
    else:
        since = _moment(call, "if-unmodified-since")
        changed = since is not None and version.modified is not None and version.modified > since
    if changed:
        raise ApiError("PRECONDITION_FAILED", "The record or description has changed", status=412)


def _is_known(call: Call, version: Version) -> bool:
    known = _tags(call, "if-none-match")
    if known and version.etag:
        return bool(known & {version.etag, "*"})
    since = _moment(call, "if-modified-since")
    return since is not None and version.modified is not None and version.modified <= since


def _tags(call: Call, header: str) -> set[str]:
    """Weak and strong tags count alike, and so does one that a compressing server has marked."""
    given = call.exchange.headers.get(header, "").split(",")
    return {each.strip().removeprefix("W/").replace("--gzip", "") for each in given if each.strip()}


def _moment(call: Call, header: str) -> dt.datetime | None:
    """A date that cannot be read counts as not sent, as HTTP has it."""
    try:
        moment = parsedate_to_datetime(call.exchange.headers.get(header, ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _etag(*parts: object) -> str:
    return f'"{sha256(orjson.dumps(parts)).hexdigest()[:16]}"'
