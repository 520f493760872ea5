"""Calls of libraries that bound each read of a socket, but not the whole: an answer that drips would take for ever."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

from controlplane.ports import Transient

MOST_LEFT_BEHIND: Final = 8
Found = TypeVar("Found")


class InTime:
    """Runs calls that must have ended in time. One that has not is left behind in its thread, whatever comes of it.

    At most `MOST_LEFT_BEHIND` are; while there are so many, no other is begun.
    """

    def __init__(self, what: str, seconds: float) -> None:
        self._what = what
        self._seconds = seconds
        self._lock = threading.Lock()
        self._running = 0

    def call(self, work: Callable[[], Found]) -> Found:
        """What `work` returns or raises. Raises `Transient` when the time is up: it may have had its effect."""
        with self._lock:
            if self._running >= MOST_LEFT_BEHIND:
                raise Transient(f"{self._what}: {self._running} earlier calls still hang")
            self._running += 1
        outcome: SimpleQueue[tuple[Found | None, BaseException | None]] = SimpleQueue()

        def run() -> None:
            try:
                outcome.put((work(), None))
            except BaseException as error:  # noqa: BLE001 -- it is raised again, in the thread that asked
                outcome.put((None, error))
            finally:
                with self._lock:
                    self._running -= 1

        threading.Thread(target=run, name=f"{self._what} call", daemon=True).start()
        try:
            found, error = outcome.get(timeout=self._seconds)
        except Empty:
            raise Transient(f"{self._what} did not answer within {self._seconds:g} s") from None
        if error is not None:
            raise error
        return found  # type: ignore[return-value]  # without an error it is what `work` returned
