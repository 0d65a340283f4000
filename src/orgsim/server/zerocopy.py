"""Lets uvicorn's HTTP/1.1 protocol copy a file to the socket inside the kernel (ASGI's http.response.zerocopysend).

Not over TLS, where the bytes must pass through this process anyway, and not for HEAD, which has no body.
"""

import asyncio
import os
from dataclasses import dataclass

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from orgsim.filespan import ZERO_COPY


@dataclass(frozen=True, slots=True)
class _Absent:
    """Stands for bytes that h11 counts without seeing them."""

    size_bytes: int

    def __len__(self) -> int:
        return self.size_bytes


class CopyFiles:
    """The app of one connection, which is told of the extension."""

    def __init__(self, app: ASGIApp, protocol: H11Protocol) -> None:
        self._app = app
        self._protocol = protocol

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = self._protocol.cycle  # the next request begins only when this one has its answer

        async def send_or_copy(message: Message) -> None:
            if message["type"] == ZERO_COPY:
                await _copy(cycle, message)
            else:
                await send(message)

        if scope["type"] == "http" and scope["method"] != "HEAD":
            scope["extensions"] = {**scope.get("extensions", {}), ZERO_COPY: {}}
        await self._app(scope, receive, send_or_copy)


async def _copy(cycle: RequestResponseCycle, message: Message) -> None:
    span = _Absent(message["count"])
    if not span.size_bytes or cycle.disconnected or cycle.transport.is_closing():
        return
    event = h11.Data(data=span)  # type: ignore[arg-type]  # as h11 documents it for sendfile
    pieces: list[bytes | _Absent] = [*(cycle.conn.send_with_data_passthrough(event) or ())]
    for piece in pieces:
        if isinstance(piece, _Absent):
            await _copy_span(cycle.transport, message["file"], message["offset"], message["count"])
        else:
            cycle.transport.write(piece)


async def _copy_span(transport: asyncio.Transport, descriptor: int, offset_bytes: int, size_bytes: int) -> None:
    with os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
        try:
            sent_bytes = await asyncio.get_running_loop().sendfile(transport, file, offset_bytes, size_bytes)
        except ConnectionError:  # the client has gone, as it may
            transport.abort()
            return
    if sent_bytes < size_bytes:  # the file ended early; an answer cut short is one the client notices
        transport.abort()
