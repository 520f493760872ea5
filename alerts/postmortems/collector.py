"""Actions on /metrics, from the store: every replica says the same, whoever leads."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from alerts.postmortems.actions import is_overdue, today_of
from controlplane import incident_names as names
from controlplane.ports import Clock, Permanent, Store, Transient


class ActionCollector:
    """Give it to a registry. While the store does not answer nothing is said: missing is not 0."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [_family()]

    def collect(self) -> Iterator[Metric]:
        """Open ones, and those of them that are overdue."""
        today = today_of(self._clock.now())
        try:
            with self._store.transaction(read_only=True) as transaction:
                found = transaction.follow_up.actions(only_open=True)
        except (Transient, Permanent):
            return
        family = _family()
        family.add_metric(("open",), len(found))
        family.add_metric(("overdue",), sum(is_overdue(each, today) for each in found))
        yield family


def _family() -> GaugeMetricFamily:
    return GaugeMetricFamily(names.ACTIONS_OPEN, "Actions of postmortems that are open.", labels=("state",))
