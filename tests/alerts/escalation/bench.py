"""A store whose clock stands still between two looks, people to tell, and incidents that nobody has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from alerts.escalation.daemon import Escalated, Escalator
from alerts.escalation.model import EscalationPolicy, PolicyStep
from alerts.incidents.desk import Desk
from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, ChannelKind, Receiver
from alerts.schedules.model import Every, Override, Rotation, Schedule
from controlplane.model.incident import DueStep, Incident, Priority, TimelineEntry
from controlplane.ports import HeldLease, Store, Transaction
from controlplane.store import SqlStore
from tests.alerts.kept_store import NOW, SetClock, kept_store

MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)
CRITICAL: Final = frozenset({Priority.P0, Priority.P1})


def receiver(name: str, priorities: frozenset[Priority] = frozenset(Priority)) -> Receiver:
    """Somebody with one channel of their own."""
    return Receiver(name, (Channel(f"email:{name}", ChannelKind.EMAIL, {"to": f"{name}@example.com"}, priorities),))


def steps(*given: tuple[int, str]) -> tuple[PolicyStep, ...]:
    """Minutes and targets, several with a space between."""
    return tuple(PolicyStep(minutes * MINUTE, tuple(targets.split())) for minutes, targets in given)


SRE: Final = Schedule("sre", "UTC", (Rotation("daily", ("ann", "ben"), datetime(2026, 11, 1), Every.DAY, 1),))  # noqa: DTZ001 -- the wall's
NIGHT: Final = Schedule(  # nobody by day
    "night", "UTC", (Rotation("gone", ("ann",), datetime(2026, 1, 1), Every.DAY, 1, until=datetime(2026, 2, 1)),),  # noqa: DTZ001 -- the wall's
    (Override(NOW + 5 * MINUTE, NOW + 6 * MINUTE, "ben"),),
)  # fmt: skip
P0: Final = EscalationPolicy(
    "p0",
    steps((0, "schedule:sre"), (5, "receiver:release-lead"), (10, "receiver:secops"), (15, "receiver:exec")),
)
TWICE: Final = EscalationPolicy(
    "twice",
    steps((0, "schedule:night"), (3, "receiver:critical"), (6, "receiver:ann receiver:gone")),
    rounds=2,
    round_length=9 * MINUTE,
    acknowledged_for=20 * MINUTE,
)
DECLARED: Final = AlertsDeclared(
    receivers=(
        *(receiver(name) for name in ("ann", "ben", "exec", "release-lead", "secops")),
        receiver("critical", CRITICAL),
    ),
    policies=(P0, TWICE),
    schedules=(NIGHT, SRE),
)


class Bench:
    """Everything that escalates, over one store; `clock` is the database's."""

    def __init__(self, store: Store, clock: SetClock | None = None, declared: AlertsDeclared = DECLARED) -> None:
        self.store = store
        self.clock = clock or SetClock()
        self.declared = declared
        self._ids = count(1)
        self.desk = Desk(store, lambda: self.declared, lambda: f"i{next(self._ids)}", read_time=self._time)
        self.escalator = self.restarted(store)

    def _time(self, transaction: Transaction, now: datetime) -> datetime:
        return self.clock.now()

    def restarted(self, store: Store) -> Escalator:
        """A process that knows nothing of the one before."""
        self.escalator = Escalator(store, lambda: self.declared, read_time=self._time)
        return self.escalator

    def open(self, policy: str = "p0", priority: Priority = Priority.P0) -> Incident:
        """An incident that nobody has."""
        return self.desk.declare(
            "it is down", priority=priority, service="", summary="", receivers=[], policy=policy, by="eve",
            now=self.clock.now(),
        ).incident  # fmt: skip

    def run(self, lease: HeldLease | None = None) -> Escalated:
        """One run, by a process whose own clock is an hour behind."""
        return self.escalator.run_once(self.clock.now() - timedelta(hours=1), lease)

    def steps(self, incident: str) -> list[DueStep]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.incidents.steps_of(incident)

    def incident(self, incident: str) -> Incident:
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.incidents.incident(incident)
        assert found is not None
        return found

    def timeline(self, incident: str) -> list[TimelineEntry]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.incidents.timeline(incident)

    def told(self) -> list[str]:
        """Channels with news, which are told now."""
        with self.store.transaction() as transaction:
            claimed = transaction.outbox.claim(1000, self.clock.now())
            for each in claimed:
                transaction.outbox.delivered(each.message.id, self.clock.now())
        return sorted(each.message.channel for each in claimed)


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A bench over a store of that folder."""
    with kept_store(folder) as store:
        yield Bench(store)


def rows(store: SqlStore) -> dict[str, int]:
    """How many rows each table has."""
    from sqlalchemy import func, select

    from controlplane.store.engines import open_transaction
    from controlplane.store.tables import metadata

    with open_transaction(store._engine, read_only=True) as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in metadata.tables.items()
        }


def without_steps(declared: AlertsDeclared, *names: str) -> AlertsDeclared:
    """The same without some receivers."""
    return replace(declared, receivers=tuple(each for each in declared.receivers if each.name not in names))
