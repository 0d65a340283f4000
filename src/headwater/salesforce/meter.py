"""What every call to Salesforce passes before it is sent and after it is answered.

Only the protocol stands here; the credits room keeps the ledger that fulfils it. What counts as a call: facts B.5.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CallKind(StrEnum):
    """The kinds of request that Salesforce counts, as the credits page names them."""

    QUERY = "query"
    COMPOSITE_QUERY = "composite_query"
    COMPOSITE_DESCRIBE = "composite_describe"
    COMPOSITE_DELETED = "composite_deleted"
    COMPOSITE_WRITE = "composite_write"
    RECORD_COUNT = "record_count"
    LIMITS = "limits"
    BULK_CREATE = "bulk_create"
    BULK_UPLOAD = "bulk_upload"
    BULK_CLOSE = "bulk_close"
    BULK_POLL = "bulk_poll"
    BULK_RESULTS = "bulk_results"
    INSERT = "insert"
    UPSERT = "upsert"
    DELETE = "delete"
    DEPLOY = "deploy"


class Outcome(StrEnum):
    """How a counted call ended. LOST: sent, but no answer came, so it counts as spent. NOT_SENT: no connection."""

    ANSWERED = "answered"
    REFUSED = "refused"
    LOST = "lost"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class Call:
    """One request about to be made. `sobject` is empty where it serves several objects or none."""

    kind: CallKind
    sobject: str = ""


@dataclass(frozen=True, slots=True)
class OrgUsage:
    """What the org said of itself in `Sforce-Limit-Info`; approximate, it wavers by about 15 calls (facts B.3)."""

    used_calls: int
    limit_calls: int


@dataclass(frozen=True, slots=True)
class Settlement:
    outcome: Outcome
    status_code: int | None = None
    org_usage: OrgUsage | None = None


def client_name(entry: int) -> str:
    """What a call says of itself, by which the org's own log can be asked for it (facts B.3)."""
    return f"headwater/{entry}"


class Meter(Protocol):
    def reserve(self, call: Call) -> int:
        """Set one credit aside and return the ledger entry's number; raises Wait when the quota has no room."""

    def settle(self, entry: int, settlement: Settlement) -> None:
        """Write how the call ended. An entry that is never settled counts as spent."""


_USAGE = re.compile(r"\bapi-usage=(\d+)/(\d+)")


def read_limit_info(header: str | None) -> OrgUsage | None:
    """Parse `Sforce-Limit-Info`, with or without a per-app part (facts B.3). None where the header is absent."""
    if header is None:
        return None
    found = _USAGE.search(header)
    if found is None:
        raise ValueError(f"Sforce-Limit-Info without api-usage: {header!r}")
    return OrgUsage(used_calls=int(found[1]), limit_calls=int(found[2]))
