"""Bodies of requests: kept in a file when they are large, and rid of their compression (facts C.5).

gzip and deflate are taken wherever a body is. Neither step holds more than a piece of the body in memory.
"""

import zlib
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.requests import Request

from orgsim.errors import ApiError

# More than any endpoint takes, so that its own limit answers; and a bomb stops here.
MAX_BODY_BYTES = 256 * 1024 * 1024
_IN_MEMORY_BYTES = 1024 * 1024
_PIECE_BYTES = 256 * 1024
_AUTOMATIC_HEADER = 32 + zlib.MAX_WBITS  # gzip's or zlib's, whichever the body begins with


async def receive(request: Request, folder: Path) -> IO[bytes]:
    """The body as it was sent. To be closed by the caller."""
    content = _new_file(folder)
    try:
        async for piece in request.stream():
            content.write(piece)
    except BaseException:
        content.close()
        raise
    return content


def decoded(content: IO[bytes], encoding: str, folder: Path) -> IO[bytes]:
    """The same file, or a new one. Raises ApiError for an encoding that is not known, or a body that is not of it."""
    if encoding.lower() in ("", "identity"):
        return content
    if encoding.lower() not in ("gzip", "deflate"):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", f"Content-Encoding {encoding} is not supported", status=415)
    plain = _new_file(folder)
    try:
        _decompress(content, plain)
    except zlib.error as error:
        plain.close()
        raise ApiError("CLIENT_ERROR", f"The body is not {encoding}: {error}") from error
    except BaseException:
        plain.close()
        raise
    return plain


def _decompress(content: IO[bytes], plain: IO[bytes]) -> None:
    reader = zlib.decompressobj(_AUTOMATIC_HEADER)
    content.seek(0)
    while not reader.eof:
        piece = reader.unconsumed_tail or content.read(_PIECE_BYTES)
        text = reader.decompress(piece, _PIECE_BYTES)
        if not (piece or text or reader.eof):
            raise ApiError("CLIENT_ERROR", "The body ends too early")
        plain.write(text)
        if plain.tell() > MAX_BODY_BYTES:
            raise ApiError("CLIENT_ERROR", "The body is too large", status=413)


def _new_file(folder: Path) -> IO[bytes]:
    return SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, dir=str(folder))
