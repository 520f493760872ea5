"""How delivery goes, on /metrics."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from alerts.delivery.spool.model import SpoolStore
from controlplane import incident_names as names
from controlplane.model.incident import Priority
from controlplane.ports import Permanent, Store, Transient

_BUCKETS_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)


class DeliveryCollector(Collector):
    """Since when channels wait (every replica says the same, from the store) and fail (who delivers says it).

    While the store does not answer it says nothing of what waits there: missing is not 0.
    """

    def __init__(
        self,
        store: Store,
        *,
        failing: Callable[[], Mapping[str, datetime]] = dict,
        spool: SpoolStore | None = None,
    ) -> None:
        self._store = store
        self._failing = failing
        self._spool = spool

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [_oldest(), _failing_since(), _spooled()]

    def collect(self) -> Iterator[Metric]:
        """Gauges; a channel that neither waits nor fails has none."""
        failing = _failing_since()
        for channel, since in sorted(self._failing().items()):
            failing.add_metric([channel], since.timestamp())
        yield failing
        yield from self._kept()
        try:
            with self._store.transaction(read_only=True) as transaction:
                waiting = transaction.outbox.oldest()
        except (Transient, Permanent):
            return
        oldest = _oldest()
        for channel, at in sorted(waiting.items()):
            oldest.add_metric([channel], at.timestamp())
        yield oldest

    def _kept(self) -> Iterator[Metric]:
        if self._spool is None:
            return
        spooled = _spooled()
        try:
            spooled.add_metric([], self._spool.count())
        except (Transient, Permanent):
            return
        yield spooled


def waits(registry: CollectorRegistry) -> Callable[[str, int, float], None]:
    """What observes how long messages waited: for `Observers.on_delivered`."""
    histogram = Histogram(
        names.RECEIPT_SECONDS,
        "From when news was queued to when somebody outside took it.",
        ["kind", "priority"],
        buckets=_BUCKETS_SECONDS,
        registry=registry,
    )
    priorities = {each.rank: each.value for each in Priority}

    def observe(kind: str, urgency: int, seconds: float) -> None:
        histogram.labels(kind, priorities.get(urgency, Priority.P4.value)).observe(seconds)

    return observe


def _oldest() -> GaugeMetricFamily:
    return GaugeMetricFamily(names.OUTBOX_OLDEST, "When the oldest that waits was queued.", labels=[names.CHANNEL])


def _failing_since() -> GaugeMetricFamily:
    text = "When the first of the failures in a row was, while deliveries fail."
    return GaugeMetricFamily(names.CHANNEL_FAILING_SINCE, text, labels=[names.CHANNEL])


def _spooled() -> GaugeMetricFamily:
    return GaugeMetricFamily(names.SPOOL_PAGES, "Notifications with critical pages that the database did not take yet.")
