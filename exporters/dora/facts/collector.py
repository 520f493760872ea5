"""What Prometheus scrapes of making facts of events."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controlplane import delivery_names as names
from controlplane.ports import Permanent, Store, Transient
from exporters.dora.facts.progress import events_behind

_HELP: Final = "Delivery events that no fact was made of yet."


class FactsCollector(Collector):
    """Two rows are read at a scrape. A store that fails leaves the family empty."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [GaugeMetricFamily(names.EVENTS_BEHIND, _HELP)]

    def collect(self) -> Iterator[Metric]:
        """One number."""
        family = GaugeMetricFamily(names.EVENTS_BEHIND, _HELP)
        try:
            with self._store.transaction(read_only=True) as transaction:
                family.add_metric([], events_behind(transaction.delivery))
        except (Transient, Permanent):
            pass
        yield family
