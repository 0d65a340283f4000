"""Salesforce's refusals, sorted into our four kinds.

An unknown code becomes a Fix that keeps the raw code; it is never guessed to be a log-in problem.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, HeadwaterError, Wait

SESSION_EXPIRED_CODES = frozenset({"INVALID_SESSION_ID", "INVALID_AUTH_HEADER"})
TRANSIENT_CODES = frozenset(
    {"UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "TXN_SECURITY_METERING_ERROR"}
)
API_DISABLED_CODES = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
TRANSIENT_STATUSES = frozenset({406, 420, 500, 502, 503, 504})
REQUEST_LIMIT_RETRY = timedelta(minutes=15)

_FIXES: dict[str, tuple[str, str]] = {
    "API_DISABLED_FOR_ORG": (
        "The API is closed to the connected user, or to the whole org.",
        "grant 'API Enabled' to the user; where it is on, ask Salesforce to enable the API for your edition",
    ),
    "API_CURRENTLY_DISABLED": (
        "The API is disabled for the connected user.",
        "grant 'API Enabled' on the profile",
    ),
    "INSUFFICIENT_ACCESS": (
        "The connected user may not do this.",
        "grant the permission in Setup > Permission Sets",
    ),
    "INVALID_TYPE": (
        "Salesforce does not show this object to the connected user.",
        "grant read on the object",
    ),
    "INVALID_FIELD": ("Salesforce does not show a field to the connected user.", "grant read on the field"),
    "OPERATION_TOO_LARGE": ("The query is too large without View All Data.", "grant 'View All Data'"),
    "LIMIT_EXCEEDED": (
        "A Bulk API allowance of the org is used up.",
        "wait for the next day, or ask Salesforce for more",
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Salesforce's own words for a failed request (facts C.6)."""

    status_code: int
    error_code: str
    message: str
    request_id: str = ""


class RefusedFix(Fix):
    """A refusal that a person must mend. `error_code` is Salesforce's own."""

    def __init__(self, code: str, sentence: str, facts: Facts, *, error_code: str) -> None:
        super().__init__(code, sentence, facts)
        self.error_code = error_code


class Transient(Exception):
    """The request may succeed when it is sent again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_refusal(status_code: int, body: bytes, request_id: str = "") -> Refusal:
    """Read either error shape: the REST list, or the OAuth object (facts A.5, C.6); a body of neither is kept short."""
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Refusal(status_code, f"HTTP_{status_code}", body[:200].decode(errors="replace"), request_id)
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    if not isinstance(first, dict):
        return Refusal(status_code, f"HTTP_{status_code}", "", request_id)
    code = first.get("errorCode") or first.get("error") or f"HTTP_{status_code}"
    message = first.get("message") or first.get("error_description") or ""
    return Refusal(status_code, str(code), str(message), request_id)


def is_transient(refusal: Refusal) -> bool:
    if refusal.error_code == "REQUEST_LIMIT_EXCEEDED":
        return "Concurrent" in refusal.message
    return refusal.error_code in TRANSIENT_CODES or refusal.status_code in TRANSIENT_STATUSES


def to_error(refusal: Refusal, doing: str) -> HeadwaterError:
    """Our error for a refusal that sending again will not mend. `doing` names the request for people."""
    why = f"Salesforce answered {refusal.error_code}: {refusal.message.strip()}"
    if refusal.request_id:
        why += f" (request {refusal.request_id})"
    if refusal.error_code == "REQUEST_LIMIT_EXCEEDED":
        return request_limit_reached(now_utc() + REQUEST_LIMIT_RETRY, why)
    sentence, remedy = _FIXES.get(refusal.error_code, (f"Salesforce refused {doing}.", "read Salesforce's words above"))
    return RefusedFix(
        "salesforce.refused",
        sentence,
        Facts(why=f"While {doing}. {why}", left="Nothing was changed by this request.", you_can=remedy),
        error_code=refusal.error_code,
    )


def request_limit_reached(retry_utc: datetime, why: str) -> Wait:
    return Wait(
        "salesforce.request_limit",
        "The org's own API allowance is used up.",
        retry_utc=retry_utc,
        facts=Facts(
            why=why,
            left="Everything read so far is kept.",
            next=f"Tries again by itself at {retry_utc:%H:%M} UTC; the org's window slides over 24 hours.",
            you_can="see who else uses the API in Setup > Company Information, or ask Salesforce for more calls",
        ),
    )


def unavailable(host: str, reason: str, retry_utc: datetime) -> Wait:
    return Wait(
        "salesforce.unavailable",
        f"Salesforce could not be reached at {host}.",
        retry_utc=retry_utc,
        facts=Facts(
            why=reason,
            left="Everything read or written so far is kept.",
            next=f"Tries again by itself at {retry_utc:%H:%M} UTC.",
            you_can="check the address and this machine's network, or look at Salesforce's status page",
        ),
    )
