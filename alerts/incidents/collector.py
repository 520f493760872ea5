"""Incidents on /metrics, from the store: every replica says the same, whoever leads."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from controlplane import incident_names as names
from controlplane.conventions import SERVICE
from controlplane.model.incident import Incident, IncidentState, Priority
from controlplane.ports import Clock, Permanent, Store, Transient

MOST_SINGLE: Final = 200  # incidents that have series of their own, the most urgent ones
COUNTED: Final = timedelta(days=30)
_COUNTED_AGAIN: Final = timedelta(minutes=5)
_MOST: Final = 10_000
_OPEN: Final = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)

_HELP: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    names.INCIDENTS: ("Incidents that are not resolved.", (names.PRIORITY, "state")),
    names.INCIDENT_OPENED: ("When an open incident was opened.", ("incident", names.PRIORITY, SERVICE)),
    names.INCIDENTS_TOTAL: ("Incidents that went on in the last 30 days, drills aside.", (names.PRIORITY,)),
}


class IncidentCollector:
    """Give it to a registry. The store is read once a scrape; while it does not answer nothing is said."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._counts: tuple[datetime, Counter[Priority]] | None = None

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return list(_families().values())

    def collect(self) -> Iterator[Metric]:
        """Gauges; every priority and state is there, at zero where there is none."""
        try:
            families = self._read(self._clock.now())
        except (Transient, Permanent):
            return
        yield from families.values()

    def _read(self, now: datetime) -> dict[str, GaugeMetricFamily]:
        families = _families()
        with self._store.transaction(read_only=True) as transaction:
            going_on = [each for each in transaction.incidents.open(_MOST) if not each.is_drill]
            if self._counts is None or now - self._counts[0] >= _COUNTED_AGAIN:
                known = transaction.incidents.between(now - COUNTED, now, _MOST)
                self._counts = now, Counter(each.priority for each in known if not each.is_drill)
        _count(families, going_on, self._counts[1])
        return families


def _count(families: dict[str, GaugeMetricFamily], going_on: list[Incident], known: Counter[Priority]) -> None:
    counts = Counter((each.priority, each.state) for each in going_on)
    for priority in Priority:
        for state in _OPEN:
            families[names.INCIDENTS].add_metric([priority.value, state.value], counts[priority, state])
        families[names.INCIDENTS_TOTAL].add_metric([priority.value], known[priority])
    for each in going_on[:MOST_SINGLE]:
        labels = [each.name, each.priority.value, each.service]
        families[names.INCIDENT_OPENED].add_metric(labels, each.opened_at.timestamp())


def _families() -> dict[str, GaugeMetricFamily]:
    return {name: GaugeMetricFamily(name, text, labels=labels) for name, (text, labels) in _HELP.items()}
