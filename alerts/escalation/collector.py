"""Who is on call, and when the next step of an escalation is due, on /metrics: every replica says the same."""

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from alerts.escalation.planning import next_step
from alerts.model import AlertsDeclared
from alerts.schedules.turns import on_call
from controlplane import incident_names as names
from controlplane.model.incident import IncidentState
from controlplane.ports import Clock, Permanent, Store, Transient

MOST_INCIDENTS: Final = 200  # that are open: the most urgent, then the oldest
_SCHEDULE: Final = "schedule"
_PERSON: Final = "person"
_INCIDENT: Final = "incident"


class OnCallCollector:
    """Give it to a registry. What is declared needs no store; while that does not answer, nothing is said of steps."""

    def __init__(self, store: Store, declared: Callable[[], AlertsDeclared], clock: Clock) -> None:
        self._store = store
        self._declared = declared
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return list(_families())

    def collect(self) -> Iterator[Metric]:
        """Gauges of every schedule, and of open incidents with steps to come."""
        person, covered, due = _families()
        now = self._clock.now()
        for schedule in self._declared().schedules:
            who = on_call(schedule, now)
            covered.add_metric([schedule.name], float(bool(who)))
            if who:
                person.add_metric([schedule.name, who], 1)
        yield person
        yield covered
        try:
            self._read_steps(due)
        except (Transient, Permanent):
            return
        yield due

    def _read_steps(self, due: GaugeMetricFamily) -> None:
        with self._store.transaction(read_only=True) as transaction:
            for incident in transaction.incidents.open(MOST_INCIDENTS):
                if incident.state is IncidentState.OPEN and incident.policy:
                    step = next_step(transaction.incidents.steps_of(incident.id))
                    if step is not None:
                        due.add_metric([incident.name], step.due_at.timestamp())


def _families() -> tuple[GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily(names.ON_CALL, "1 for whoever is on call by a schedule.", labels=[_SCHEDULE, _PERSON]),
        GaugeMetricFamily(names.SCHEDULE_COVERED, "1 while somebody is on call by it.", labels=[_SCHEDULE]),
        GaugeMetricFamily(
            names.ESCALATION_DUE, "When the next step of an incident's escalation is due.", labels=[_INCIDENT]
        ),
    )
