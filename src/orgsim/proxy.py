"""A CONNECT proxy for clients that know only Salesforce's own host names: it leads those names to this server.

It opens nothing: the client's TLS runs through it to a listener with a certificate for the name. Every other host is
refused, so nothing ever leaves the machine by it. Loopback only.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import anyio
import h11
from anyio.abc import SocketListener, SocketStream

HTTPS_PORT = 443
_LOST = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


def names(pattern: str, host: str) -> bool:
    """As in a certificate: `*.` at the beginning stands for exactly one label."""
    if not pattern.startswith("*."):
        return host == pattern
    label, _, parent = host.partition(".")
    return bool(label) and parent == pattern.removeprefix("*.")


class ConnectProxy:
    """Answers on a bound socket. `find_port` gives the loopback port behind a host name, None for any other host."""

    def __init__(self, bound: socket.socket, find_port: Callable[[str], int | None]) -> None:
        self._bound = bound
        self._find_port = find_port

    async def serve(self) -> None:
        """Until cancelled."""
        async with await SocketListener.from_socket(self._bound) as listener:
            await listener.serve(self._answer)

    async def _answer(self, client: SocketStream) -> None:
        async with client:
            with suppress(*_LOST):  # the client went away, and there is nobody left to tell
                await self._lead(client)

    async def _lead(self, client: SocketStream) -> None:
        http = h11.Connection(h11.SERVER)
        try:
            port = self._target_port(await _read_request(http, client))
        except h11.RemoteProtocolError as error:
            await _refuse(http, client, error.error_status_hint, str(error))
            return
        if port is None:
            await _refuse(http, client, 403, "This proxy leads only to Salesforce's host names on port 443.")
            return
        async with await anyio.connect_tcp("127.0.0.1", port) as door:
            await client.send(http.send(h11.Response(status_code=200, headers=[])) or b"")
            await _tunnel(client, door, http.trailing_data[0])

    def _target_port(self, request: h11.Request) -> int | None:
        """Raises h11.RemoteProtocolError when the target is not host:port."""
        if request.method != b"CONNECT":
            return None
        try:
            target = urlsplit(f"//{request.target.decode('ascii')}")
            host, port = target.hostname, target.port
        except ValueError as error:
            raise h11.RemoteProtocolError(f"Not a host and port: {error}") from error
        return self._find_port(host) if host and port == HTTPS_PORT else None


async def _read_request(http: h11.Connection, client: SocketStream) -> h11.Request:
    """Raises h11.RemoteProtocolError and anyio.EndOfStream."""
    request: h11.Request | None = None
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await client.receive())
        elif isinstance(event, h11.Request):
            request = event
        elif request is not None:
            return request  # the end of its headers, or the beginning of a body that nobody will read


async def _refuse(http: h11.Connection, client: SocketStream, status: int, sentence: str) -> None:
    body = f"{sentence}\n".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("Connection", "close")]
    for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
        await client.send(http.send(event) or b"")


async def _tunnel(client: SocketStream, door: SocketStream, already_sent: bytes) -> None:
    """Until either side ends."""
    if already_sent:
        await door.send(already_sent)
    async with anyio.create_task_group() as group:

        async def pump(source: SocketStream, target: SocketStream) -> None:
            with suppress(*_LOST):  # a cut connection ends the tunnel like a closed one
                async for chunk in source:
                    await target.send(chunk)
            group.cancel_scope.cancel()

        group.start_soon(pump, client, door)
        group.start_soon(pump, door, client)
