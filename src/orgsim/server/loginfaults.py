"""Faults and latency of logging in: OAuth, identity and SOAP login(), which cost nothing and know their org only late.

So every org behind the door that was asked is looked at, for what is laid on the kind "login" and on nothing else.
"""

from collections.abc import Callable

from starlette.responses import Response

from orgsim.errors import ApiError
from orgsim.exchange import SANDBOX_DOOR, Exchange
from orgsim.oauth.errors import OAuthError
from orgsim.rest.faults import LOGIN_KIND, SPOILING, Fault, faulty_response, strike
from orgsim.rest.latency import draw_latency
from orgsim.soap.envelope import NAMESPACES, SoapFault, fault_response
from orgsim.store.org import Org

Answer = Callable[[Exchange], Response]


def with_login_faults(answer: Answer) -> Answer:
    def answer_or_fail(exchange: Exchange) -> Response:
        orgs = [org for org in exchange.state.orgs() if org.is_sandbox == (exchange.door == SANDBOX_DOOR)]
        exchange.delivery.wait_seconds = sum(draw_latency(org.usage, LOGIN_KIND) for org in orgs)
        fault = _strike(orgs, exchange)
        if fault is None:
            return answer(exchange)
        if not fault.comes_after:
            return faulty_response(fault, lambda error: _refuse(exchange, error))
        response = answer(exchange)
        if fault.effect in SPOILING:
            exchange.delivery.spoil(fault.effect.value, fault.seconds)
            return response
        return faulty_response(fault, lambda error: _refuse(exchange, error))

    return answer_or_fail


def _strike(orgs: list[Org], exchange: Exchange) -> Fault | None:
    struck = [strike(org.usage, LOGIN_KIND, exchange.path) for org in orgs]
    return next((fault for fault in struck if fault), None)


def _refuse(exchange: Exchange, error: ApiError) -> Response:
    """In the shape of what was asked; OAuth writes its errors small."""
    api = exchange.path_params.get("api")
    if api in NAMESPACES:
        return fault_response(api, SoapFault(error.code, error.message))
    return OAuthError(error.code.lower(), error.message, error.status).response()
