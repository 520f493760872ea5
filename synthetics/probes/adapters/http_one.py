"""HTTP/1.1, by h11."""

from typing import Final

import h11

from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.http_bodies import Body
from synthetics.probes.adapters.http_exchange import (
    MOST_HEADER_BYTES,
    MOST_INTERIM,
    Head,
    Request,
    Talk,
    Wire,
    not_understood,
)

_TOO_LONG: Final = 431  # what h11 says of headers that do not end
_BODILESS: Final = (204, 304)


async def exchange(request: Request, talk: Talk) -> None:
    """Ask, and read the answer to its end. Raises ProbeFailed for what is no HTTP, OSError when the line breaks."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEADER_BYTES)
    await talk.stream.write(_request(connection, request))
    wire = Wire(talk)
    try:
        first = await wire.read()
        if not first:
            raise ProbeFailed("connection", "the target closed the connection without an answer")
        talk.begun()
        connection.receive_data(first)
        head = await _head(connection, wire, request)
        body = talk.took(head)
        if body is None:
            return
        if head.is_chunked:
            await _chunks(connection, wire, body)
        elif not head.has_ended:
            await _plain(connection.trailing_data[0], wire, body, head.content_length)
    except h11.RemoteProtocolError as error:
        if error.error_status_hint == _TOO_LONG:
            raise ProbeFailed("size", f"its headers are larger than {MOST_HEADER_BYTES:,} bytes") from None
        raise not_understood(error) from None


def _request(connection: h11.Connection, request: Request) -> bytes:
    headers = [("host", request.host), *request.headers, ("connection", "close")]
    if request.body or request.method not in ("GET", "HEAD"):
        headers.append(("content-length", str(len(request.body))))
    try:
        parts = [connection.send(h11.Request(method=request.method, target=request.path, headers=headers))]
        if request.body:
            parts.append(connection.send(h11.Data(data=request.body)))
        parts.append(connection.send(h11.EndOfMessage()))
    except (h11.LocalProtocolError, UnicodeError):
        # Its message would repeat the header, which may hold a secret.
        raise ProbeFailed("request", "a header or the method has characters that HTTP forbids", is_fault=True) from None
    return b"".join(part for part in parts if part)


async def _head(connection: h11.Connection, wire: Wire, request: Request) -> Head:
    interim = 0
    while True:
        event = await _next(connection, wire)
        if isinstance(event, h11.Response):
            break
        if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
            raise not_understood("it ends before the headers do")
        interim += 1
        if interim > MOST_INTERIM:
            raise not_understood("one interim response follows the other")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers)
    has_ended = request.method == "HEAD" or event.status_code in _BODILESS
    return Head(event.status_code, headers, float(event.http_version), has_ended=has_ended)


async def _plain(first: bytes, wire: Wire, body: Body, length: int) -> None:
    """So many bytes, or all until the connection ends (−1): h11 would copy it thrice for nothing."""
    left = length if length >= 0 else None
    data = first
    while left != 0:
        if data:
            body.feed(data if left is None else data[:left])
            left = None if left is None else max(left - len(data), 0)
            await wire.pause()
        if left != 0:
            data = await wire.read()
            if not data and left is None:
                return
            if not data:
                raise not_understood("it ends before the body does")


async def _chunks(connection: h11.Connection, wire: Wire, body: Body) -> None:
    while True:
        event = await _next(connection, wire)
        if isinstance(event, h11.Data):
            body.feed(bytes(event.data))
            await wire.pause()
        elif isinstance(event, h11.EndOfMessage):
            return
        else:
            raise not_understood("it ends before the body does")


async def _next(connection: h11.Connection, wire: Wire) -> object:
    while True:
        event = connection.next_event()
        if event is not h11.NEED_DATA:
            return event
        connection.receive_data(await wire.read())
