"""Delivery events on /metrics, from the store: a restart loses nothing, and every replica says the same."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from controlplane import delivery_names as names
from controlplane.delivery_ports import DeliveryLog
from controlplane.ports import Permanent, Store, Transient

_TOTAL: Final = "_total"
_EVENTS_HELP: Final = "Delivery events by sender, type and what became of them."
_BEHIND_HELP: Final = "Delivery events taken in that no fact was made of yet."


class EventsCollector:
    """Give it to a registry. `behind` says how many events no fact was made of yet.

    While the store does not answer it says nothing: missing is not 0.
    """

    def __init__(self, store: Store, behind: Callable[[DeliveryLog], int]) -> None:
        self._store = store
        self._behind = behind

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [_events({}), GaugeMetricFamily(names.EVENTS_BEHIND, _BEHIND_HELP)]

    def collect(self) -> Iterator[Metric]:
        """The counter and the gauge."""
        try:
            with self._store.transaction(read_only=True) as transaction:
                counts, behind = transaction.delivery.event_counts(), self._behind(transaction.delivery)
        except (Transient, Permanent):
            return
        yield _events(counts)
        yield GaugeMetricFamily(names.EVENTS_BEHIND, _BEHIND_HELP, value=behind)


def _events(counts: Mapping[tuple[str, str, str], int]) -> Metric:
    family = CounterMetricFamily(
        names.EVENTS.removesuffix(_TOTAL), _EVENTS_HELP, labels=[names.SENDER, "type", names.OUTCOME]
    )
    for (sender, type_, outcome), count in sorted(counts.items()):
        family.add_metric([sender, type_, outcome], count)
    return family
