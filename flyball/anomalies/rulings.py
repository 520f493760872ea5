"""What keeps time from being learnt, as the store knows it: calendars, deployments, what people said."""

from dataclasses import dataclass
from datetime import datetime

from alerts.anomaly.calendars.reading import calendars_of
from alerts.anomaly.model import AnomalyDetector
from alerts.anomaly.ports import Deployments
from alerts.anomaly.scoring.past import Rulings
from controlplane.calendar.zones import zone
from controlplane.ports import Store


@dataclass(frozen=True, slots=True)
class StoredRulings:
    """Without a store, feedback and deployments are not known."""

    store: Store | None
    deployments: Deployments | None

    def of(self, detector: AnomalyDetector, start: datetime, end: datetime) -> Rulings:
        """Of one detector, for a time."""
        clock = zone(detector.season.time_zone)
        calendars = calendars_of(detector.calendars, clock, start, end, self.deployments)
        if self.store is None:
            return Rulings(clock, calendars)
        with self.store.transaction(read_only=True) as transaction:
            return Rulings(clock, calendars, tuple(transaction.anomalies.feedback(detector.name, since=start)))
