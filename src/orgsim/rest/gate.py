"""What every call of the data API and of Bulk API 1 passes: who is it, is there allowance left, count it, answer it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

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


@dataclass(frozen=True, slots=True)
class Api:
    """What an API has of its own. `find` raises ApiError for a path that leads nowhere."""

    session: Callable[[Exchange], Session | None]
    find: Callable[[Exchange], tuple[Endpoint, dict[str, Any], str]]
    refuse: Callable[[Exchange, ApiError], Response]
    shows_usage: bool  # whether answers carry Sforce-Limit-Info


def answer(exchange: Exchange) -> Response:
    """Any request under /services/data."""
    if exchange.path.rstrip("/") == "/services/data" and exchange.method == "GET":
        return versions()
    return pass_gate(exchange, _DATA_API)


def pass_gate(exchange: Exchange, api: Api) -> Response:
    session = api.session(exchange)
    if session is None:
        return api.refuse(exchange, expired_session())
    target = _find_target(exchange, api)
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
    response = _respond(exchange, session, target, fault, api) if may_proceed else api.refuse(exchange, _exhausted())
    _pretty(exchange, response)
    if api.shows_usage and not isinstance(response, EdgeResponse):
        response.headers["Sforce-Limit-Info"] = _limit_info(session.org, number)
    usage.finish(number, None if isinstance(response, CutConnection) else response.status_code, _note(fault))
    return response


def _find_target(exchange: Exchange, api: Api) -> _Target:
    try:
        endpoint, params, version = api.find(exchange)
    except ApiError as error:
        return _Target(UNKNOWN_KIND, 1, "", error, {})
    return _Target(endpoint.kind, endpoint.cost(exchange), version, endpoint, params)


def _find_data_endpoint(exchange: Exchange) -> tuple[Endpoint, dict[str, Any], str]:
    version, rest = read_version(exchange.path)
    return *find_endpoint(exchange.method, rest), version


def _refuse(_exchange: Exchange, error: ApiError) -> Response:
    response = refusal(error)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Token"
    return response


_DATA_API = Api(bearer_session, _find_data_endpoint, _refuse, shows_usage=True)


def _respond(exchange: Exchange, session: Session, target: _Target, fault: Fault | None, api: Api) -> Response:
    if fault is not None and not fault.after:
        return faulty_response(fault, lambda error: api.refuse(exchange, error))
    if isinstance(target.endpoint, ApiError):
        return api.refuse(exchange, target.endpoint)
    try:
        response = target.endpoint.handler(Call(exchange.with_params(target.params), session, target.version))
    except ApiError as error:
        response = api.refuse(exchange, error)
    return faulty_response(fault, lambda error: api.refuse(exchange, error)) if fault is not None else response


def _exhausted() -> ApiError:
    return ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def _limit_info(org: Org, journal_number: int) -> str:
    used, most = org.usage.used_calls(), int(org.setting("allowance_calls"))
    if org.setting("header_noise"):
        used = max(0, used + random.Random(journal_number).randint(*_NOISE))  # noqa: S311  repeatable on purpose
    return f"api-usage={used}/{most}"


def _pretty(exchange: Exchange, response: Response) -> None:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    is_whole = not isinstance(response, StreamingResponse) and bool(response.body)
    if exchange.headers.get("x-prettyprint") == "1" and is_json and is_whole:
        response.body = orjson.dumps(orjson.loads(response.body), option=orjson.OPT_INDENT_2)
        response.headers["Content-Length"] = str(len(response.body))


def _note(fault: Fault | None) -> str | None:
    return None if fault is None else f"fault {fault.effect.value} {'after' if fault.after else 'before'} the work"
