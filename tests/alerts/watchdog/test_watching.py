"""The Watchdog noted, its silence paged by ourselves, and a heartbeat only while the whole way works."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from alerts.incidents.desk import Desk
from alerts.incidents.keeping import Keeper
from alerts.intake import Intake
from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, ChannelKind, Matcher, MatchOperator, Receiver, Route
from alerts.watchdog.collector import WatchdogCollector
from alerts.watchdog.heart import Beat, Heart
from alerts.watchdog.watching import FINGERPRINT, WatchdogDaemon
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, DueStep, Incident, Priority
from controlplane.ports import Permanent, Transient
from controlplane.store import SqlStore
from tests.alerts.kept_store import NOW, kept_store

MINUTE = timedelta(minutes=1)
CHANNEL = Channel("pagerduty:sre", ChannelKind.PAGERDUTY)
_IS_WATCHDOG = Matcher("alertname", MatchOperator.EQUAL, "Watchdog")
WATCHDOG = Alert("w1", NOW - timedelta(days=3), AlertStatus.FIRING, {"alertname": "Watchdog"}, {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with kept_store(tmp_path) as opened:
        yield opened


class Bench:
    """Who takes alerts in, and who watches."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.is_expected = True
        root = Route("default", receivers=("sre",), routes=(Route("watchdog", (_IS_WATCHDOG,)),))
        self.declared = AlertsDeclared(root, (Receiver("sre", (CHANNEL,)),))
        keeper = Keeper(lambda: self.declared, read_time=lambda _, now: now)
        self.intake = Intake(store, keeper)

    def arrives(self, at: datetime) -> None:
        self.intake.receive(AlertNotification("g", "watchdog", AlertStatus.FIRING, (WATCHDOG,)), at)

    def daemon(self) -> WatchdogDaemon:
        return WatchdogDaemon(self.store, self.intake.take_own, is_expected=lambda: self.is_expected)

    def incidents(self) -> list[Incident]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.incidents.open()

    def paged(self) -> list[Alert]:
        with self.store.transaction(read_only=True) as transaction:
            return [each.alert for each in transaction.alerts.recent(10) if each.alert.fingerprint == FINGERPRINT]


@pytest.fixture
def bench(store: SqlStore) -> Bench:
    return Bench(store)


def test_a_watchdog_that_stays_away_is_one_page_until_it_is_back(bench: Bench) -> None:
    bench.arrives(NOW)
    assert bench.daemon().run_once(NOW + 4 * MINUTE).seen_at == NOW
    assert bench.paged() == []
    for minute in (5, 6, 30):  # each turn by another process
        assert bench.daemon().run_once(NOW + minute * MINUTE).silent_since == NOW + 5 * MINUTE
    (page,) = bench.paged()
    assert (page.status, page.starts_at, page.ends_at) == (AlertStatus.FIRING, NOW + 5 * MINUTE, None)
    assert page.labels == {"alertname": "WatchdogSilent", "severity": "page", "service": "flyball"}
    (incident,) = bench.incidents()  # of the Watchdog itself there is none
    assert (incident.priority, incident.receivers) == (Priority.P1, ("sre",))
    assert page.annotations["summary"] == "No Watchdog has reached Flyball since 2026-12-01 03:00 UTC"
    bench.arrives(NOW + 31 * MINUTE)
    assert bench.daemon().run_once(NOW + 31 * MINUTE).silent_since is None
    (page,) = bench.paged()
    assert (page.status, page.ends_at) == (AlertStatus.RESOLVED, NOW + 31 * MINUTE)
    bench.daemon().run_once(NOW + 40 * MINUTE)
    assert [each.starts_at for each in bench.paged()] == [NOW + 36 * MINUTE, NOW + 5 * MINUTE]


def test_that_it_was_seen_outlives_its_alert(bench: Bench) -> None:
    bench.arrives(NOW)
    bench.daemon().run_once(NOW)
    with bench.store.transaction() as transaction:
        (stored,) = transaction.alerts.firing()
        transaction.alerts.close(stored, NOW)
    assert bench.daemon().run_once(NOW + 6 * MINUTE).silent_since == NOW + 5 * MINUTE


def test_nobody_is_paged_for_a_watchdog_that_never_came_or_that_is_not_expected(bench: Bench) -> None:
    assert bench.daemon().run_once(NOW + 60 * MINUTE).silent_since is None
    bench.arrives(NOW)
    bench.is_expected = False
    assert bench.daemon().run_once(NOW + 60 * MINUTE).silent_since is None
    assert bench.paged() == []


# --- the heartbeat ----------------------------------------------------------------------------------------------------
class Pulse:
    def __init__(self) -> None:
        self.beats = 0
        self.fault: Exception | None = None

    def beat(self) -> None:
        if self.fault:
            raise self.fault
        self.beats += 1


def heart_of(bench: Bench, pulse: Pulse) -> Heart:
    return Heart(bench.store, pulse, is_expected=lambda: bench.is_expected)


def test_the_heart_beats_while_the_watchdog_arrives_and_stops_when_it_does_not(bench: Bench) -> None:
    pulse = Pulse()
    heart = heart_of(bench, pulse)
    assert heart.run_once(NOW).why == "no Watchdog has ever arrived"
    bench.arrives(NOW)
    bench.daemon().run_once(NOW)
    assert heart.run_once(NOW + MINUTE).beat is Beat.SENT
    assert heart.run_once(NOW + 5 * MINUTE).why == "no Watchdog has arrived for 5 min"
    assert pulse.beats == 1


def test_a_heartbeat_that_is_not_heard_failed(bench: Bench) -> None:
    bench.is_expected, pulse = False, Pulse()
    heart = heart_of(bench, pulse)
    for fault in (Transient("it did not answer"), Permanent("404")):
        pulse.fault = fault
        assert heart.run_once(NOW).beat is Beat.FAILED
    assert heart.counts == {Beat.SENT: 0, Beat.FAILED: 2, Beat.WITHHELD: 0}
    assert heart.sent_at is None


def untold(bench: Bench) -> str:
    """A critical incident whose page has waited since NOW."""
    desk = Desk(bench.store, lambda: bench.declared, lambda: "i1", read_time=lambda _, now: now)
    made = desk.declare(
        "it burns", priority=Priority.P1, service="", summary="", receivers=["sre"], policy="", by="ann", now=NOW
    )
    return made.incident.id


def test_the_heart_stops_while_nobody_was_told_of_a_critical_incident(bench: Bench) -> None:
    bench.is_expected = False
    heart, incident = heart_of(bench, Pulse()), untold(bench)
    assert heart.run_once(NOW + 4 * MINUTE).beat is Beat.SENT
    assert heart.run_once(NOW + 6 * MINUTE).why == "INC-1 is open for 6 min and no message of it has left"
    attempt = DeliveryAttempt("m", "email:x", incident, NOW + 6 * MINUTE, AttemptOutcome.RETRIED)
    with bench.store.transaction() as transaction:
        transaction.telling.attempted([attempt])
    assert heart.run_once(NOW + 7 * MINUTE).beat is Beat.WITHHELD
    with bench.store.transaction() as transaction:  # another channel took it
        transaction.telling.attempted([replace(attempt, outcome=AttemptOutcome.DELIVERED)])
    assert heart.run_once(NOW + 8 * MINUTE).beat is Beat.SENT


def test_who_has_an_incident_need_not_be_told_of_it(bench: Bench) -> None:
    bench.is_expected = False
    heart, incident = heart_of(bench, Pulse()), untold(bench)
    with bench.store.transaction() as transaction:
        transaction.incidents.put_steps([DueStep(incident, "p0", 0, 1, NOW + MINUTE, ("receiver:sre",))])
    assert "an escalation is due since 2026-12-01 03:01 UTC" in heart.run_once(NOW + 6 * MINUTE).why
    desk = Desk(bench.store, AlertsDeclared, lambda: "x", read_time=lambda _, now: now)
    desk.acknowledge(incident, by="ann", via="cli", now=NOW + 6 * MINUTE)
    assert heart.run_once(NOW + 7 * MINUTE).beat is Beat.SENT


def test_what_else_is_wrong_stops_the_heart(bench: Bench) -> None:
    bench.is_expected = False
    heart = Heart(bench.store, Pulse(), is_expected=lambda: False, others=[lambda now: "delivery has not run"])
    assert heart.run_once(NOW).why == "delivery has not run"


def test_what_is_scraped_says_when_the_watchdog_came_and_how_the_heart_beats(bench: Bench) -> None:
    pulse = Pulse()
    heart = heart_of(bench, pulse)
    heart.run_once(NOW)
    bench.arrives(NOW)
    bench.daemon().run_once(NOW)
    heart.run_once(NOW + MINUTE)
    registry = CollectorRegistry()
    registry.register(WatchdogCollector(bench.store, heart))
    shown = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    assert shown == [
        "flyball_watchdog_last_seen_timestamp_seconds 1.796094e+09",
        'flyball_heartbeats_total{outcome="sent"} 1.0',
        'flyball_heartbeats_total{outcome="failed"} 0.0',
        'flyball_heartbeats_total{outcome="withheld"} 1.0',
        "flyball_heartbeat_last_sent_timestamp_seconds 1.79609406e+09",
    ]
