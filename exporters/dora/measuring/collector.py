"""What Prometheus scrapes of measuring days."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controlplane import delivery_names as names
from controlplane.ports import Permanent, Store, Transient

_HELP: Final = "Days of services whose deliveries must be measured anew."


class SheetsCollector(Collector):
    """One number at a scrape. While the store does not answer it says nothing: missing is not 0."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [GaugeMetricFamily(names.SHEETS_STALE, _HELP)]

    def collect(self) -> Iterator[Metric]:
        """How many days wait."""
        try:
            with self._store.transaction(read_only=True) as transaction:
                stale = transaction.delivery.count_stale()
        except (Transient, Permanent):
            return
        yield GaugeMetricFamily(names.SHEETS_STALE, _HELP, value=stale)
