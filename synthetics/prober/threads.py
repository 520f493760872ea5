"""A prober in a thread of its own, for a process that does other things as well."""

import asyncio
import logging
import threading
from collections.abc import Sequence

from synthetics.checks import Check
from synthetics.prober.engine import Prober
from synthetics.prober.loops import run_loop

log = logging.getLogger(__name__)


class ProberThread:
    """Start it once, replace its checks whenever, stop it once. Safe between threads."""

    def __init__(self, prober: Prober, *, name: str = "prober") -> None:
        self._prober = prober
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._is_stopped = False

    def start(self) -> None:
        """Begin; checks may have been given before."""
        self._thread.start()

    def replace(self, checks: Sequence[Check], self_check: Check | None = None) -> None:
        """`Prober.replace`, soon."""
        with self._lock:
            if self._loop is None:
                if not self._is_stopped:
                    self._prober.replace(checks, self_check)
                return
            self._loop.call_soon_threadsafe(self._prober.replace, checks, self_check)

    def stop(self) -> None:
        """Ask it to end; `join` waits for that."""
        with self._lock:
            self._is_stopped = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._stopping.set)
            else:
                self._stopping.set()

    def join(self, timeout_seconds: float) -> bool:
        """Wait until it has ended; False when it has not in that time."""
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            run_loop(self._until_stopped)
        except Exception:  # the end of this thread must be seen
            log.exception("prober.died")

    async def _until_stopped(self) -> None:
        with self._lock:
            self._loop = asyncio.get_running_loop()
        try:
            await self._prober.run_until(self._stopping)
        finally:
            with self._lock:
                self._loop = None
                self._is_stopped = True
