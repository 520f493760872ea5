"""The store against models simple enough to be right, over random histories."""

import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controlplane.model.alert import AlertStatus
from controlplane.model.outbox import OutboxMessage
from controlplane.store import migrate, open_store
from tests.contracts.storing import MINUTE, NOW, SECOND, firing, message, resolved

_KEYS = st.sampled_from(["a", "b", "c"])
_URGENCIES = st.integers(0, 4)


@cache
def _empty_file() -> bytes:
    """A database with our tables: to migrate one for each example would take most of the time."""
    with tempfile.TemporaryDirectory(prefix="flyball-model-") as folder:
        migrate(f"sqlite:///{folder}/state.db")
        return (Path(folder) / "state.db").read_bytes()


class _OnSQLite(RuleBasedStateMachine):
    """A store in a fresh file, and a clock that only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="flyball-model-")
        (Path(self.folder.name) / "state.db").write_bytes(_empty_file())
        self.store = open_store(f"sqlite:///{self.folder.name}/state.db")
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
    urgency: int
    attempts: int = 0
    open_claims: int = 0
    due_at: datetime = NOW
    claimed_until: datetime = NOW
    state: str = "pending"


class OutboxAgainstModel(_OnSQLite):
    """Order per key, urgency, news that waits, retries, dead letters, claims that run out."""

    @initialize()
    def nothing_yet(self) -> None:
        self.messages: list[_Message] = []

    @rule(key=_KEYS, urgency=_URGENCIES)
    def enqueue(self, key: str, urgency: int) -> None:
        with self.store.transaction() as transaction:
            assert transaction.outbox.enqueue(self._new(key, urgency), self.now)
        self._expect(key, urgency)

    @rule(key=_KEYS, urgency=_URGENCIES)
    def enqueue_current(self, key: str, urgency: int) -> None:
        waits = any(each.open_claims == 0 for each in self._pending(key))
        with self.store.transaction() as transaction:
            queued = transaction.outbox.enqueue_current([self._new(key, urgency)] * 2, self.now)
        assert queued == (0 if waits else 1)
        self._expect(key, urgency, is_queued=not waits)

    @rule(index=st.integers(0, 30), urgency=_URGENCIES)
    def enqueue_again(self, index: int, urgency: int) -> None:
        if index < len(self.messages):
            again = message(f"m{index}", "another", urgency=urgency)
            with self.store.transaction() as transaction:
                assert not transaction.outbox.enqueue(again, self.now)
                assert not transaction.outbox.enqueue_current([again], self.now)

    @rule(limit=st.integers(1, 4), urgency=_URGENCIES, crash=st.booleans())
    def claim(self, limit: int, urgency: int, crash: bool) -> None:
        heads = {m.key: m for m in reversed(self.messages) if m.state == "pending"}
        due = [m for m in self.messages if heads.get(m.key) is m and max(m.due_at, m.claimed_until) <= self.now]
        due = sorted((m for m in due if m.urgency <= urgency), key=lambda m: m.urgency)[:limit]
        expected = [(m.id, m.attempts, m.urgency) for m in due]
        if crash:
            self._claim_and_crash(limit)
            return
        with self.store.transaction() as transaction:
            claimed = transaction.outbox.claim(limit, self.now, MINUTE, urgency=urgency)
        assert [(c.message.id, c.attempts, c.message.urgency) for c in claimed] == expected
        for each in due:
            each.claimed_until = self.now + MINUTE
            each.open_claims += 1

    def _new(self, key: str, urgency: int) -> OutboxMessage:
        return message(f"m{len(self.messages)}", key, urgency=urgency)

    def _pending(self, key: str) -> list[_Message]:
        return [each for each in self.messages if each.key == key and each.state == "pending"]

    def _expect(self, key: str, urgency: int, *, is_queued: bool = True) -> None:
        for each in self._pending(key):
            each.urgency = min(each.urgency, urgency)
        if is_queued:
            new = _Message(f"m{len(self.messages)}", key, urgency, due_at=self.now, claimed_until=self.now)
            self.messages.append(new)

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
            failed.state = "dead" if retry_at is None else "pending"
            self._let_go(failed, retry_at or self.now)

    @rule(index=st.integers(0, 30), wait_seconds=st.integers(0, 100))
    def postpone(self, index: int, wait_seconds: int) -> None:
        if index < len(self.messages):
            until = self.now + wait_seconds * SECOND
            with self.store.transaction() as transaction:
                transaction.outbox.postponed(f"m{index}", until, self.now)
            if self.messages[index].state == "pending":
                self._let_go(self.messages[index], until)

    def _let_go(self, held: _Message, due_at: datetime) -> None:
        held.claimed_until = self.now
        held.due_at = due_at
        held.open_claims = max(0, held.open_claims - 1)

    @invariant()
    def counts_agree(self) -> None:
        with self.store.transaction(read_only=True) as transaction:
            counts = (transaction.outbox.backlog(), transaction.outbox.dead_letters())
        states = [m.state for m in getattr(self, "messages", [])]
        assert counts == (states.count("pending"), states.count("dead"))


@dataclass
class _Deliverer:
    """Has claimed a message; reads what is true, maybe much later, and then says so, or dies."""

    message: str
    key: str
    read: int | None = None


class NewsIsNeverLost(_OnSQLite):
    """Whoever tells the state of a key may stall, overtake and die: when nothing is pending, the last was told."""

    @initialize()
    def nothing_yet(self) -> None:
        self.versions = dict.fromkeys("abc", 0)
        self.told = dict.fromkeys("abc", 0)
        self.at_work: list[_Deliverer] = []

    @rule(key=_KEYS)
    def something_happens(self, key: str) -> None:
        self.versions[key] += 1
        with self.store.transaction() as transaction:
            transaction.outbox.enqueue_current([message(f"{key}{self.versions[key]}", key)], self.now)

    @rule()
    def claim(self) -> None:
        with self.store.transaction() as transaction:
            claimed = transaction.outbox.claim(2, self.now, MINUTE)
        self.at_work += [_Deliverer(each.message.id, each.message.key) for each in claimed]

    @rule(index=st.integers(0, 3))
    def read(self, index: int) -> None:
        if index < len(self.at_work) and self.at_work[index].read is None:
            self.at_work[index].read = self.versions[self.at_work[index].key]

    @rule(index=st.integers(0, 3))
    def tell(self, index: int) -> None:
        if index < len(self.at_work) and (version := self.at_work[index].read) is not None:
            done = self.at_work.pop(index)
            self.told[done.key] = max(self.told[done.key], version)
            with self.store.transaction() as transaction:
                transaction.outbox.delivered(done.message, self.now)

    @rule(index=st.integers(0, 3), is_postponed=st.booleans())
    def fail(self, index: int, is_postponed: bool) -> None:
        if index < len(self.at_work):
            failed = self.at_work.pop(index)
            with self.store.transaction() as transaction:
                if is_postponed:
                    transaction.outbox.postponed(failed.message, self.now, self.now)
                else:
                    transaction.outbox.failed(failed.message, "503", self.now, self.now)

    @rule(index=st.integers(0, 3))
    def die(self, index: int) -> None:
        del self.at_work[index : index + 1]

    @invariant()
    def what_is_not_pending_was_told(self) -> None:
        with self.store.transaction(read_only=True) as transaction:
            pending = [each.message.key for each in transaction.outbox.overdue(self.now + MINUTE, 4)]
        for key, version in getattr(self, "versions", {}).items():
            assert pending.count(key) <= 2
            assert key in pending or self.told[key] == version


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
TestNewsIsNeverLost = NewsIsNeverLost.TestCase
TestAlertsAgainstModel = AlertsAgainstModel.TestCase
_LEAN = settings(max_examples=settings.default.max_examples // 3, stateful_step_count=30, deadline=None)
TestOutboxAgainstModel.settings = _LEAN
TestNewsIsNeverLost.settings = _LEAN
TestAlertsAgainstModel.settings = _LEAN
