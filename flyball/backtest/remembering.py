"""A metrics backend that is asked for the same only once: policies that are compared mostly watch the same signals."""

import threading
from datetime import datetime, timedelta

from controlplane.model.series import Sample, Series
from controlplane.ports import MetricsBackend


class RememberingBackend:
    """Implements `MetricsBackend`. Range queries are remembered until the end of the program. Threads may share it."""

    def __init__(self, backend: MetricsBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._known: dict[tuple[str, datetime, datetime, timedelta], list[Series]] = {}

    def query(self, expr: str, at: datetime) -> list[Sample]:
        """Asked each time."""
        return self._backend.query(expr, at)

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Asked once."""
        key = (expr, start, end, step)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = self._backend.query_range(expr, start, end, step)
            with self._lock:
                self._known[key] = known
        return known
