"""Cost issues, incidents and actions as they happen, and a tracker that lives in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from alerts.announcing import announce
from alerts.tickets.ports import Draft, Gone, IssueTracker, Move, Opened
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.event import JSON, Event
from controlplane.model.follow_up import Action
from controlplane.model.incident import Incident, IncidentState, Origin, Priority
from controlplane.ports import HeldLease, Leases, Store, Transaction, Transient
from controlplane.store import SqlStore
from finops.explain.issue import issue_of_alert

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
T = TypeVar("T")
ALERT = Alert(
    "b1b1", NOW - 5 * MINUTE, AlertStatus.FIRING,
    {"alertname": "SpendSpike", "budget": "platform", "severity": "ticket", "currency": "USD"},
    {"summary": "platform spends 3× what it usually does", "runbook_url": "https://runbooks.example/spend"},
)  # fmt: skip
FIGURES: dict[str, JSON] = {
    "explained": True,
    "changes": [{"at": "2026-12-01T09:10:00+00:00", "kind": "deployment.finished", "subject": "graphql-gateway",
                 "detail": "v1.8.0 [skip] @oncall"}],
    "currencies": [{
        "currency": "USD", "before": "120.50", "after": "361.75", "change": "241.25",
        "effects": {"volume": "200.00", "price": "41.25"},
        "movers": [{"group": {"service": "graphql-gateway"}, "before": "20", "after": "240", "change": "220"}],
    }],
    "traces": [
        {"service": "graphql-gateway", "trace_id": "4bf92f35", "at": "2026-12-01T09:12:00+00:00",
         "url": "https://traces.example/4bf92f35"},
        {"service": "ingest", "trace_id": "00aa11bb", "at": "2026-12-01T09:13:00+00:00"},
    ],
}  # fmt: skip


def fires(store: SqlStore, alert: Alert = ALERT, *, figures: dict[str, JSON] | None = None) -> str:
    """An alert of a budget fires, and its cost issue is written; the issue's id."""
    with store.transaction() as transaction:
        transaction.alerts.record(alert, NOW)
        announce(transaction, [alert], NOW)
        fired = transaction.events.between(NOW - timedelta(days=30), NOW + timedelta(days=1), ("alert.fired",))
    mine = next(each.event for each in fired if alert.fingerprint in each.event.id)
    issue = issue_of_alert(mine)
    assert issue
    written(store, replace(issue, data={**issue.data, **(FIGURES if figures is None else figures)}))
    return issue.id


def ends(store: SqlStore, alert: Alert = ALERT, at: datetime = NOW + MINUTE) -> None:
    """It fires no more."""
    over = replace(alert, status=AlertStatus.RESOLVED, ends_at=at)
    with store.transaction() as transaction:
        transaction.alerts.record(over, at)
        announce(transaction, [over], at)


def written(store: SqlStore, event: Event) -> None:
    with store.transaction() as transaction:
        transaction.events.append(event, NOW)


def incident(store: SqlStore, id_: str = "i1", *, later: timedelta = timedelta(0)) -> Incident:
    """One that is resolved; all of them have the same key."""
    began = NOW - timedelta(hours=2) + later
    it = Incident(
        id=id_, key="k1", title="graphql-gateway burns", priority=Priority.P1, state=IncidentState.RESOLVED,
        origin=Origin.ALERTS, started_at=began, opened_at=began + MINUTE, updated_at=NOW,
        resolved_at=began + 60 * MINUTE, resolved_by="ann",
    )  # fmt: skip
    with store.transaction() as transaction:
        return transaction.incidents.put(it)


def action(store: SqlStore, id_: str = "a1", **changes: object) -> Action:
    """One of that incident."""
    made = Action(id_, "i1", "Cap the connection pool", "ben", date(2026, 12, 15), NOW, "ann")
    made = replace(made, **changes)  # type: ignore[arg-type]
    with store.transaction() as transaction:
        transaction.follow_up.put_action(made)
    return made


@dataclass
class Kept:
    """A ticket in the memory tracker."""

    draft: Draft
    is_open: bool = True


class Crash(Exception):
    """The process dies here."""


@dataclass
class MemoryTracker:
    """Implements `IssueTracker`. `trouble` is raised by the next calls, one each; `crash_after` dies after opening."""

    kept: dict[str, Kept] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    loses_answers: int = 0
    crash_after: bool = False
    calls: list[str] = field(default_factory=list)
    settles_within: timedelta = timedelta(0)

    def find(self, key: str, since: datetime) -> Opened | None:
        self._call("find")
        found = [id_ for id_, each in self.kept.items() if each.draft.key == key]
        return Opened(found[0], f"https://tickets.example/{found[0]}") if found else None

    def open(self, draft: Draft) -> Opened:
        self._call("open")
        id_ = str(len(self.kept) + 1)
        self.kept[id_] = Kept(draft)
        if self.crash_after:
            raise Crash
        if self.loses_answers:
            self.loses_answers -= 1
            raise Transient("the answer was lost")
        return Opened(id_, f"https://tickets.example/{id_}")

    def update(self, outside_id: str, draft: Draft, move: Move) -> None:
        self._call("update")
        kept = self._there(outside_id)
        kept.draft = draft
        kept.is_open = kept.is_open if move is Move.STAYS else move is Move.REOPENS

    def is_open(self, outside_id: str) -> bool:
        self._call("is_open")
        return self._there(outside_id).is_open

    def _there(self, outside_id: str) -> Kept:
        if outside_id not in self.kept:
            raise Gone("it is not there")
        return self.kept[outside_id]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.trouble:
            raise self.trouble.pop(0)


class Dying:
    """Kills the process at its `at`th boundary: before or after a transaction, before or after a tracker's call."""

    def __init__(self, at: int) -> None:
        self._left = at

    @property
    def has_died(self) -> bool:
        """Whether it came so far."""
        return self._left <= 0

    def over(self, store: SqlStore) -> Store:
        """The store, with boundaries."""
        return _DyingStore(store, self)

    def around(self, tracker: MemoryTracker) -> IssueTracker:
        """The tracker, with boundaries."""
        return _DyingTracker(tracker, self)

    def step(self) -> None:
        """A boundary; dead processes have none."""
        self._left -= 1
        if self._left == 0:
            raise Crash


@dataclass
class _DyingStore:
    store: SqlStore
    dying: Dying

    @property
    def leases(self) -> Leases:
        return self.store.leases

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[Transaction]:
        self.dying.step()
        with self.store.transaction(lease=lease, read_only=read_only) as transaction:
            yield transaction
        self.dying.step()

    def ping(self) -> None:
        self.store.ping()


@dataclass
class _DyingTracker:
    tracker: MemoryTracker
    dying: Dying

    @property
    def settles_within(self) -> timedelta:
        return self.tracker.settles_within

    def find(self, key: str, since: datetime) -> Opened | None:
        return self._between(lambda: self.tracker.find(key, since))

    def open(self, draft: Draft) -> Opened:
        return self._between(lambda: self.tracker.open(draft))

    def update(self, outside_id: str, draft: Draft, move: Move) -> None:
        self._between(lambda: self.tracker.update(outside_id, draft, move))

    def is_open(self, outside_id: str) -> bool:
        return self._between(lambda: self.tracker.is_open(outside_id))

    def _between(self, call: Callable[[], T]) -> T:
        self.dying.step()
        result = call()
        self.dying.step()
        return result
