"""What Prometheus scrapes of drills: how long each receiver took to acknowledge in its last one."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controlplane import incident_names as names
from controlplane.ports import Clock, Permanent, Store, Transient

REMEMBERED: Final = timedelta(days=100)
_HELP: Final = "Seconds until the receiver acknowledged its last drill; none when it did not."


class DrillCollector(Collector):
    """From the events of drills that ended. A store that fails leaves the family empty."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [GaugeMetricFamily(names.DRILL_ACKNOWLEDGED, _HELP, labels=["receiver"])]

    def collect(self) -> Iterator[Metric]:
        """The last drill of each receiver counts."""
        family = GaugeMetricFamily(names.DRILL_ACKNOWLEDGED, _HELP, labels=["receiver"])
        for receiver, seconds in sorted(self._latest().items()):
            if seconds is not None:
                family.add_metric([receiver], seconds)
        yield family

    def _latest(self) -> dict[str, float | None]:
        now = self._clock.now()
        found: dict[str, float | None] = {}
        try:
            with self._store.transaction(read_only=True) as transaction:
                ended = transaction.events.between(now - REMEMBERED, now + REMEMBERED, [names.EVENT_DRILL_ENDED])
        except (Transient, Permanent):
            return {}
        for recorded in ended:
            listed = recorded.event.data.get("answers")
            for each in listed if isinstance(listed, list) else ():
                if isinstance(each, dict) and isinstance(each.get("receiver"), str):
                    seconds = each.get("acknowledged_seconds")
                    found[str(each["receiver"])] = float(seconds) if isinstance(seconds, str) else None
        return found
