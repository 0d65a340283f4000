"""What stands before the org: refuses addresses and headers that are too long (facts B.4), spells headers, compresses.

The org never hears of a refused request, so nothing is counted and no login is looked at.
"""

from functools import cache

from isal import isal_zlib
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipResponder
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orgsim.filespan import send_in_pieces

MAX_HEAD_BYTES = 16_384
# What the HTTP parser still reads, so that the refusal comes from here; longer heads it refuses itself with 400.
MAX_PARSED_BYTES = 1_048_576
_GUARDED = "/services/"
_VARY = (b"Vary", b"Accept-Encoding")
_GZIP_BYTES = 1000
_GZIP_LEVEL = 2  # of 0 to 3, each many times as fast as zlib's
_GZIP_FORMAT = 31  # the widest window, with gzip's head and tail
_ODDLY_SPELLED = {
    b"etag": b"ETag",
    b"sforce-numberofrecords": b"Sforce-NumberOfRecords",
    b"www-authenticate": b"WWW-Authenticate",
}


class RefuseLongHeads:
    """414 when the address alone is too long, 431 when it is so together with the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = _refusal_status(scope) if scope["type"] == "http" and scope["path"].startswith(_GUARDED) else 0
        if not status:
            await self.app(scope, receive, send)
            return
        sentence = "URI Too Long" if status == 414 else "Request Header Fields Too Large"
        response = HTMLResponse(f"<html><head><title>{status} {sentence}</title></head></html>", status)
        await response(scope, receive, send)


class SpellHeaders:
    """Names of answers' headers with capitals, as Salesforce's own: some clients look at the case (facts C.6).

    Vary stands on all answers of the org, also on those too short to be compressed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def spell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(_spelled(name), value) for name, value in message["headers"]]
                has_vary = any(name == _VARY[0] for name, _ in headers)
                message["headers"] = headers if has_vary else [*headers, _VARY]
            await send(message)

        await self.app(scope, receive, spell)


class CompressWhenAsked:
    """gzip for clients that take it. All others are answered directly, with files copied by the kernel."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "gzip" in Headers(scope=scope).get("Accept-Encoding", ""):
            send_in_pieces(scope)
            await _QuickGzip(self._plain, _GZIP_BYTES)(scope, receive, send)
        else:
            await self._plain(scope, receive, send)


class _QuickGzip(GZipResponder):
    """An org has machines enough to compress; here the client's share of this one must not go into it."""

    _quick: isal_zlib.Compress | None = None

    def _compress_body(self, body: bytes, more_body: bool) -> bytes:
        self._quick = self._quick or isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_FORMAT)
        flushing = isal_zlib.Z_SYNC_FLUSH if more_body else isal_zlib.Z_FINISH
        return self._quick.compress(body) + self._quick.flush(flushing)


@cache
def _spelled(name: bytes) -> bytes:
    return _ODDLY_SPELLED.get(name) or b"-".join(part.capitalize() for part in name.split(b"-"))


def _refusal_status(scope: Scope) -> int:
    address = len(scope["raw_path"]) + len(scope["query_string"])
    if address > MAX_HEAD_BYTES:
        return 414
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return 431 if address + headers > MAX_HEAD_BYTES else 0
