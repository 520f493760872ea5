"""What long work says while it goes on."""

import sys
import time
from types import TracebackType
from typing import Final

_FIRST_SECONDS: Final = 2.0
_EVERY_SECONDS: Final = 1.0
_LINE: Final = "\r\x1b[K"  # back to the line's begin, and clear it


class Counting:
    """A counter on stderr, from two seconds on, where stderr is a terminal."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._began = time.monotonic()
        self._told = self._began - _EVERY_SECONDS + _FIRST_SECONDS
        self._count = 0
        self._shown = False

    def __enter__(self) -> "Counting":
        return self

    def add(self, events: int) -> None:
        """So many more are done."""
        self.at(self._count + events)

    def at(self, events: int) -> None:
        """So many are done."""
        self._count = events
        now = time.monotonic()
        if now - self._told >= _EVERY_SECONDS and sys.stderr.isatty():
            self._told, self._shown = now, True
            rate = events / (now - self._began)
            sys.stderr.write(f"{_LINE}{self._doing}: {events:,} events, {rate:,.0f} a second")
            sys.stderr.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write(_LINE)
            sys.stderr.flush()
