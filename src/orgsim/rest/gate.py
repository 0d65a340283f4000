"""What every call of the data API and of Bulk API 1 passes: who is it, is there allowance left, count it, answer it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from orgsim.errors import ApiError, expired_session
from orgsim.exchange import Exchange, refusal
from orgsim.oauth.grants import Session
from orgsim.oauth.identity import bearer_session
from orgsim.rest.allowance import crowded, exhausted, is_crowded, limit_info, room_calls
from orgsim.rest.call import Call
from orgsim.rest.endpoints import Endpoint, find_endpoint, read_version, versions
from orgsim.rest.faults import SPOILING, CutConnection, EdgeResponse, Fault, faulty_response, strike
from orgsim.rest.latency import draw_latency
from orgsim.store.access import refuse_without_api
from orgsim.store.eventlog import client_name
from orgsim.store.org import Org
from orgsim.store.usage import Caller, Outcome

UNKNOWN_KIND = "unknown"


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


@dataclass(frozen=True, slots=True)
class _Passage:
    """A call that has been counted. `barred` is why its work is not done, other than by a fault."""

    number: int
    fault: Fault | None
    barred: ApiError | None
    outcome: Outcome | None = None  # where it is not told by the answer's status


def pass_gate(exchange: Exchange, api: Api) -> Response:
    session = api.session(exchange)
    if session is None:
        return api.refuse(exchange, expired_session())
    if not session.org.setting("api_enabled"):
        return api.refuse(exchange, _switched_off())
    target = _find_target(exchange, api)
    passage = _enter(exchange, session, target)
    usage = session.org.usage
    try:
        response = _respond(exchange, session, target, passage, api)
    except Exception:
        usage.finish(passage.number, Outcome.SERVER_ERROR, 500)
        raise
    _pretty(exchange, response)
    if api.shows_usage and not isinstance(response, EdgeResponse):
        _show_usage(response, session, passage.number)
    status = None if isinstance(response, CutConnection) else response.status_code
    outcome = passage.outcome or Outcome(f"{response.status_code // 100}xx")
    usage.finish(passage.number, outcome, status, _note(passage.fault))
    return response


def _switched_off() -> ApiError:
    return ApiError("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", status=403)


def _enter(exchange: Exchange, session: Session, target: _Target) -> _Passage:
    """Count a call, and see what stands in its way: a fault, too many long requests, the allowance, its own length."""
    org = session.org
    fault = strike(org.usage, target.kind, exchange.path)
    early = fault is not None and not fault.comes_after
    is_full = not early and is_crowded(org)
    ticket = org.running.enter()
    exchange.delivery.when_sent.append(lambda: org.running.leave(ticket))
    free = early or is_full
    number, has_room = org.usage.count(
        Caller(session.user_id, session.client_id),
        target.kind,
        exchange.method,
        exchange.path,
        cost=0 if free else target.cost,
        room_calls=None if free else room_calls(org),
        client_name=client_name(org, target.kind, exchange.headers.get("sforce-call-options", "")),
    )
    if is_full or not has_room:
        return _Passage(number, None, crowded() if is_full else exhausted(), Outcome.REFUSED)
    too_long = _take_time(exchange, org, target.kind)
    return _Passage(number, fault, too_long, Outcome.FAULT if fault else None)


def _take_time(exchange: Exchange, org: Org, kind: str) -> ApiError | None:
    """Hold the answer back as long as calls of this kind take. One that takes too long is given up (facts B.4)."""
    seconds = draw_latency(org.usage, kind)
    if not seconds:
        return None
    most = float(org.setting("request_timeout_seconds"))
    exchange.delivery.wait_seconds = min(seconds, most)
    if seconds < most:
        return None
    return ApiError("QUERY_TIMEOUT", "Your query request was running for too long.")


def _show_usage(response: Response, session: Session, call_number: int) -> None:
    if value := limit_info(session.org, call_number, session.client_id):
        response.headers["Sforce-Limit-Info"] = value


def _find_target(exchange: Exchange, api: Api) -> _Target:
    try:
        endpoint, params, version = api.find(exchange)
    except ApiError as error:
        return _Target(UNKNOWN_KIND, 1, "", error, {})
    return _Target(endpoint.kind, endpoint.cost(exchange), version, endpoint, params)


def _find_data_endpoint(exchange: Exchange) -> tuple[Endpoint, dict[str, Any], str]:
    version, rest = read_version(exchange.path)
    return *find_endpoint(exchange.method, rest, version), version


def _refuse(_exchange: Exchange, error: ApiError) -> Response:
    response = refusal(error)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Token"
    return response


_DATA_API = Api(bearer_session, _find_data_endpoint, _refuse, shows_usage=True)


def _respond(exchange: Exchange, session: Session, target: _Target, passage: _Passage, api: Api) -> Response:
    fault = passage.fault
    if fault is not None and not fault.comes_after:
        return faulty_response(fault, lambda error: api.refuse(exchange, error))
    if passage.barred:
        return api.refuse(exchange, passage.barred)
    if isinstance(target.endpoint, ApiError):
        return api.refuse(exchange, target.endpoint)
    try:
        refuse_without_api(session.org, session.user_id)
        response = target.endpoint.handler(Call(exchange.with_params(target.params), session, target.version))
    except ApiError as error:
        response = api.refuse(exchange, error)
    if fault is None:
        return response
    if fault.effect in SPOILING:
        exchange.delivery.spoil(fault.effect.value, fault.seconds)
        return response
    return faulty_response(fault, lambda error: api.refuse(exchange, error))


def _pretty(exchange: Exchange, response: Response) -> None:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    is_whole = not isinstance(response, StreamingResponse) and bool(response.body)
    if exchange.headers.get("x-prettyprint") == "1" and is_json and is_whole:
        response.body = orjson.dumps(orjson.loads(response.body), option=orjson.OPT_INDENT_2)
        response.headers["Content-Length"] = str(len(response.body))


def _note(fault: Fault | None) -> str | None:
    if fault is None:
        return None
    return f"fault {fault.effect.value} {'after' if fault.comes_after else 'before'} the work"
