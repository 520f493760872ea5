"""IntelGraph's subscriptions, as far as a probe needs them: a WebSocket that sends back what it gets."""

import socket
from collections.abc import Mapping
from typing import Final

from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

PATH: Final = "/subscriptions"
_MAX_MESSAGE: Final = 4096
_MOST_MESSAGES: Final = 1_000
_CHUNK: Final = 4096


def converse(connection: socket.socket, headers: Mapping[str, str]) -> None:
    """Shake hands (the request was read already), then echo until the client goes. Raises OSError when it breaks."""
    protocol = ServerProtocol(max_size=_MAX_MESSAGE)
    protocol.receive_data(Request(PATH, Headers(headers)).serialize())
    for event in protocol.events_received():
        if isinstance(event, Request):
            protocol.send_response(protocol.accept(event))
    _flush(connection, protocol)
    echoed = 0
    while not protocol.close_expected() and echoed < _MOST_MESSAGES:
        data = connection.recv(_CHUNK)
        if not data:
            protocol.receive_eof()
            return
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                echoed += 1
                _echo(protocol, event)
        _flush(connection, protocol)


def _echo(protocol: ServerProtocol, frame: Frame) -> None:
    if frame.opcode is Opcode.TEXT:
        protocol.send_text(frame.data)
    else:
        protocol.send_binary(frame.data)


def _flush(connection: socket.socket, protocol: ServerProtocol) -> None:
    for data in protocol.data_to_send():
        connection.sendall(data)
