"""The store against models simple enough to be right, over random histories."""

import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controlplane.model.alert import AlertStatus
from controlplane.store import migrate, open_store
from tests.contracts.storing import MINUTE, NOW, SECOND, firing, message, resolved

_KEYS = st.sampled_from(["a", "b", "c"])


class _OnSQLite(RuleBasedStateMachine):
    """A store in a fresh file, and a clock that only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="flyball-model-")
        url = f"sqlite:///{Path(self.folder.name)}/state.db"
        migrate(url)
        self.store = open_store(url)
        self.now = NOW

    @rule(seconds=st.integers(1, 90))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


@dataclass
class _Message:
    id: str
    key: str
    attempts: int = 0
    due_at: datetime = NOW
    claimed_until: datetime = NOW
    state: str = "pending"


class OutboxAgainstModel(_OnSQLite):
    """Order per key, retries, dead letters, claims that run out."""

    @initialize()
    def nothing_yet(self) -> None:
        self.messages: list[_Message] = []

    @rule(key=_KEYS)
    def enqueue(self, key: str) -> None:
        new = _Message(f"m{len(self.messages)}", key, due_at=self.now, claimed_until=self.now)
        with self.store.transaction() as transaction:
            assert transaction.outbox.enqueue(message(new.id, key), self.now)
        self.messages.append(new)

    @rule(index=st.integers(0, 30))
    def enqueue_again(self, index: int) -> None:
        if index < len(self.messages):
            with self.store.transaction() as transaction:
                assert not transaction.outbox.enqueue(message(f"m{index}", "another"), self.now)

    @rule(limit=st.integers(1, 4), crash=st.booleans())
    def claim(self, limit: int, crash: bool) -> None:
        heads = {m.key: m for m in reversed(self.messages) if m.state == "pending"}
        due = [m for m in self.messages if heads.get(m.key) is m and max(m.due_at, m.claimed_until) <= self.now]
        expected = [(m.id, m.attempts) for m in due[:limit]]
        if crash:
            self._claim_and_crash(limit)
            return
        with self.store.transaction() as transaction:
            claimed = transaction.outbox.claim(limit, self.now, MINUTE)
        assert [(c.message.id, c.attempts) for c in claimed] == expected
        for each in due[:limit]:
            each.claimed_until = self.now + MINUTE

    def _claim_and_crash(self, limit: int) -> None:
        try:
            with self.store.transaction() as transaction:
                transaction.outbox.claim(limit, self.now, MINUTE)
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            return

    @rule(index=st.integers(0, 30))
    def deliver(self, index: int) -> None:
        if index < len(self.messages):
            with self.store.transaction() as transaction:
                transaction.outbox.delivered(f"m{index}", self.now)
            self.messages[index].state = "delivered"

    @rule(index=st.integers(0, 30), wait_seconds=st.none() | st.integers(0, 100))
    def fail(self, index: int, wait_seconds: int | None) -> None:
        if index >= len(self.messages):
            return
        retry_at = None if wait_seconds is None else self.now + wait_seconds * SECOND
        with self.store.transaction() as transaction:
            transaction.outbox.failed(f"m{index}", "why", retry_at, self.now)
        failed = self.messages[index]
        if failed.state == "pending":
            failed.attempts += 1
            failed.claimed_until = self.now
            failed.state = "dead" if retry_at is None else "pending"
            failed.due_at = retry_at or self.now

    @invariant()
    def counts_agree(self) -> None:
        with self.store.transaction(read_only=True) as transaction:
            counts = (transaction.outbox.backlog(), transaction.outbox.dead_letters())
        states = [m.state for m in getattr(self, "messages", [])]
        assert counts == (states.count("pending"), states.count("dead"))


@dataclass
class _Known:
    summary: str
    status: AlertStatus
    deliveries: int = 1
    times: list[datetime] = field(default_factory=list)


class AlertsAgainstModel(_OnSQLite):
    """Deliveries repeated, late, out of order; resolved stays resolved."""

    @initialize()
    def nothing_yet(self) -> None:
        self.known: dict[tuple[str, datetime], _Known] = {}

    @rule(
        fingerprint=_KEYS,
        start=st.integers(0, 2),
        status=st.sampled_from(AlertStatus),
        summary=st.text(max_size=3),
        late_seconds=st.integers(0, 120),
    )
    def deliver(self, fingerprint: str, start: int, status: AlertStatus, summary: str, late_seconds: int) -> None:
        make = firing if status is AlertStatus.FIRING else resolved
        alert = make(fingerprint, NOW + start * SECOND, summary)
        received_at = self.now - late_seconds * SECOND
        with self.store.transaction() as transaction:
            changed = transaction.alerts.record(alert, received_at)
        known = self.known.get(alert.key)
        if known is None:
            self.known[alert.key] = _Known(summary, status, 1, [received_at])
            assert changed
            return
        resolves = known.status is AlertStatus.FIRING and status is AlertStatus.RESOLVED
        assert changed is resolves
        if resolves or (known.status is AlertStatus.FIRING and received_at >= max(known.times)):
            known.summary, known.status = summary, status
        known.times.append(received_at)

    @invariant()
    def what_is_stored_agrees(self) -> None:
        with self.store.transaction(read_only=True) as transaction:
            recent, burning = transaction.alerts.recent(100), transaction.alerts.firing()
        known = getattr(self, "known", {})
        expected = sorted(known, key=lambda key: (-key[1].timestamp(), key[0]))
        assert [stored.alert.key for stored in recent] == expected
        assert burning == [stored for stored in recent if known[stored.alert.key].status is AlertStatus.FIRING]
        for stored in recent:
            model = known[stored.alert.key]
            assert (stored.alert.status, stored.alert.annotations["summary"]) == (model.status, model.summary)
            assert (stored.alert.ends_at is None) is (model.status is AlertStatus.FIRING)
            assert stored.deliveries == len(model.times)
            assert (stored.first_received_at, stored.last_received_at) == (min(model.times), max(model.times))


TestOutboxAgainstModel = OutboxAgainstModel.TestCase
TestAlertsAgainstModel = AlertsAgainstModel.TestCase
_LEAN = settings(max_examples=settings.default.max_examples // 3, stateful_step_count=30, deadline=None)
TestOutboxAgainstModel.settings = _LEAN
TestAlertsAgainstModel.settings = _LEAN
