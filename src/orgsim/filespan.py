"""An answer whose body is a span of a file: copied by the kernel where the server can, else sent in large pieces."""

import os
from collections.abc import Mapping
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orgsim.store.linefile import Span

ZERO_COPY = "http.response.zerocopysend"  # ASGI's name for it
_PIECE_BYTES = 1024 * 1024


class SpanResponse(Response):
    """`head`, the span, `tail`."""

    def __init__(self, span: Span, *, head: bytes = b"", tail: bytes = b"", headers: Mapping[str, str]) -> None:
        super().__init__(headers=headers)
        self._span, self._head, self._tail = span, head, tail
        self.headers["Content-Length"] = str(len(head) + span.size_bytes + len(tail))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI calls it so
        # Opened first: once the head is out there is no other answer to give.
        descriptor = await run_in_threadpool(_open, self._span.path)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self._head, "more_body": True})
            if ZERO_COPY in scope.get("extensions", {}):
                await self._send_by_kernel(descriptor, send)
            else:
                await self._send_in_pieces(descriptor, send)
            await send({"type": "http.response.body", "body": self._tail, "more_body": False})
        finally:
            os.close(descriptor)

    async def _send_by_kernel(self, descriptor: int, send: Send) -> None:
        span = {"file": descriptor, "offset": self._span.offset_bytes, "count": self._span.size_bytes}
        await send({"type": ZERO_COPY, **span, "more_body": True})

    async def _send_in_pieces(self, descriptor: int, send: Send) -> None:
        at_bytes, end = self._span.offset_bytes, self._span.offset_bytes + self._span.size_bytes
        while at_bytes < end:
            wanted = min(_PIECE_BYTES, end - at_bytes)
            piece = await run_in_threadpool(os.pread, descriptor, wanted, at_bytes)
            if not piece:
                raise EOFError(f"{self._span.path} ends too early")
            at_bytes += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})


def send_in_pieces(scope: Scope) -> None:
    """For whoever must see the body on its way."""
    scope.get("extensions", {}).pop(ZERO_COPY, None)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY)
