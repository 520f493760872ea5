"""HTTP/2, by h2: one stream on a connection of its own."""

from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

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
from synthetics.probes.adapters.http_two_connections import Connection, spares

_STREAM: Final = 1
_WINDOW: Final = 4 * 1024 * 1024  # what may be under way; Go's client gives as much
_READ: Final = 16_384  # one full frame; of empty ones not so many that others would wait
_FORBIDDEN: Final = ("connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection", "te")
_CODES: Final = h2.settings.SettingCodes


async def exchange(request: Request, talk: Talk) -> None:
    """Ask, and read the answer to its end. Raises ProbeFailed for what is no HTTP, OSError when the line breaks."""
    try:
        await _Exchange(talk).run(request)
    except h2.exceptions.DenialOfServiceError:
        raise ProbeFailed("size", f"its headers are larger than {MOST_HEADER_BYTES:,} bytes") from None
    except h2.exceptions.ProtocolError as error:
        raise not_understood(str(error) or type(error).__name__) from None


class _Exchange:
    def __init__(self, talk: Talk) -> None:
        config = h2.config.H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self._connection = Connection(config)
        self._connection.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                _CODES.ENABLE_PUSH: 0,
                _CODES.INITIAL_WINDOW_SIZE: _WINDOW,
                _CODES.MAX_HEADER_LIST_SIZE: MOST_HEADER_BYTES,
            },
        )
        self._talk = talk
        self._wire = Wire(talk)
        self._interim = 0
        self._body: Body | None = None
        self._is_over = False

    async def run(self, request: Request) -> None:
        self._connection.initiate_connection()
        self._connection.increment_flow_control_window(_WINDOW)
        rest = self._ask(request)
        while not self._is_over:
            rest = self._send_body(rest)
            await self._flush()
            data = await self._wire.read(_READ)
            if not data:
                raise ProbeFailed("connection", "the target closed the connection before the answer ended")
            for event in self._connection.receive_data(data):
                await self._wire.pause()
                self._take(event)

    def _ask(self, request: Request) -> memoryview:
        headers = [
            (":method", request.method), (":authority", request.host), (":scheme", request.scheme),
            (":path", request.path), *((name, value) for name, value in request.headers if name not in _FORBIDDEN),
        ]  # fmt: skip
        if request.body or request.method not in ("GET", "HEAD"):
            headers.append(("content-length", str(len(request.body))))
        if any("\r" in value or "\n" in value or "\0" in value for _, value in headers):
            raise ProbeFailed("request", "a header has characters that HTTP forbids", is_fault=True)
        self._connection.send_headers(_STREAM, headers, end_stream=not request.body)
        return memoryview(request.body)

    def _send_body(self, rest: memoryview) -> memoryview:
        """As much as the server's windows take."""
        while rest:
            room = min(
                self._connection.local_flow_control_window(_STREAM), self._connection.max_outbound_frame_size, len(rest)
            )
            if room <= 0:
                break
            self._connection.send_data(_STREAM, bytes(rest[:room]), end_stream=room == len(rest))
            rest = rest[room:]
        return rest

    async def _flush(self) -> None:
        data = self._connection.data_to_send()
        if data:
            await self._talk.stream.write(data)

    def _take(self, event: h2.events.Event) -> None:
        if self._is_over:
            return
        if isinstance(event, h2.events.ResponseReceived):
            self._take_head(event)
        elif isinstance(event, h2.events.DataReceived):
            self._take_data(event)
        elif isinstance(event, h2.events.StreamEnded):
            self._is_over = True
        elif isinstance(event, h2.events.InformationalResponseReceived):
            self._interim += 1
            if self._interim > MOST_INTERIM:
                raise not_understood("one interim response follows the other")
        elif isinstance(event, h2.events.StreamReset):
            raise ProbeFailed("connection", f"the target reset the request (HTTP/2 code {event.error_code})")
        elif isinstance(event, h2.events.ConnectionTerminated) and not spares(event, _STREAM):
            raise ProbeFailed("connection", f"the target ended the connection (HTTP/2 code {event.error_code})")

    def _take_head(self, event: h2.events.ResponseReceived) -> None:
        self._talk.begun()
        pairs = [(_text(name), _text(value)) for name, value in event.headers or ()]
        status = next((value for name, value in pairs if name == ":status"), "")
        if not (len(status) == 3 and status.isascii() and status.isdigit()):
            raise not_understood("it has no status")
        headers = tuple(pair for pair in pairs if not pair[0].startswith(":"))
        self._body = self._talk.took(Head(int(status), headers, 2.0, has_ended=event.stream_ended is not None))
        self._is_over = self._body is None

    def _take_data(self, event: h2.events.DataReceived) -> None:
        if self._body is not None and event.data:
            self._body.feed(event.data)
        if event.flow_controlled_length:
            self._connection.acknowledge_received_data(event.flow_controlled_length, _STREAM)


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
