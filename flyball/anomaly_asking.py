"""Explanations for the console and the command line: Prometheus read anew, calendars and feedback known."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy takes time to import
    from alerts.anomaly.explaining.asking import RulingsOf
    from alerts.anomaly.explaining.model import Explained
    from alerts.anomaly.model import AnomalyDetector
    from alerts.anomaly.ports import Deployments
    from alerts.anomaly.scoring.past import Rulings
    from controlplane.matrix_ports import MatrixBackend
    from controlplane.ports import Store
    from exporters.dora.policy.model import DeliveryPolicy


def rulings_of(store: "Store | None", policy: "Callable[[], DeliveryPolicy]") -> "RulingsOf":
    """What keeps time from being learnt: calendars, and of a store deployments and feedback. None: calendars alone."""

    def of(detector: "AnomalyDetector", start: datetime, end: datetime) -> "Rulings":
        from alerts.anomaly.calendars.reading import calendars_of
        from alerts.anomaly.scoring.past import Rulings
        from controlplane.calendar.zones import zone

        clock = zone(detector.season.time_zone)
        calendars = calendars_of(detector.calendars, clock, start, end, _deployments(store, policy))
        if store is None:
            return Rulings(clock, calendars)
        with store.transaction(read_only=True) as transaction:
            said = transaction.anomalies.feedback(detector.name, since=start)
        return Rulings(clock, calendars, tuple(said))

    return of


def _deployments(store: "Store | None", policy: "Callable[[], DeliveryPolicy]") -> "Deployments | None":
    if store is None:
        return None
    from flyball.anomalies.deployments import StoredDeployments

    return StoredDeployments(store, policy)


def explainer(
    source: "MatrixBackend", rulings: "RulingsOf"
) -> "Callable[[AnomalyDetector, Mapping[str, str], datetime], Explained | None]":
    """For `flyball.web.anomaly_state.DeclaredAnomalies`: raises `Transient` and `Permanent`; None for daily costs."""

    def explain(detector: "AnomalyDetector", labels: Mapping[str, str], at: datetime) -> "Explained | None":
        from alerts.anomaly.explaining.asking import explain as asked

        return asked(source, detector, labels, at, rulings) if detector.query else None

    return explain
