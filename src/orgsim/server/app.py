"""Routes requests to plain functions in a thread pool, and keeps what they share: the state and the background."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import IO

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orgsim.background import Background
from orgsim.bulk import load
from orgsim.bulk import query as bulk_query
from orgsim.bulk.jobs import jobs_in
from orgsim.bulk1 import resource as bulk1
from orgsim.bulk1 import work as bulk1_work
from orgsim.bulk1.batches import unfinished_batches
from orgsim.errors import ApiError
from orgsim.exchange import PRODUCTION_DOOR, SANDBOX_DOOR, Exchange, refusal
from orgsim.metadata import resource as metadata
from orgsim.oauth import authorize, identity, idtoken, token
from orgsim.rest import gate
from orgsim.server import admin, pages
from orgsim.server.bodies import decoded, receive
from orgsim.server.delivery import Delivered, SpoilBodies
from orgsim.server.edge import CompressWhenAsked, RefuseLongHeads, SpellHeaders
from orgsim.server.loginfaults import with_login_faults
from orgsim.soap import login as soap_login
from orgsim.store.state import State

Answer = Callable[[Exchange], Response]
_EDGE_HEADERS = {
    "Server": "sfdcedge",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "none",
}
_LOGIN_PATHS = ("/services/oauth2/", "/services/Soap/", "/id/", "/.well-known/")
_EVERYTHING = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROUTES: tuple[tuple[str, Answer, *tuple[str, ...]], ...] = (
    ("/services/oauth2/authorize", authorize.authorize, "GET", "POST"),
    ("/services/oauth2/authorize/login", authorize.log_in, "POST"),
    ("/services/oauth2/authorize/approve", authorize.approve, "POST"),
    ("/services/oauth2/token", token.token, "POST"),
    ("/services/oauth2/revoke", token.revoke_token, "GET", "POST"),
    ("/services/oauth2/introspect", token.introspect, "POST"),
    ("/services/oauth2/userinfo", identity.userinfo, "GET", "POST"),
    ("/id/keys", idtoken.keys, "GET"),
    ("/id/{org_id}/{user_id}", identity.identity, "GET", "POST"),
    ("/.well-known/openid-configuration", identity.discovery, "GET"),
    ("/services/Soap/{api}/{version}", soap_login.answer, "POST"),
    ("/services/async/{rest:path}", bulk1.answer, *_EVERYTHING),
    ("/services/data", gate.answer, *_EVERYTHING),
    ("/services/data/{rest:path}", gate.answer, *_EVERYTHING),
    ("/orgsim/", pages.show_all, "GET"),
    ("/orgsim/org/{org_id}", pages.show_org, "GET"),
    ("/orgsim/org/{org_id}/records", pages.show_records, "GET"),
    ("/orgsim/form/{deed}", pages.take_form, "POST"),
    ("/orgsim/{rest:path}", admin.answer, *_EVERYTHING),
)


@dataclass(slots=True)
class Doors:
    """Which ports are the sandbox's; known only once the sockets are bound."""

    sandbox_ports: frozenset[int] = frozenset()


@dataclass(slots=True)
class Parts:
    state: State
    doors: Doors
    cut_connection: Callable[[tuple[str, int]], None]
    background: Background = field(default_factory=Background)


def build_app(parts: Parts) -> Starlette:
    def route(path: str, answer: Answer, *methods: str) -> Route:
        guarded = with_login_faults(answer) if path.startswith(_LOGIN_PATHS) else answer

        async def endpoint(request: Request) -> Delivered:
            request.state.cut_connection = parts.cut_connection
            with await receive(request, parts.state.folder) as content:
                exchange = _read(parts, request, content)
                request.state.delivery = exchange.delivery
                try:
                    response = await run_in_threadpool(_answer, exchange, guarded)
                except BaseException:
                    exchange.delivery.end()
                    raise
            # A client must take the org's time from here, never from its own clock (facts C.1).
            response.headers["Date"] = format_datetime(parts.state.clock.now(), usegmt=True)
            _add_edge_headers(response, is_secure=request.url.scheme == "https")
            return Delivered(response, exchange.delivery)

        return Route(path, endpoint, methods=list(methods))

    return Starlette(
        routes=[route(path, answer, *methods) for path, answer, *methods in ROUTES],
        middleware=[
            Middleware(SpellHeaders),
            Middleware(SpoilBodies),
            Middleware(RefuseLongHeads),
            Middleware(CompressWhenAsked),
        ],
        lifespan=_lifespan(parts),
    )


def _answer(exchange: Exchange, answer: Answer) -> Response:
    """With the compression of the body undone."""
    try:
        encoding = exchange.headers.get("content-encoding", "")
        content = decoded(exchange.content, encoding, exchange.state.folder)
    except ApiError as error:
        return refusal(error)
    with content:
        return answer(replace(exchange, content=content))


def _add_edge_headers(response: Response, *, is_secure: bool) -> None:
    """What stands before every org adds to whatever it answers (facts C.6)."""
    for name, value in _EDGE_HEADERS.items():
        response.headers.setdefault(name, value)
    if is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    request_id = secrets.token_hex(16)
    response.headers["X-SFDC-Request-Id"] = request_id
    response.headers["X-Request-Id"] = request_id


def _read(parts: Parts, request: Request, content: IO[bytes]) -> Exchange:
    server = request.scope.get("server") or ("", 0)
    is_sandbox = server[1] in parts.doors.sandbox_ports
    return Exchange(
        state=parts.state,
        background=parts.background,
        door=SANDBOX_DOOR if is_sandbox else PRODUCTION_DOOR,
        base_url=f"{request.url.scheme}://{request.url.netloc}",
        method=request.method,
        path=request.url.path,
        query=request.query_params,
        headers=request.headers,
        content=content,
        client_host=request.client.host if request.client else "",
        path_params=dict(request.path_params),
    )


def _lifespan(parts: Parts) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(_resume, parts)
        yield
        await run_in_threadpool(parts.background.close)

    return lifespan


def _resume(parts: Parts) -> None:
    """Take up what an earlier run of the server left unfinished."""
    unfinished = ("UploadComplete", "InProgress")
    for org in parts.state.orgs():
        for job in jobs_in(org, bulk_query.FAMILY, unfinished):
            job.save("UploadComplete")
            bulk_query.start(org, job.id, parts.background)
        for job in jobs_in(org, load.FAMILY, unfinished):
            load.start(org, job.id, parts.background)
        for job_id, batch_id in unfinished_batches(org):
            bulk1_work.start(org, job_id, batch_id, parts.background)
        for deploy_id in metadata.unfinished(org):
            metadata.start(org, deploy_id, parts.background)
