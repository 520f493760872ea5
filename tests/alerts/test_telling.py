"""From the outbox to somebody's eyes: what is printed, retried and given up."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.adapters.console import ConsoleNotifier, described
from alerts.daemon import FIRST_PAUSE, LONGEST_PAUSE, MAX_ATTEMPTS, Delivered, DeliveryDaemon, pause
from alerts.intake import Intake
from alerts.told import from_payload, to_payload
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent, Transient
from controlplane.store import SqlStore, migrate, open_store

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRING = Alert(
    fingerprint="00ff",
    starts_at=NOW,
    status=AlertStatus.FIRING,
    labels={"alertname": "SLOErrorBudgetBurn", "slo": "checkout", "severity": "page"},
    annotations={
        "summary": "checkout burns its budget 14 times too fast",
        "description": "2.1 % spent in the last hour, 61 % left, gone in 29 h",
        "worst": 'route="/pay" 71 %',
        "runbook_url": "https://runbooks.example/checkout",
    },
)
RESOLVED = replace(FIRING, status=AlertStatus.RESOLVED, ends_at=NOW + timedelta(minutes=75))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path}/f.db"
    migrate(url)
    it = open_store(url)
    yield it
    it.close()


class Failing:
    """A notifier that raises what it is told to, then takes everything."""

    channel = "console"

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken: list[OutboxMessage] = []

    def notify(self, message: OutboxMessage) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(message)


def receive(store: SqlStore, *alerts: Alert) -> None:
    Intake(store).receive(AlertNotification("g", "r", alerts[0].status, alerts), NOW)


def daemon(store: SqlStore, notifier: Failing) -> DeliveryDaemon:
    return DeliveryDaemon(store, [notifier], random=lambda: 0.0)


def test_a_firing_alert_is_a_block_with_what_an_on_call_person_needs() -> None:
    assert described(FIRING).splitlines() == [
        "2026-01-01 12:00:00Z FIRING   page   SLOErrorBudgetBurn slo=checkout",
        "    checkout burns its budget 14 times too fast",
        "    2.1 % spent in the last hour, 61 % left, gone in 29 h",
        '    worst: route="/pay" 71 %',
        "    runbook: https://runbooks.example/checkout",
    ]


def test_a_resolved_alert_says_how_long_it_fired() -> None:
    assert described(RESOLVED).splitlines() == [
        "2026-01-01 13:15:00Z RESOLVED page   SLOErrorBudgetBurn slo=checkout",
        "    checkout burns its budget 14 times too fast",
        "    fired for 1 h 15 min",
    ]


def test_nothing_in_an_alert_reaches_the_terminal_as_a_command() -> None:
    text = "a\x1b[31mred\x07\u202eltr\r\nb\u0085c\u2028d\x00"
    hostile = replace(
        FIRING, labels={"alertname": text, "slo": text}, annotations={"summary": text, "description": text}
    )
    shown = described(hostile)
    assert len(shown.splitlines()) == shown.count("\n") + 1
    assert not set(shown) & set("\x1b\x07\u202e\r\u0085\u2028\x00")
    assert shown.count("\n    ") == shown.count("\n")


def test_repeated_turns_tell_an_alert_once_and_in_order(store: SqlStore) -> None:
    out = StringIO()
    it = DeliveryDaemon(store, [ConsoleNotifier(out)], random=lambda: 0.5)
    receive(store, FIRING)
    receive(store, RESOLVED)
    assert it.run_once(NOW) == Delivered(2, 0, 0)
    assert it.run_once(NOW) == Delivered(0, 0, 0)
    assert out.getvalue().index("FIRING") < out.getvalue().index("RESOLVED")


def test_many_messages_leave_in_one_turn(store: SqlStore) -> None:
    receive(store, *(replace(FIRING, fingerprint=f"{number:x}") for number in range(1, 60)))
    assert daemon(store, Failing()).run_once(NOW) == Delivered(59, 0, 0)


def test_a_passing_failure_is_tried_again_later_and_holds_back_what_follows(store: SqlStore) -> None:
    notifier = Failing(Transient("down"))
    receive(store, FIRING)
    receive(store, RESOLVED)
    it = daemon(store, notifier)
    assert it.run_once(NOW) == Delivered(0, 1, 0)
    assert it.run_once(NOW) == Delivered(0, 0, 0)
    assert it.run_once(NOW + FIRST_PAUSE) == Delivered(2, 0, 0)
    assert [message.payload["status"] for message in notifier.taken] == ["firing", "resolved"]


def test_a_lasting_failure_is_given_up_at_once_and_kept(store: SqlStore) -> None:
    receive(store, FIRING)
    assert daemon(store, Failing(Permanent("no"))).run_once(NOW) == Delivered(0, 0, 1)
    with store.transaction(read_only=True) as transaction:
        assert (transaction.outbox.backlog(), transaction.outbox.dead_letters()) == (0, 1)


def test_it_is_given_up_after_so_many_attempts(store: SqlStore) -> None:
    receive(store, FIRING)
    it = daemon(store, Failing(*[Transient("down")] * MAX_ATTEMPTS))
    turns = [it.run_once(NOW + LONGEST_PAUSE * turn) for turn in range(MAX_ATTEMPTS + 2)]
    assert sum(turn.retried for turn in turns) == MAX_ATTEMPTS - 1
    assert sum(turn.given_up for turn in turns) == 1


def test_a_channel_that_nobody_serves_is_given_up(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.outbox.enqueue(OutboxMessage("1", "pigeon", "k", {}), NOW)
    assert daemon(store, Failing()).run_once(NOW) == Delivered(0, 0, 1)


def test_attempts_are_counted_by_channel_and_outcome(store: SqlStore) -> None:
    counted: list[tuple[str, str]] = []
    receive(store, FIRING)
    it = DeliveryDaemon(
        store, [Failing(Transient("x"))], random=lambda: 0, on_attempt=lambda *attempt: counted.append(attempt)
    )
    it.run_once(NOW)
    it.run_once(NOW + LONGEST_PAUSE)
    assert counted == [("console", "retried"), ("console", "delivered")]


def test_a_console_that_is_gone_is_a_passing_failure_and_a_strange_payload_a_lasting_one() -> None:
    closed = StringIO()
    closed.close()
    with pytest.raises(Transient):
        ConsoleNotifier(closed).notify(OutboxMessage("1", "console", "k", to_payload(FIRING)))
    for payload in ({}, {"status": "odd"}, to_payload(FIRING) | {"labels": 3}, to_payload(FIRING) | {"starts_at": "x"}):
        with pytest.raises(Permanent):
            ConsoleNotifier(StringIO()).notify(OutboxMessage("1", "console", "k", payload))


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_within_bounds(failed: int, chance: float) -> None:
    assert FIRST_PAUSE / 2 <= pause(failed, chance) <= LONGEST_PAUSE
    assert pause(failed, chance) <= pause(failed + 1, chance)


@given(st.dictionaries(st.text(), st.text()), st.none() | st.timedeltas(timedelta(), timedelta(days=1000)))
def test_an_alert_travels_unharmed(labels: dict[str, str], lasted: timedelta | None) -> None:
    status = AlertStatus.FIRING if lasted is None else AlertStatus.RESOLVED
    alert = replace(FIRING, labels=labels, status=status, ends_at=None if lasted is None else NOW + lasted)
    assert from_payload(to_payload(alert)) == alert


def test_the_event_of_firing_says_firing_even_when_we_met_it_resolved(store: SqlStore) -> None:
    receive(store, RESOLVED)
    with store.transaction(read_only=True) as transaction:
        fired, resolved = (recorded.event for recorded in transaction.events.after(0, 10))
    assert (fired.data["status"], fired.data["ends_at"], fired.occurred_at) == ("firing", None, NOW)
    assert (resolved.data["status"], resolved.occurred_at) == ("resolved", RESOLVED.ends_at)


def test_what_a_ladder_tells_by_itself_is_not_told_again_when_prometheus_finds_it(store: SqlStore) -> None:
    labels = {"alertname": "FlagStoreDown", "ladder": "intelgraph", "severity": "page"}
    receive(store, replace(FIRING, fingerprint="ff00", labels=labels))
    with store.transaction(read_only=True) as transaction:
        assert transaction.outbox.backlog() == 0
        assert [each.event.subject for each in transaction.events.after(0, 10)] == ["FlagStoreDown"]
        assert len(transaction.alerts.firing()) == 1
