"""The org's own log of API calls, `ApiTotalUsageEventLog` (facts B.3): which of ours it knows, and which counted.

The name under which a call is logged is meter.client_name. Not here: what follows from it (the credits room).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from headwater.salesforce.errors import Refusal
from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.rest import DATA, UNSEEN_CODES
from headwater.salesforce.transport import Request, Transport

EVENT_LOG = "ApiTotalUsageEventLog"
_KEPT_BACK_CODES = UNSEEN_CODES | {"INVALID_FIELD"}


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """`status_code` None: the org answered nothing, or does not say."""

    client_name: str
    is_counted: bool
    status_code: int | None
    at_utc: datetime


def logged_calls(transport: Transport, names: Sequence[str], since_utc: datetime) -> list[LoggedCall] | Refusal:
    """Those of the calls with these names that the log holds, for one credit; the refusal where it is kept back."""
    wanted = ", ".join(f"'{name}'" for name in names)
    soql = (
        f"SELECT ClientName, IsApiLimitCounted, StatusCode, Timestamp FROM {EVENT_LOG} "  # noqa: S608 - SOQL, own names
        f"WHERE Timestamp >= {since_utc:%Y-%m-%dT%H:%M:%SZ} AND ClientName IN ({wanted})"
    )
    request = Request(
        "GET", f"{DATA}/query", "asking the org's log of API calls", params={"q": soql}, let_pass=_KEPT_BACK_CODES
    )
    answer = transport.send(Call(CallKind.QUERY, EVENT_LOG), request)
    if answer.refusal is not None:
        return answer.refusal
    return [
        LoggedCall(
            client_name=row["ClientName"],
            is_counted=row["IsApiLimitCounted"],
            status_code=row["StatusCode"],
            at_utc=datetime.fromisoformat(row["Timestamp"]),
        )
        for row in answer.json["records"]
    ]
