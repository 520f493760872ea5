"""Alerts of a time that is over, from the store and from Prometheus, each once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.explaining.fingerprints import fingerprint_of
from alerts.explaining.firings import Fired, Firings, joined, prometheus_firings, stored_firings
from alerts.incidents.desk import Desk
from alerts.incidents.keeping import Keeper
from alerts.intake import Intake
from alerts.model import AlertsDeclared
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.model.series import Sample, Series
from tests.alerts.explaining.replays import HOUR, MINUTE, SECOND, SINCE, UNTIL, declared, fired
from tests.alerts.kept_store import kept_store


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"alertname": "SLOErrorBudgetBurn", "severity": "page", "slo": "checkout"}, "bd513747d51d3acc"),
        ({"alertname": "Ünïcode", "a": 'ß "q"\n'}, "42796bfd2279acde"),
        ({"alertname": "x"}, "d240efc3896bf266"),
    ],
)
def test_fingerprints_are_those_that_alertmanager_gives(labels: dict[str, str], expected: str) -> None:
    assert fingerprint_of(labels) == expected  # as Alertmanager 0.25 answered for these


class Backend:
    """Has ALERTS of these times, every minute in [start, end]."""

    def __init__(self, *spans: tuple[dict[str, str], timedelta, timedelta]) -> None:
        self._spans = spans
        self.asked: list[tuple[datetime, datetime]] = []

    def query(self, expr: str, at: datetime) -> list[Sample]:
        raise NotImplementedError

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        assert expr == 'ALERTS{alertstate="firing",alertname!="Watchdog"}'
        self.asked.append((start, end))
        found = []
        for labels, first, last in self._spans:
            times = [start + number * step for number in range(int((end - start) / step) + 1)]
            points = tuple((at, 1.0) for at in times if SINCE + first <= at <= SINCE + last)
            if points:
                found.append(Series({"__name__": "ALERTS", "alertstate": "firing", **labels}, points))
        return found


def test_what_prometheus_fired_is_found_over_the_ends_of_days_and_told_apart_by_gaps() -> None:
    down, slow = {"alertname": "Down", "job": "x"}, {"alertname": "Slow"}
    backend = Backend((down, 23 * HOUR, 25 * HOUR), (down, 30 * HOUR, 30 * HOUR), (slow, 6 * 24 * HOUR, 8 * 24 * HOUR))
    found = prometheus_firings(backend, SINCE, UNTIL).fired
    assert [(each.name, each.start - SINCE, each.end and each.end - SINCE) for each in found] == [
        ("Down", 23 * HOUR, 25 * HOUR + MINUTE), ("Down", 30 * HOUR, 30 * HOUR + MINUTE), ("Slow", 6 * 24 * HOUR, None),
    ]  # fmt: skip
    assert found[0].labels == down
    assert found[0].fingerprint == fingerprint_of(down)
    assert not found[0].arrived
    assert len(backend.asked) == 7
    assert max(end - start for start, end in backend.asked) == timedelta(days=1)


def test_an_alert_that_both_know_of_is_the_one_that_reached_us() -> None:
    def unseen(each: Fired) -> Fired:
        return Fired(each.labels, each.start, each.end, each.fingerprint, arrived=False)

    ours = fired(HOUR, 20 * MINUTE, cluster="eu")  # Prometheus adds cluster on the way
    same, later, other = fired(HOUR - MINUTE, 20 * MINUTE), fired(3 * HOUR), fired(HOUR, service="other")
    found = joined(Firings((ours,), ("a note",)), Firings(tuple(map(unseen, (same, later, other)))))
    assert [(each.arrived, each.start - SINCE, each.labels["service"]) for each in found.fired] == [
        (True, HOUR, "gateway"), (False, HOUR, "other"), (False, 3 * HOUR, "gateway")
    ]  # fmt: skip
    assert found.notes == ("a note",)


def alert(name: str, start: timedelta, length: timedelta | None) -> Alert:
    status = AlertStatus.FIRING if length is None else AlertStatus.RESOLVED
    ends = None if length is None else SINCE + start + length
    return Alert(name, SINCE + start, status, {"alertname": name}, {}, ends)


def received(intake: Intake, alerts: Sequence[Alert], at: datetime) -> None:
    intake.receive(AlertNotification("g", "default", AlertStatus.FIRING, tuple(alerts)), at)


def test_stored_alerts_of_the_time_are_found_with_their_incidents_and_who_acknowledged(tmp_path: Path) -> None:
    config: AlertsDeclared = declared()
    with kept_store(tmp_path) as store:
        keeper = Keeper(lambda: config, read_time=lambda _, now: now)
        intake = Intake(store, keeper)
        before, long = alert("before", -3 * HOUR, HOUR), alert("long", -30 * 24 * HOUR, None)
        received(intake, [before, long, alert("Watchdog", HOUR, None), alert("after", 8 * 24 * HOUR, None)], SINCE)
        received(intake, [alert("in", HOUR, None)], SINCE + HOUR)
        desk = Desk(store, lambda: config, lambda: "x", read_time=lambda _, now: now)
        with store.transaction(read_only=True) as transaction:
            id_ = transaction.incidents.incident_of("in", SINCE + HOUR)
        assert id_ is not None
        desk.acknowledge(id_, by="ann", via="cli", now=SINCE + HOUR + 5 * SECOND)
        received(intake, [alert("in", HOUR, 9 * 24 * HOUR)], SINCE + 10 * 24 * HOUR)
        with store.transaction(read_only=True) as transaction:
            found = stored_firings(transaction, SINCE, UNTIL)
    assert [(each.fingerprint, each.start - SINCE, each.end) for each in found.fired] == [
        ("long", -30 * 24 * HOUR, None), ("in", HOUR, None)  # it still fired when the time ended
    ]  # fmt: skip
    assert found.fired[1].acknowledged_at == SINCE + HOUR + 5 * SECOND
    assert found.fired[1].incident.startswith("INC-")
