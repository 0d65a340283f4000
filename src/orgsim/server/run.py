"""Binds the two ports and runs uvicorn on them, in the foreground or in a thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from orgsim.server.app import Doors, Parts, build_app
from orgsim.store.state import State

_GRACEFUL_SECONDS = 3
_BACKLOG = 128


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8700
    sandbox_port: int = 8701
    certificate: Path | None = None
    key: Path | None = None

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"


@dataclass(frozen=True, slots=True)
class Addresses:
    url: str
    sandbox_url: str


class OrgServer:
    """A bound server. `run` blocks until it is stopped."""

    def __init__(self, state: State, listening: Listening) -> None:
        self._sockets = [_bind(listening.host, port) for port in (listening.port, listening.sandbox_port)]
        ports = [each.getsockname()[1] for each in self._sockets]
        self.addresses = Addresses(*(f"{listening.scheme}://{listening.host}:{port}" for port in ports))
        transports: dict[tuple[str, int], Any] = {}
        parts = Parts(state, Doors(sandbox_port=ports[1]), lambda client: transports[client].abort())
        config = uvicorn.Config(
            build_app(parts),
            http=_protocol_class(transports),
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=_GRACEFUL_SECONDS,
            ssl_certfile=listening.certificate,
            ssl_keyfile=listening.key,
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        try:
            self._server.run(sockets=self._sockets)
        finally:
            for each in self._sockets:
                each.close()

    def stop(self) -> None:
        self._server.should_exit = True


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


def _protocol_class(transports: dict[tuple[str, int], Any]) -> type[H11Protocol]:
    """uvicorn's protocol, remembering the transport of each client so that a fault can cut it."""

    class CuttableProtocol(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if self.client:
                transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client:
                transports.pop(self.client, None)
            super().connection_lost(exc)

    return CuttableProtocol
