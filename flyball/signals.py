"""How a process is told to end."""

import logging
import signal
from collections.abc import Callable
from types import FrameType

log = logging.getLogger(__name__)


def on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM, SIGINT and, unless it is ignored (`nohup`), SIGHUP: the terminal was closed.

    A second Ctrl-C ends the process at once.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        log.info("process.stopping", extra={"signal": signal.Signals(number).name})
        stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, handle)
