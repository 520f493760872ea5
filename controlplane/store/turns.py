"""Writers of one process take turns in the order in which they came.

SQLite has one writer at a time, and gives the next turn to whoever happens to ask right then. A job that writes again
and again asks at once when it is done, and those who sleep between two tries never get in: leases are not renewed.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from controlplane.ports import Transient


class Turns:
    """One for each database. Who waits for longer than `seconds` is told `Transient`, as by SQLite itself."""

    def __init__(self, seconds: float, name: str) -> None:
        self._seconds: Final = seconds
        self._name: Final = name
        self._lock: Final = threading.Lock()
        self._waiting: Final[deque[threading.Lock]] = deque()
        self._is_taken = False

    @property
    def waiting(self) -> int:
        """How many wait for theirs."""
        with self._lock:
            return len(self._waiting)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While it is ours."""
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    def _take(self) -> None:
        gate = threading.Lock()
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            gate.acquire()
            self._waiting.append(gate)
        if gate.acquire(timeout=self._seconds):
            return
        with self._lock:
            if gate not in self._waiting:  # it was passed on to us at the last moment
                return
            self._waiting.remove(gate)
        raise Transient(f"{self._name}: database is locked")

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
