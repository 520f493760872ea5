"""Tickets on /metrics, from the store: every replica says the same, whoever leads."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from alerts.tickets.declared import STANDARD
from alerts.tickets.model import Tracker
from controlplane import incident_names as names
from controlplane.ports import Permanent, Store, Transient

_MOST: Final = 10_000


class TicketCollector:
    """Give it to a registry. `declared` are the trackers of the last good files.

    While the store does not answer nothing is said: missing is not 0.
    """

    def __init__(self, store: Store, declared: Callable[[], Sequence[Tracker]]) -> None:
        self._store = store
        self._declared = declared

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [_family()]

    def collect(self) -> Iterator[Metric]:
        """By tracker: open ones, and those that the tracker does not show as they should be."""
        try:
            with self._store.transaction(read_only=True) as transaction:
                open_ones = Counter(each.tracker for each in transaction.follow_up.tickets(only_open=True, limit=_MOST))
                untold = Counter(each.tracker for each in transaction.follow_up.tickets(only_untold=True, limit=_MOST))
        except (Transient, Permanent):
            return
        family = _family()
        declared = [each.name for each in self._declared()] or [STANDARD.name]
        for tracker in sorted({*declared, *open_ones, *untold}):
            family.add_metric((tracker, "open"), open_ones[tracker])
            family.add_metric((tracker, "untold"), untold[tracker])
        yield family


def _family() -> GaugeMetricFamily:
    return GaugeMetricFamily(names.TICKETS, "Tickets by tracker and state.", labels=("tracker", "state"))
