"""Binds the ports and runs uvicorn on them, in the foreground or in a thread; the proxy has a thread of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from orgsim.proxy import ConnectProxy, names
from orgsim.server.app import Doors, Parts, build_app
from orgsim.server.edge import MAX_PARSED_BYTES
from orgsim.server.zerocopy import CopyFiles
from orgsim.store.state import State
from orgsim.tls import PRODUCTION_HOSTS, SANDBOX_HOSTS, TlsFiles

_GRACEFUL_SECONDS = 3
_KEEP_ALIVE_SECONDS = 60  # longer than clients wait between polls, or they would meet a door that is just closing
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class ProxyListening:
    """Where the CONNECT proxy listens, always on loopback, and the certificate for Salesforce's names."""

    port: int
    tls: TlsFiles


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8700
    sandbox_port: int = 8701
    certificate: Path | None = None
    key: Path | None = None
    proxy: ProxyListening | None = None

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"


@dataclass(frozen=True, slots=True)
class Addresses:
    url: str
    sandbox_url: str
    proxy_url: str | None = None


class OrgServer:
    """A bound server. `run` blocks until it is stopped."""

    def __init__(self, state: State, listening: Listening) -> None:
        self._sockets = [_bind(listening.host, port) for port in (listening.port, listening.sandbox_port)]
        ports = [_port(each) for each in self._sockets]
        doors = Doors(frozenset(ports[1:]))
        transports: dict[tuple[str, int], Any] = {}

        def cut(client: tuple[str, int]) -> None:
            if client in transports:  # else the client has gone meanwhile
                transports[client].abort()

        app = build_app(Parts(state, doors, cut))
        protocol = _protocol_class(transports)
        self._server = _uvicorn(app, protocol, listening.certificate, listening.key, lifespan=True)
        self._proxy: _ProxyThread | None = None
        if listening.proxy:
            tls = listening.proxy.tls
            behind = _uvicorn(app, protocol, tls.certificate, tls.key, lifespan=False)
            self._proxy = _ProxyThread(listening.proxy.port, behind)
            doors.sandbox_ports |= {self._proxy.sandbox_port}
        url, sandbox_url = (f"{listening.scheme}://{listening.host}:{port}" for port in ports)
        self.addresses = Addresses(url, sandbox_url, self._proxy.url if self._proxy else None)

    def run(self) -> None:
        if self._proxy:
            self._proxy.start()
        try:
            self._server.run(sockets=self._sockets)
        finally:
            if self._proxy:
                self._proxy.stop()
            for each in self._sockets:
                each.close()

    def stop(self) -> None:
        self._server.should_exit = True


class _ProxyThread:
    """The CONNECT proxy, and behind it the app once more, under Salesforce's names on two ports of its own."""

    def __init__(self, port: int, behind: uvicorn.Server) -> None:
        self._behind = behind
        self._bound = _bind("127.0.0.1", port)
        self._doors = [_bind("127.0.0.1", 0) for _ in range(2)]
        self.url = f"http://127.0.0.1:{_port(self._bound)}"
        self.production_port, self.sandbox_port = (_port(each) for each in self._doors)
        self._thread = threading.Thread(target=anyio.run, args=(self._serve,), name="orgsim-proxy")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._behind.should_exit = True
        self._thread.join()
        for each in (self._bound, *self._doors):
            each.close()

    async def _serve(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(ConnectProxy(self._bound, self._find_port).serve)
            await self._behind.serve(sockets=self._doors)
            group.cancel_scope.cancel()

    def _find_port(self, host: str) -> int | None:
        if any(names(each, host) for each in SANDBOX_HOSTS):
            return self.sandbox_port
        return self.production_port if any(names(each, host) for each in PRODUCTION_HOSTS) else None


def _uvicorn(
    app: Starlette, protocol: type[H11Protocol], certificate: Path | None, key: Path | None, *, lifespan: bool
) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=protocol,
        h11_max_incomplete_event_size=MAX_PARSED_BYTES,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
        loop="asyncio",  # uvloop has no sendfile
        lifespan="on" if lifespan else "off",
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    return uvicorn.Server(config)


@contextmanager
def serving(state: State, listening: Listening) -> Iterator[Addresses]:
    """Run in a thread of this process. The sockets listen already when the context is entered."""
    server = OrgServer(state, listening)
    thread = threading.Thread(target=server.run, name="orgsim-server")
    thread.start()
    try:
        yield server.addresses
    finally:
        server.stop()
        thread.join()


def _bind(host: str, port: int) -> socket.socket:
    """Listens at once, so that a client that is early waits instead of being refused.

    The protocol is named because asyncio switches Nagle's delay off only on sockets that say they are TCP.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(address)
    bound.listen(_BACKLOG)
    return bound


def _port(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


def _protocol_class(transports: dict[tuple[str, int], Any]) -> type[H11Protocol]:
    """uvicorn's protocol, remembering the transport of each client so that a fault can cut it."""

    class CuttableProtocol(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if transport.get_extra_info("sslcontext") is None:
                self.app = CopyFiles(self.app, self)
            if self.client:
                transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client:
                transports.pop(self.client, None)
            super().connection_lost(exc)

    return CuttableProtocol
