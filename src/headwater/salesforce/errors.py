"""Salesforce's refusals, sorted into our four kinds.

An unknown code becomes a Fix that keeps the raw code; it is never guessed to be a log-in problem.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, HeadwaterError, Wait
from headwater.salesforce.limits import exhaustion_of, is_concurrent

SESSION_EXPIRED_CODES = frozenset({"INVALID_SESSION_ID", "INVALID_AUTH_HEADER"})
TRANSIENT_CODES = frozenset(
    {"UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "TXN_SECURITY_METERING_ERROR"}
)
API_DISABLED_CODES = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
TRANSIENT_STATUSES = frozenset({406, 420, 500, 502, 503, 504})
UNAVAILABLE_RETRY = timedelta(minutes=5)

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
    """The request may succeed when it is sent again. `refusal` is missing where no answer came at all."""

    def __init__(self, reason: str, refusal: Refusal | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refusal = refusal

    def as_wait(self, host: str, doing: str) -> Wait:
        """What to do when trying again in the same breath was of no use."""
        why = f"While {doing}: {self.reason}"
        exhaustion = self.refusal and exhaustion_of(self.refusal.error_code, self.refusal.message)
        return exhaustion.as_wait(why) if exhaustion else unavailable(host, why)


def read_json(body: bytes) -> Any:
    """Of a good answer; None where it is empty. What is no JSON was cut on the way, or is not from Salesforce."""
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError as error:
        raise Transient(f"the answer of {len(body):,} bytes is not whole ({error})") from error


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
    if is_concurrent(refusal.error_code, refusal.message):
        return True
    return refusal.error_code in TRANSIENT_CODES or refusal.status_code in TRANSIENT_STATUSES


def to_error(refusal: Refusal, doing: str) -> HeadwaterError:
    """Our error for a refusal that sending again will not mend. `doing` names the request for people."""
    why = f"Salesforce answered {refusal.error_code}: {refusal.message.strip()}"
    if refusal.request_id:
        why += f" (request {refusal.request_id})"
    if exhaustion := exhaustion_of(refusal.error_code, refusal.message):
        return exhaustion.as_wait(f"While {doing}. {why}")
    if refusal.error_code == "OPERATION_TOO_LARGE":
        return _too_large(refusal, f"While {doing}. {why}")
    sentence, remedy = _FIXES.get(refusal.error_code, (f"Salesforce refused {doing}.", "read Salesforce's words above"))
    return RefusedFix(
        "salesforce.refused",
        sentence,
        Facts(why=f"While {doing}. {why}", left="Nothing was changed by this request.", you_can=remedy),
        error_code=refusal.error_code,
    )


def _too_large(refusal: Refusal, why: str) -> RefusedFix:
    """A query of activities asks for each record whether the user may see it, unless they see everything."""
    return RefusedFix(
        "salesforce.operation_too_large",
        "The query is too large for a user without View All Data.",
        Facts(
            why=why,
            left="Nothing was changed by this request.",
            you_can="grant 'View All Data' to the connected user, on the profile or in a permission set",
        ),
        error_code=refusal.error_code,
    )


def unavailable(host: str, reason: str) -> Wait:
    retry_utc = now_utc() + UNAVAILABLE_RETRY
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
