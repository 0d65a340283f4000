"""Sends an answer as the gate wants it sent: after a wait, and with whatever has to be done when it is out."""

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orgsim.exchange import Delivery


class Delivered:
    """An answer together with its delivery, callable as any ASGI answer is."""

    def __init__(self, response: Response, delivery: Delivery) -> None:
        self._response = response
        self._delivery = delivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._delivery.wait_seconds:
                await anyio.sleep(self._delivery.wait_seconds)
            await self._response(scope, receive, send)
        finally:
            self._delivery.end()
