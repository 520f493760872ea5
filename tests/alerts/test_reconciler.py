"""Alerts whose end was never told are closed, and no others."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.announcing import CONSOLE
from alerts.intake import Intake
from alerts.reconciler import GRACE, LOOKS, Reconciler
from controlplane.conventions import EVENT_ALERT_FIRED, EVENT_ALERT_RESOLVED
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.ports import Transient
from controlplane.store import SqlStore, migrate, open_store
from tests.contracts.storing import MINUTE, NOW, SECOND, firing, resolved

EVERY = 40 * SECOND


class Source:
    """An Alertmanager that holds what a test says, or does not answer."""

    def __init__(self) -> None:
        self.alerts: dict[str, datetime] = {}
        self.answers = True

    def held(self) -> dict[str, datetime]:
        if not self.answers:
            raise Transient("it is away")
        return dict(self.alerts)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path}/state.db"
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


def receive(store: SqlStore, *alerts: Alert, now: datetime = NOW) -> None:
    Intake(store).receive(AlertNotification("g", "r", AlertStatus.FIRING, alerts), now)


def still_firing(store: SqlStore) -> list[str]:
    with store.transaction(read_only=True) as transaction:
        return [stored.alert.fingerprint for stored in transaction.alerts.firing()]


def look(reconciler: Reconciler, times: int, begin: datetime = NOW, every: timedelta = EVERY) -> int:
    """How many alerts so many looks close."""
    return sum(reconciler.run_once(begin + number * every).closed for number in range(times))


def test_an_alert_that_is_unknown_for_long_enough_is_closed_and_announced(store: SqlStore) -> None:
    source = Source()
    source.alerts = {"held": NOW}
    receive(store, firing("lost"), firing("held"))
    reconciler = Reconciler(store, source)
    assert look(reconciler, LOOKS) == 0
    assert still_firing(store) == ["held", "lost"]
    assert look(reconciler, 1, NOW + LOOKS * EVERY) == 1
    assert still_firing(store) == ["held"]
    with store.transaction() as transaction:
        (event,) = transaction.events.after(0, 10, [EVENT_ALERT_RESOLVED])
        assert event.event.data["reason"] == "reconciled"
        assert event.event.data["fingerprint"] == "lost"
        assert event.event.occurred_at == NOW
        assert len(transaction.events.after(0, 10, [EVENT_ALERT_FIRED])) == 2
        assert [one.message.key for one in transaction.outbox.claim(10, NOW + timedelta(hours=1))] == [
            f"{CONSOLE}:held", f"{CONSOLE}:lost",
        ]  # fmt: skip
        assert transaction.outbox.backlog() == 3
        stored = {one.alert.fingerprint: one for one in transaction.alerts.recent(10)}["lost"]
    assert (stored.alert.ends_at, stored.deliveries, stored.last_received_at) == (NOW, 1, NOW)
    assert look(reconciler, 2 * LOOKS, NOW + timedelta(hours=1)) == 0


def test_while_alertmanager_does_not_answer_nothing_is_closed_and_the_count_begins_afresh(store: SqlStore) -> None:
    source = Source()
    receive(store, firing("lost"))
    reconciler = Reconciler(store, source)
    assert look(reconciler, LOOKS) == 0
    source.answers = False
    with pytest.raises(Transient):
        reconciler.run_once(NOW + timedelta(hours=1))
    source.answers = True
    assert look(reconciler, LOOKS, NOW + timedelta(hours=2)) == 0
    assert look(reconciler, 1, NOW + timedelta(hours=3)) == 1


def test_a_clock_that_jumps_closes_nothing(store: SqlStore) -> None:
    receive(store, firing("lost"))
    reconciler = Reconciler(store, Source())
    assert look(reconciler, LOOKS - 1, every=timedelta(days=1)) == 0
    assert look(reconciler, LOOKS, NOW - timedelta(days=1), every=SECOND) == 0
    assert still_firing(store) == ["lost"]


def test_a_delivery_begins_the_count_afresh(store: SqlStore) -> None:
    receive(store, firing("lost"))
    reconciler = Reconciler(store, Source())
    assert look(reconciler, LOOKS) == 0
    receive(store, firing("lost"), now=NOW + GRACE)
    assert look(reconciler, LOOKS, NOW + LOOKS * EVERY) == 0
    assert still_firing(store) == ["lost"]


@pytest.mark.parametrize(("start", "closed"), [(-MINUTE, 0), (SECOND / 1000, 0), (MINUTE, 1)])
def test_a_later_alert_of_the_same_fingerprint_is_another_one(store: SqlStore, start: timedelta, closed: int) -> None:
    source = Source()
    source.alerts = {"f1": NOW + start}
    receive(store, firing("f1"))
    assert look(Reconciler(store, source), LOOKS + 1) == closed


def test_an_alert_that_was_resolved_or_delivered_meanwhile_is_not_closed(store: SqlStore) -> None:
    receive(store, firing("f1"), firing("f2"))
    with store.transaction(read_only=True) as transaction:
        seen = transaction.alerts.firing()
    receive(store, resolved("f1"), firing("f2"))
    with store.transaction() as transaction:
        assert [transaction.alerts.close(one, NOW + MINUTE) for one in seen] == [False, False]
        assert [one.alert.fingerprint for one in transaction.alerts.firing()] == ["f2"]
