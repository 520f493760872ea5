"""One call of grpc.health.v1.Health/Check over our own connection, by h2."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.http import user_agent
from synthetics.probes.adapters.http_two_connections import Connection, spares
from synthetics.probes.adapters.streams import Stream
from synthetics.probes.adapters.trials import Trial
from synthetics.probes.modules import GRPCModule

_PATH: Final = "/grpc.health.v1.Health/Check"
_STREAM: Final = 1
_MOST_BYTES: Final = 256 * 1024  # of all that comes in
_CHUNK: Final = 1024  # the smallest frames are 9 bytes, and each takes h2 a part of a millisecond
_MOST_EVENTS: Final = 500
_SETTINGS: Final = 4  # the type of the first frame of a server, at the fourth byte
_MOST_MESSAGE: Final = 65_536
_MOST_SAID: Final = 200
_UNKNOWN: Final = 2
# What an HTTP status means where no gRPC status came: grpc's http-grpc-status-mapping.
_OF_HTTP: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the call ended with; `serving` is None when there is no message."""

    code: int
    said: str
    serving: int | None


class Call:
    """One call on a connection of its own."""

    def __init__(self, stream: Stream, trial: Trial) -> None:
        self._stream = stream
        self._trial = trial
        self._read = 0
        self._events = 0
        self._first = b""
        self._http = 0
        self._fields: dict[str, str] = {}
        self._body = b""
        self._is_over = False

    async def run(self, module: GRPCModule, authority: str) -> Answer:
        """Raises ProbeFailed for what is no gRPC."""
        config = h2.config.H2Configuration(client_side=True, header_encoding=None)
        connection = Connection(config)
        try:
            connection.initiate_connection()
            self._ask(connection, module, authority)
            while not self._is_over:
                await self._exchange(connection)
        except h2.exceptions.ProtocolError as error:
            raise ProbeFailed("protocol", f"the target does not speak HTTP/2 as it should: {error}") from None
        return self._answer()

    def _ask(self, connection: h2.connection.H2Connection, module: GRPCModule, authority: str) -> None:
        headers = [
            (":method", "POST"),
            (":scheme", "http" if module.tls is None else "https"),
            (":path", _PATH),
            (":authority", authority),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", user_agent()),
            ("grpc-timeout", f"{max(int(self._trial.left * 1000), 1)}m"),
        ]
        if self._trial.around.traceparent:
            headers.append(("traceparent", self._trial.around.traceparent))
        connection.send_headers(_STREAM, headers)
        message = _request(module.service)
        connection.send_data(_STREAM, b"\0" + len(message).to_bytes(4) + message, end_stream=True)

    async def _exchange(self, connection: h2.connection.H2Connection) -> None:
        pending = connection.data_to_send()
        if pending:
            await self._stream.write(pending)
        data = await self._stream.read(_CHUNK)
        if not data:
            raise ProbeFailed("connection", "the target closed the connection before it answered")
        self._read += len(data)
        if self._read > _MOST_BYTES:
            raise ProbeFailed("size", f"it sends more than {_MOST_BYTES:,} bytes")
        self._first = self._first or data[:4]
        if len(self._first) > 3 and self._first[3] != _SETTINGS:  # h2 would wait for the end of a frame of megabytes
            raise ProbeFailed("protocol", f"the target does not speak HTTP/2{_what_then(self._first)}")
        await asyncio.sleep(0)  # a flood must not hold up other probes
        events = connection.receive_data(data)
        self._events += len(events)
        if self._events > _MOST_EVENTS:
            raise ProbeFailed("size", f"it sends more than {_MOST_EVENTS} frames")
        for event in events:
            self._take(event)

    def _take(self, event: h2.events.Event) -> None:
        if self._is_over:
            return
        if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
            found = {_text(name): _text(value) for name, value in event.headers or ()}
            self._http = self._http or _number(found.get(":status", ""), 0)
            self._fields |= found
        elif isinstance(event, h2.events.DataReceived):
            self._body += event.data or b""
            if len(self._body) > _MOST_MESSAGE:
                raise ProbeFailed("size", f"its answer is longer than {_MOST_MESSAGE:,} bytes")
        elif isinstance(event, h2.events.StreamEnded):
            self._is_over = True
        elif isinstance(event, h2.events.StreamReset):
            raise ProbeFailed("connection", f"the target reset the call (HTTP/2 code {event.error_code})")
        elif isinstance(event, h2.events.ConnectionTerminated) and not spares(event, _STREAM):
            raise ProbeFailed("connection", f"the target ended the connection (HTTP/2 code {event.error_code})")

    def _answer(self) -> Answer:
        status = self._fields.get("grpc-status")
        if status is None and self._http == 200:
            kind = self._fields.get("content-type", "")
            if not kind.startswith("application/grpc"):
                raise ProbeFailed("protocol", "the target answers, but not in gRPC")
            return Answer(_UNKNOWN, "no status came", None)
        if status is None:
            return Answer(_OF_HTTP.get(self._http, _UNKNOWN), f"HTTP status {self._http}", None)
        said = unquote(self._fields.get("grpc-message", ""))
        shown = "".join(character if character.isprintable() else "·" for character in said[:_MOST_SAID])
        code = _number(status, _UNKNOWN)
        return Answer(code, shown, _serving(self._body) if code == 0 else None)


def _what_then(first: bytes) -> str:
    if first.startswith(b"HTTP"):
        return ", but HTTP/1"
    return ", but TLS" if first[0] in (0x15, 0x16) else ""


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


# --- the two messages ---


def _request(service: str) -> bytes:
    """HealthCheckRequest: field 1 is the service's name."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _serving(body: bytes) -> int | None:
    """HealthCheckResponse's field 1, 0 when it is not there; None without a message."""
    if not body:
        return None
    length = int.from_bytes(body[1:5])
    if len(body) < 5 or body[0] != 0 or len(body) != 5 + length:
        raise ProbeFailed("protocol", "the answer is no gRPC message, or a packed one")
    try:
        return max((value for number, value in _numbers(body[5:]) if number == 1), default=0)
    except (IndexError, ValueError):
        raise ProbeFailed("protocol", "the answer is no HealthCheckResponse") from None


def _numbers(message: bytes) -> Iterator[tuple[int, int]]:
    """Fields with whole numbers; others are passed over. IndexError and ValueError for what is no message."""
    at = 0
    while at < len(message):
        key, at = _varint_at(message, at)
        if key & 7 == 0:
            value, at = _varint_at(message, at)
            yield key >> 3, value
        elif key & 7 == 2:
            length, at = _varint_at(message, at)
            at += length
        elif key & 7 in (1, 5):
            at += 8 if key & 7 == 1 else 4
        else:
            raise ValueError
    if at > len(message):
        raise ValueError


def _varint_at(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for position in range(10):
        byte = message[at + position]
        value |= (byte & 0x7F) << 7 * position
        if byte < 0x80:
            return value, at + position + 1
    raise ValueError
