"""Which of the org's allowances ran out, as its refusals tell (facts B.4): each has another reason and another wait.

Not here: Headwater's own quota (the credits room), and refusals for other reasons (errors.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Wait

REQUEST_LIMIT = "REQUEST_LIMIT_EXCEEDED"  # one code for two troubles; the message tells them apart
BULK_LIMIT = "LIMIT_EXCEEDED"  # also said of a request that is too large, which no waiting mends
_CONCURRENT_MESSAGES = ("ConcurrentRequests", "ConcurrentPerOrgLongTxn")
_BULK_ALLOWANCES = {
    "bulk v2 query jobs": "10,000 Bulk queries",
    "result size stored": "1 TB of results of Bulk queries",
    "ApiBatchItems": "15,000 Bulk batches",
    "Bulk API records": "150,000,000 records sent by Bulk",
}


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """What is said of an allowance that ran out, and how long to leave the org alone."""

    code: str
    sentence: str
    wait: timedelta
    next: str
    you_can: str

    def as_wait(self, why: str, retry_utc: datetime | None = None) -> Wait:
        retry_utc = retry_utc or now_utc() + self.wait
        return Wait(
            self.code,
            self.sentence,
            retry_utc=retry_utc,
            facts=Facts(
                why=why,
                left="Everything read or written so far is kept.",
                next=f"Tries again by itself at {retry_utc:%H:%M} UTC; {self.next}.",
                you_can=self.you_can,
            ),
        )


REQUESTS = Exhaustion(
    "salesforce.request_limit",
    "The org's own API allowance is used up.",
    timedelta(minutes=15),
    "the org's window slides over 24 hours",
    "see who else uses the API in Setup > Company Information, or ask Salesforce for more calls",
)
_CONCURRENT = Exhaustion(
    "salesforce.concurrent_limit",
    "The org has too many long requests under way at once.",
    timedelta(minutes=2),
    "it is over as soon as some of them have ended, and takes nothing from the daily allowance",
    "see which other programmes keep requests open for 20 seconds and longer, and let them ask for less at a time",
)


def exhaustion_of(error_code: str, message: str) -> Exhaustion | None:
    """The allowance that a refusal says is used up; None where it says something else."""
    if error_code == REQUEST_LIMIT:
        return _CONCURRENT if is_concurrent(error_code, message) else REQUESTS
    if error_code == BULK_LIMIT:
        return next((_bulk(what) for words, what in _BULK_ALLOWANCES.items() if words in message), None)
    return None


def is_concurrent(error_code: str, message: str) -> bool:
    """Too many requests of 20 seconds and longer at once: over in moments, so it is tried again in the same work."""
    return error_code == REQUEST_LIMIT and any(words in message for words in _CONCURRENT_MESSAGES)


def _bulk(what: str) -> Exhaustion:
    return Exhaustion(
        "salesforce.bulk_limit",
        f"The org's Bulk API allowance of {what} in 24 hours is used up.",
        timedelta(hours=1),
        "the allowance comes back over 24 hours, and API credits are left untouched meanwhile",
        "see in Setup > Bulk Data Load Jobs which other programmes use the Bulk API",
    )
