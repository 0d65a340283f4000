"""What the org says of its API allowance when asked: `GET /limits`, up to five minutes old (facts B.3)."""

from headwater.salesforce.errors import Refusal
from headwater.salesforce.meter import Call, CallKind, OrgUsage
from headwater.salesforce.rest import DATA
from headwater.salesforce.transport import Request, Transport

_KEPT_BACK_CODES = frozenset({"FORBIDDEN", "INSUFFICIENT_ACCESS", "FUNCTIONALITY_NOT_ENABLED", "NOT_FOUND"})


def daily_api_requests(transport: Transport) -> OrgUsage | Refusal:
    """For one credit; the refusal where the user lacks View Setup and Configuration."""
    request = Request("GET", f"{DATA}/limits", "asking for the org's limits", let_pass=_KEPT_BACK_CODES)
    answer = transport.send(Call(CallKind.LIMITS), request)
    if answer.refusal is not None:
        return answer.refusal
    row = answer.json["DailyApiRequests"]
    return OrgUsage(used_calls=max(0, row["Max"] - row["Remaining"]), limit_calls=row["Max"])
