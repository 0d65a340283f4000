"""Faults laid on an org's data API: by the n-th matching call or by a rate, before the work or after it.

A fault before the work costs nothing and changes nothing; one after it has been counted and its work stands. Those that
spoil an answer come after it always. Not here: how a spoiled answer is sent (server/delivery.py).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import anyio
import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orgsim.errors import ApiError, expired_session
from orgsim.rest.allowance import crowded, exhausted
from orgsim.store.usage import Usage

_POLICIES_TOO_SLOW = (
    "We can't complete the action because enabled transaction security policies took too long to complete."
)


class Effect(StrEnum):
    SERVER_ERROR = "500"
    NOT_ACCEPTABLE = "406"  # as an edge that warms up answers: no body (facts B.4)
    ENHANCE_YOUR_CALM = "420"  # likewise
    BAD_GATEWAY = "502"  # a page in HTML, not JSON
    UNAVAILABLE = "503"
    UNAUTHORIZED = "401"
    TIMEOUT = "timeout"  # silence for `seconds`, then the connection is cut
    DROP = "drop"  # the connection is cut at once
    LIMIT = "limit"  # as when the allowance is used up
    CONCURRENT = "concurrent"  # as when too many long requests run
    METERING = "metering"  # a transaction security policy took too long (facts A.5)
    EXPIRED_LOCATOR = "expired-locator"
    MALFORMED = "malformed"  # the last character of the answer is missing, and its length is told without it
    TRUNCATED = "truncated"  # half of the body, then the connection is cut
    SLOW = "slow"  # the body comes in drops, over `seconds`
    FAILED_JOB = "failed-job"  # strikes Bulk jobs and batches, not calls: they fail before their first row


LOGIN_KIND = "login"  # of logins, tokens and identity: what does not name them leaves them alone
SPOILING = frozenset({Effect.MALFORMED, Effect.TRUNCATED, Effect.SLOW})


@dataclass(frozen=True, slots=True)
class Fault:
    """Strikes calls by their number among the matching ones (`on_calls`, from 1), or at `rate` (0 to 1)."""

    effect: Effect
    kind: str = ""
    path_prefix: str = ""
    on_calls: tuple[int, ...] = ()
    rate: float = 0.0
    seed: int = 0
    seconds: float = 30.0
    after: bool = False
    hits_left: int | None = None

    @property
    def comes_after(self) -> bool:
        return self.after or self.effect in SPOILING


def add_fault(usage: Usage, fault: Fault) -> int:
    with usage.database.write() as connection:
        row = connection.execute(
            "INSERT INTO fault (effect, kind, path_prefix, on_calls, rate, seed, seconds, after, hits_left) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                fault.effect.value,
                fault.kind,
                fault.path_prefix,
                orjson.dumps(fault.on_calls).decode(),
                fault.rate,
                fault.seed,
                fault.seconds,
                int(fault.after),
                fault.hits_left,
            ),
        ).fetchone()
    return int(row[0])


def clear_faults(usage: Usage) -> None:
    with usage.database.write() as connection:
        connection.execute("DELETE FROM fault")


def list_faults(usage: Usage) -> list[dict[str, object]]:
    return usage.database.named_rows("SELECT * FROM fault ORDER BY id")


def strike(usage: Usage, kind: str, path: str) -> Fault | None:
    """The first fault this call runs into. Every matching fault sees the call and counts it."""
    return _strike(usage, kind, path, is_job=False)


def fail_struck_job(usage: Usage, kind: str) -> None:
    """To be called once when a job or batch of this kind begins. Raises ApiError for one that is to fail."""
    if _strike(usage, kind, "", is_job=True):
        raise _server_error()


def _strike(usage: Usage, kind: str, path: str, *, is_job: bool) -> Fault | None:
    if usage.database.connect().execute("SELECT 1 FROM fault LIMIT 1").fetchone() is None:
        return None
    struck: Fault | None = None
    with usage.database.write() as connection:
        rows = connection.execute(
            "UPDATE fault SET seen = seen + 1 "
            "WHERE (kind = :kind OR (kind = '' AND :kind <> :login)) AND "
            "substr(:path, 1, length(path_prefix)) = path_prefix AND (effect = :job_effect) = :is_job "
            "RETURNING id, seen, effect, kind, path_prefix, on_calls, rate, seed, seconds, after, hits_left",
            {
                "kind": kind,
                "login": LOGIN_KIND,
                "path": path,
                "job_effect": Effect.FAILED_JOB.value,
                "is_job": int(is_job),
            },
        ).fetchall()
        for fault_id, seen, effect, for_kind, prefix, on_calls, rate, seed, seconds, after, left in sorted(rows):
            fault = Fault(
                Effect(effect), for_kind, prefix, tuple(orjson.loads(on_calls)), rate, seed, seconds, bool(after), left
            )
            if struck is None and _hits(fault, seen):
                struck = fault
                connection.execute(
                    "UPDATE fault SET hits = hits + 1, hits_left = hits_left - 1 WHERE id = ?", (fault_id,)
                )
    return struck


def _hits(fault: Fault, seen: int) -> bool:
    if fault.hits_left is not None and fault.hits_left <= 0:
        return False
    return seen in fault.on_calls or random.Random(f"{fault.seed}:{seen}").random() < fault.rate  # noqa: S311  repeatable on purpose


def _server_error() -> ApiError:
    return ApiError("UNKNOWN_EXCEPTION", "An unexpected error occurred.", status=500)


_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_REFUSALS: dict[Effect, Callable[[], ApiError]] = {
    Effect.SERVER_ERROR: _server_error,
    Effect.UNAVAILABLE: lambda: ApiError("SERVER_UNAVAILABLE", "Server unavailable", status=503),
    Effect.UNAUTHORIZED: expired_session,
    Effect.LIMIT: exhausted,
    Effect.CONCURRENT: crowded,
    Effect.METERING: lambda: ApiError("TXN_SECURITY_METERING_ERROR", _POLICIES_TOO_SLOW),
    Effect.EXPIRED_LOCATOR: lambda: ApiError("INVALID_QUERY_LOCATOR", "invalid query locator"),
}


def faulty_response(fault: Fault, refuse: Callable[[ApiError], Response]) -> Response:
    """`refuse` words a refusal as the API that was asked does."""
    if fault.effect in _REFUSALS:
        return refuse(_REFUSALS[fault.effect]())
    match fault.effect:
        case Effect.NOT_ACCEPTABLE | Effect.ENHANCE_YOUR_CALM:
            return EdgeResponse(status_code=int(fault.effect.value))
        case Effect.BAD_GATEWAY:
            return EdgeResponse(_BAD_GATEWAY, status_code=502, media_type="text/html")
        case Effect.TIMEOUT:
            return CutConnection(fault.seconds)
        case Effect.DROP:
            return CutConnection(0)
        case _:
            raise ValueError(f"{fault.effect.value} is no answer of its own.")


class EdgeResponse(Response):
    """Comes from before the org, so it says nothing of the org's allowance."""


class CutConnection(Response):
    """Answers nothing: waits, then has the server cut the connection."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(status_code=500)
        self.wait_seconds = wait_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        await anyio.sleep(self.wait_seconds)
        scope["state"]["cut_connection"](tuple(scope["client"]))
        while (await receive())["type"] != "http.disconnect":
            continue
