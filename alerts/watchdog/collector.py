"""What Prometheus scrapes of the watchdog and of the heartbeat."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.watchdog.heart import Heart
from alerts.watchdog.watching import last_seen
from controlplane import incident_names as names
from controlplane.ports import Permanent, Store, Transient

_HELP: Final = {
    names.WATCHDOG_SEEN: "When the alert that fires always arrived last.",
    names.HEARTBEATS: "Turns of the heartbeat, by how they ended.",
    names.HEARTBEAT_AT: "When this process last sent a heartbeat.",
}


class WatchdogCollector(Collector):
    """`heart` is None where nobody outside listens. Without a store nothing is said of the Watchdog."""

    def __init__(self, store: Store, heart: Heart | None = None) -> None:
        self._store = store
        self._heart = heart

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [
            GaugeMetricFamily(names.WATCHDOG_SEEN, _HELP[names.WATCHDOG_SEEN]),
            CounterMetricFamily(names.HEARTBEATS, _HELP[names.HEARTBEATS], labels=["outcome"]),
            GaugeMetricFamily(names.HEARTBEAT_AT, _HELP[names.HEARTBEAT_AT]),
        ]

    def collect(self) -> Iterator[Metric]:
        """No sample for what is not known."""
        seen, beats, sent = self.describe()
        try:
            with self._store.transaction(read_only=True) as transaction:
                at = last_seen(transaction)
        except (Transient, Permanent):
            at = None
        if at is not None:
            seen.add_sample(names.WATCHDOG_SEEN, {}, at.timestamp())
        yield seen
        for beat, count in self._heart.counts.items() if self._heart else ():
            beats.add_sample(names.HEARTBEATS, {"outcome": beat.value}, count)
        yield beats
        if self._heart is not None and self._heart.sent_at is not None:
            sent.add_sample(names.HEARTBEAT_AT, {}, self._heart.sent_at.timestamp())
        yield sent
