"""h2's connection, which also lets a server end well: it may say goodbye and answer what it was asked before."""

import h2.connection
import h2.events
from h2.errors import ErrorCodes
from hyperframe.frame import Frame, GoAwayFrame


class Connection(h2.connection.H2Connection):
    """As h2's; but a GOAWAY without an error that spares our request does not end the connection.

    Servers send it while they are drained, before or within their last answers (RFC 9113, 6.8). h2 would take nothing
    after it.
    """

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[h2.events.Event]]:
        if frame.error_code != ErrorCodes.NO_ERROR or frame.last_stream_id < self.highest_outbound_stream_id:
            return super()._receive_goaway_frame(frame)
        event = h2.events.ConnectionTerminated()
        event.error_code = ErrorCodes.NO_ERROR
        event.last_stream_id = frame.last_stream_id
        return [], [event]


def spares(event: h2.events.ConnectionTerminated, stream: int) -> bool:
    """Whether the answer to this request may still come."""
    return event.error_code == ErrorCodes.NO_ERROR and (event.last_stream_id or 0) >= stream
