"""One WebSocket connection: websockets knows the protocol, we read and write."""

import asyncio
from typing import Final

from websockets.client import ClientProtocol
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Event, State
from websockets.uri import WebSocketURI

from synthetics.probes.adapters.conversations import MOST_BYTES, MOST_PIECES, Match, find, not_expected, said
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.streams import Stream
from synthetics.probes.adapters.trials import Trial
from synthetics.probes.modules import QueryStep
from synthetics.probes.urls import URL

PROCESSING: Final = "processing"
TRANSFER: Final = "transfer"
REGEX_FAILED: Final = "probe_websocket_failed_due_to_regex"
STATUS: Final = "probe_websocket_status_code"
UPGRADED: Final = "probe_websocket_connection_upgraded"
_MOST_MESSAGE: Final = 1024 * 1024
_MOST_BYTES: Final = _MOST_MESSAGE + MOST_BYTES
_CHUNK: Final = 4096  # of frames that hold nothing it takes long enough
_MOST_SAID: Final = 200
_SWITCHING: Final = 101


class Talk:
    """What is said on it, in order."""

    def __init__(self, stream: Stream, trial: Trial, url: URL) -> None:
        uri = WebSocketURI(url.is_secure, url.host, url.port, url.path, "")
        self._protocol = ClientProtocol(uri, max_size=_MOST_MESSAGE)
        self._stream = stream
        self._trial = trial
        self._read = 0
        self._frames: list[Frame] = []
        self._count = 0
        self._has_ended = False

    async def run(self, headers: dict[str, str], steps: tuple[QueryStep, ...]) -> None:
        """All of it. Raises ProbeFailed and OSError."""
        self._trial.enter(PROCESSING)
        await self._shake_hands(headers)
        self._trial.enter("")
        if steps:
            self._trial.enter(TRANSFER)
            for step in steps:
                await self._take(step)
            self._trial.enter("")
        await self._say_goodbye()

    async def _shake_hands(self, headers: dict[str, str]) -> None:
        request: Request = self._protocol.connect()
        for name, value in headers.items():
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)
        response = await self._response()
        if response is not None:
            self._trial.tell(STATUS, response.status_code)
        if self._protocol.handshake_exc is not None or response is None:
            raise _not_shaken(response, self._protocol.handshake_exc, has_ended=self._has_ended)
        self._trial.tell(UPGRADED, 1)

    async def _response(self) -> Response | None:
        while self._protocol.handshake_exc is None:
            await self._exchange()
            events = self._protocol.events_received()
            self._keep_frames(events)
            for event in events:
                if isinstance(event, Response):
                    return event
        return None

    async def _take(self, step: QueryStep) -> None:
        match: Match | None = None
        if step.expect:
            message = await self._message()
            match = find(step.expect, message)
            self._trial.tell(REGEX_FAILED, 0 if match else 1)
            if match is None:
                raise not_expected(step.expect, message)
        text = said(step.send, match, self._trial.around.variables)
        if text:
            self._protocol.send_text(text.encode())
            await self._flush()

    async def _message(self) -> str:
        """The next message, text or binary, in one piece."""
        pieces: list[bytes] = []
        while True:
            while not self._frames:
                self._check_open()
                await self._exchange()
                self._keep_frames(self._protocol.events_received())
            frame = self._frames.pop(0)
            if frame.opcode is Opcode.CLOSE:
                raise self._closed()
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                pieces.append(bytes(frame.data))
                if frame.fin:
                    return b"".join(pieces).decode(errors="replace")

    def _keep_frames(self, events: list[Event]) -> None:
        found = [event for event in events if isinstance(event, Frame)]
        self._count += len(found)
        if self._count > MOST_PIECES:
            raise ProbeFailed("size", f"it sends more than {MOST_PIECES:,} frames")
        self._frames += found

    def _check_open(self) -> None:
        broken = self._protocol.parser_exc
        if isinstance(broken, PayloadTooBig):
            raise ProbeFailed("size", f"it sends a message of more than {_MOST_MESSAGE:,} bytes")
        if isinstance(broken, EOFError):
            raise ProbeFailed("connection", "the target closed the connection without a goodbye")
        if broken is not None:
            raise ProbeFailed("protocol", f"what it sends is no WebSocket: {_shown(str(broken))}")
        if self._protocol.state is not State.OPEN:
            raise self._closed()

    def _closed(self) -> ProbeFailed:
        close = self._protocol.close_rcvd
        why = _shown(str(close)) if close else "without a reason"
        return ProbeFailed("connection", f"the target closed the WebSocket: {why}")

    async def _exchange(self) -> None:
        await self._flush()
        data = await self._stream.read(_CHUNK)
        self._read += len(data)
        if self._read > _MOST_BYTES:
            raise ProbeFailed("size", f"it sends more than {_MOST_BYTES:,} bytes")
        await asyncio.sleep(0)  # a flood must not hold up other probes
        if data:
            self._protocol.receive_data(data)
        else:
            self._has_ended = True
            self._protocol.receive_eof()

    async def _flush(self) -> None:
        pending = b"".join(self._protocol.data_to_send())
        if pending:
            await self._stream.write(pending)

    async def _say_goodbye(self) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            try:
                await self._flush()
            except OSError:
                self._trial.notes.append("the target had closed the connection")


def _not_shaken(response: Response | None, error: Exception | None, *, has_ended: bool) -> ProbeFailed:
    if response is not None and response.status_code != _SWITCHING:
        return ProbeFailed("status", f"the target answers {response.status_code} and does not upgrade")
    if response is None and has_ended:
        return ProbeFailed("connection", "the target closed the connection in the handshake")
    why = _shown(str(error.__cause__ or error)) if error is not None else "no answer came"
    return ProbeFailed("protocol", f"the handshake is not as it should be: {why}")


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in text[:_MOST_SAID])
