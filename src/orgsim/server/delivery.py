"""Sends an answer as the gate wants it sent: after a wait, whole or spoiled, and with what is to be done after it.

What is spoiled is decided elsewhere (rest/faults.py). A document is broken before it is compressed, a body cut or
dripped after it, as a network would.
"""

import anyio
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orgsim.exchange import Delivery
from orgsim.filespan import send_in_pieces
from orgsim.rest.faults import Effect

_DROPS = 10
_LEAVE_SECONDS = 0.05  # for what has been sent to get out before the connection is cut


class Delivered:
    """An answer together with its delivery, callable as any ASGI answer is."""

    def __init__(self, response: Response, delivery: Delivery) -> None:
        self._response = response
        self._delivery = delivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._delivery.wait_seconds:
                await anyio.sleep(self._delivery.wait_seconds)
            if self._delivery.spoiled:
                send_in_pieces(scope)
            if self._delivery.spoiled == Effect.MALFORMED:
                await _send_malformed(self._response, scope, receive, send)
            else:
                await self._response(scope, receive, send)
        finally:
            self._delivery.end()


class SpoilBodies:
    """Middleware: cuts a body in half, or lets it drip, where the delivery says so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = _Kept()

        async def keep(message: Message) -> None:
            delivery: Delivery | None = scope.get("state", {}).get("delivery")
            if delivery is None or delivery.spoiled not in (Effect.TRUNCATED, Effect.SLOW):
                await send(message)
            elif kept.is_whole_with(message):
                await _send_spoiled(kept, delivery, scope, receive, send)

        await self.app(scope, receive, keep)


class _Kept:
    """An answer whose messages are held back until the last has come."""

    def __init__(self) -> None:
        self.start: Message = {}
        self.body = b""

    def is_whole_with(self, message: Message) -> bool:
        if message["type"] == "http.response.start":
            self.start = message
            return False
        self.body += message.get("body", b"")
        return not message.get("more_body", False)


async def _send_malformed(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Without its last character no JSON or XML document ends, and no quoted cell of a CSV."""
    kept = _Kept()

    async def keep(message: Message) -> None:
        if kept.is_whole_with(message):
            body = kept.body.rstrip()[:-1]
            told = [(name, value) for name, value in kept.start["headers"] if name.lower() != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            await send({**kept.start, "headers": [*told, length] if body else kept.start["headers"]})
            await send({"type": "http.response.body", "body": body})

    await response(scope, receive, keep)


async def _send_spoiled(kept: _Kept, delivery: Delivery, scope: Scope, receive: Receive, send: Send) -> None:
    await send(kept.start)
    if delivery.spoiled == Effect.TRUNCATED:
        await send({"type": "http.response.body", "body": kept.body[: len(kept.body) // 2], "more_body": True})
        await anyio.sleep(_LEAVE_SECONDS)
        scope["state"]["cut_connection"](tuple(scope["client"]))
        while (await receive())["type"] != "http.disconnect":
            continue
        return
    step = max(1, -(-len(kept.body) // _DROPS))
    for start in range(0, len(kept.body), step):
        await anyio.sleep(delivery.drip_seconds / _DROPS)
        await send({"type": "http.response.body", "body": kept.body[start : start + step], "more_body": True})
    await send({"type": "http.response.body", "body": b""})
