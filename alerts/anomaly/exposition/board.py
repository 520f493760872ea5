"""Keeps what /metrics says of anomalies in memory, so that a scrape only hands it on."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.anomaly.exposition.lines import HELP, LASTING, SeriesTexts, head, rendered, series_texts
from alerts.anomaly.scoring.latest import Latest
from controlplane.ports import Clock

SILENT_AFTER: Final = timedelta(minutes=2)  # without a turn of the daemon: somebody else leads, or nobody does
STALE_STEPS: Final = 3
STALE_AFTER: Final = timedelta(minutes=5)  # at least: a value that is older than both is not told any more
_END: Final = b"# EOF\n"
_OPENMETRICS: Final = "openmetrics"


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of one detector: lines by metric, and from when on only what lasts."""

    latest: Latest
    texts: SeriesTexts
    parts: dict[str, bytes]

    def is_stale(self, now: datetime) -> bool:
        return now - self.latest.at > max(self.latest.step * STALE_STEPS, STALE_AFTER)


class ExpositionBoard:
    """One in each process. Only who leads scores, so that only the leader's says something.

    Safe between threads. All metrics are gauges whose text is the same in both formats. A value that is older than
    three steps (and 5 min) is not told any more; that an anomaly is open goes on to be told: missing is not 0.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, _Told] = {}
        self._heard: datetime | None = None
        self._joined: tuple[frozenset[str], bytes] | None = None

    def heard(self, now: datetime, declared: Iterable[str]) -> None:
        """The daemon had a turn: it goes on to lead, and these detectors are declared."""
        kept = frozenset(declared)
        with self._lock:
            self._heard = now
            if self._told.keys() - kept:
                self._told = {name: told for name, told in self._told.items() if name in kept}
                self._joined = None

    def show(self, latest: Latest) -> None:
        """Write a detector's metrics, in place of what was there; some 10 µs a series: not at a scrape."""
        known = self._told.get(latest.detector)
        texts = series_texts(latest, known.texts if known else None)
        told = _Told(latest, texts, rendered(latest, texts))
        with self._lock:
            self._told = {**self._told, latest.detector: told}
            self._joined = None

    def is_heard(self) -> bool:
        """Whether this process leads, as far as we know."""
        with self._lock:
            return self._heard is not None and self._clock.now() - self._heard <= SILENT_AFTER

    def silence(self) -> None:
        """Say nothing any more: the lease is lost."""
        with self._lock:
            self._told, self._joined, self._heard = {}, None, None

    def joined(self, body: bytes, content_type: str) -> bytes:
        """What `prometheus_client` gave for this content type, and our metrics behind it."""
        ours = self.text()
        if _OPENMETRICS in content_type:
            return b"".join((body.removesuffix(_END), ours, _END))
        return body + ours if ours else body

    def text(self) -> bytes:
        """Our metrics alone, without OpenMetrics' end."""
        now = self._clock.now()
        with self._lock:
            if self._heard is None or now - self._heard > SILENT_AFTER:
                return b""
            stale = frozenset(name for name, told in self._told.items() if told.is_stale(now))
            if self._joined is None or self._joined[0] != stale:
                self._joined = stale, _joined(self._told, stale)
            return self._joined[1]

    def latest(self) -> tuple[Latest, ...]:
        """What the last cycles found, by name; nothing while somebody else leads."""
        now = self._clock.now()
        with self._lock:
            if self._heard is None or now - self._heard > SILENT_AFTER:
                return ()
            return tuple(self._told[name].latest for name in sorted(self._told))


def _joined(told: dict[str, _Told], stale: frozenset[str]) -> bytes:
    parts: list[bytes] = []
    for metric in HELP:
        found = [
            told[name].parts[metric]
            for name in sorted(told)
            if (metric in LASTING or name not in stale) and told[name].parts.get(metric)
        ]
        if found:
            parts += (head(metric), *found)
    return b"".join(parts)
