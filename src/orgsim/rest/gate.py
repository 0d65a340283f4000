"""What every call of the data API passes: who is it, is there allowance left, count it, answer it."""

import random
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from orgsim.errors import ApiError, expired_session
from orgsim.exchange import Exchange, refusal
from orgsim.oauth.grants import Session
from orgsim.oauth.identity import bearer_session
from orgsim.rest.call import Call
from orgsim.rest.endpoints import Endpoint, find_endpoint, read_version, versions
from orgsim.rest.faults import CutConnection, EdgeResponse, Fault, faulty_response, strike
from orgsim.store.org import Org
from orgsim.store.usage import Caller

UNKNOWN_KIND = "unknown"
_NOISE = (-6, 7)  # the middle 98 % of what real orgs showed (facts B.3)


@dataclass(frozen=True, slots=True)
class _Target:
    """What a path leads to: an endpoint, or the refusal of one that does not exist, which is counted like any call."""

    kind: str
    cost: int
    version: str
    endpoint: Endpoint | ApiError
    params: dict[str, Any]


def answer(exchange: Exchange) -> Response:
    """Any request under /services/data."""
    if exchange.path.rstrip("/") == "/services/data" and exchange.method == "GET":
        return versions()
    session = bearer_session(exchange)
    if session is None:
        response = refusal(expired_session())
        response.headers["WWW-Authenticate"] = "Token"
        return response
    target = _find_target(exchange)
    usage = session.org.usage
    fault = strike(usage, target.kind, exchange.path)
    early = fault is not None and not fault.after
    room = None if session.org.setting("may_overshoot") or early else int(session.org.setting("allowance_calls"))
    number, may_proceed = usage.count(
        Caller(session.user_id, session.client_id),
        target.kind,
        exchange.method,
        exchange.path,
        cost=0 if early else target.cost,
        room_calls=room,
    )
    response = _respond(exchange, session, target, fault) if may_proceed else refusal(_exhausted())
    _pretty(exchange, response)
    if not isinstance(response, EdgeResponse):
        response.headers["Sforce-Limit-Info"] = _limit_info(session.org, number)
    usage.finish(number, None if isinstance(response, CutConnection) else response.status_code, _note(fault))
    return response


def _find_target(exchange: Exchange) -> _Target:
    try:
        version, rest = read_version(exchange.path)
        endpoint, params = find_endpoint(exchange.method, rest)
    except ApiError as error:
        return _Target(UNKNOWN_KIND, 1, "", error, {})
    return _Target(endpoint.kind, endpoint.cost(exchange), version, endpoint, params)


def _respond(exchange: Exchange, session: Session, target: _Target, fault: Fault | None) -> Response:
    if fault is not None and not fault.after:
        return faulty_response(fault)
    if isinstance(target.endpoint, ApiError):
        return refusal(target.endpoint)
    try:
        response = target.endpoint.handler(Call(exchange.with_params(target.params), session, target.version))
    except ApiError as error:
        response = refusal(error)
    return faulty_response(fault) if fault is not None else response


def _exhausted() -> ApiError:
    return ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def _limit_info(org: Org, journal_number: int) -> str:
    used, most = org.usage.used_calls(), int(org.setting("allowance_calls"))
    if org.setting("header_noise"):
        used = max(0, used + random.Random(journal_number).randint(*_NOISE))  # noqa: S311  repeatable on purpose
    return f"api-usage={used}/{most}"


def _pretty(exchange: Exchange, response: Response) -> None:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    if exchange.headers.get("x-prettyprint") == "1" and is_json and response.body:
        response.body = orjson.dumps(orjson.loads(response.body), option=orjson.OPT_INDENT_2)
        response.headers["Content-Length"] = str(len(response.body))


def _note(fault: Fault | None) -> str | None:
    return None if fault is None else f"fault {fault.effect.value} {'after' if fault.after else 'before'} the work"
