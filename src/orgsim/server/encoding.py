"""Undoes the compression of a request's body: gzip and deflate are taken wherever a body is (facts C.5)."""

import zlib

from orgsim.errors import ApiError

# More than any endpoint takes, so that its own limit answers; and a bomb stops here.
MAX_BODY_BYTES = 256 * 1024 * 1024
_AUTOMATIC_HEADER = 32 + zlib.MAX_WBITS  # gzip's or zlib's, whichever the body begins with


def decoded(body: bytes, encoding: str) -> bytes:
    """Raises ApiError for an encoding that is not known, or a body that is not of it."""
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "deflate"):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", f"Content-Encoding {encoding} is not supported", status=415)
    reader = zlib.decompressobj(_AUTOMATIC_HEADER)
    try:
        text = reader.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise ApiError("CLIENT_ERROR", f"The body is not {encoding}: {error}") from error
    if not reader.eof:
        message = "The body is too large" if reader.unconsumed_tail else "The body ends too early"
        raise ApiError("CLIENT_ERROR", message, status=413 if reader.unconsumed_tail else 400)
    return text
