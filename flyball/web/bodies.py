"""Request bodies within bounds of size and time, and answers about them."""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

MAX_BODY_BYTES: Final = 1024 * 1024
BODY_SECONDS: Final = 10.0
_DRAIN_BYTES: Final = 16 * MAX_BODY_BYTES
_DRAIN_SECONDS: Final = 5.0


class BodyRefused(Exception):
    """A body that is too large (413) or too slow (408)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def json_error(code: int, message: str, *, field: str = "", headers: dict[str, str] | None = None) -> Response:
    """An error as JSON: `error` says what is wrong, `field` where."""
    body = {"error": message} | ({"field": field} if field else {})
    return JSONResponse(body, status_code=code, headers=headers)


def announced_bytes(request: Request) -> int:
    """What Content-Length announces; 0 without one. The server has checked that it is a number."""
    text = request.headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


async def read_body(request: Request, most_bytes: int = MAX_BODY_BYTES, most_seconds: float = BODY_SECONDS) -> bytes:
    """The whole body. Raises `BodyRefused` when it is too large or takes too long."""
    if announced_bytes(request) > most_bytes:
        raise _too_large(most_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(most_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise _too_large(most_bytes)
    except TimeoutError:
        raise BodyRefused(408, f"the body did not arrive within {most_seconds:.0f} seconds") from None
    return bytes(body)


async def drain(request: Request) -> None:
    """Read what the client still sends and forget it, so that it gets to read our refusal; within bounds.

    A client that asks first (Expect: 100-continue) sends nothing, so nothing is read.
    """
    if request.headers.get("expect"):
        return
    left = _DRAIN_BYTES
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: it has been read already
        return


def _too_large(most_bytes: int) -> BodyRefused:
    return BodyRefused(413, f"the body is larger than {most_bytes} bytes")
