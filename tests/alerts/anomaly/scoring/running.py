"""Daemons over worlds, turned step by step."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from alerts.anomaly.daemon import AnomalyDaemon, Turn
from alerts.anomaly.model import AnomalyDetector
from controlplane.model.anomaly import Episode
from controlplane.model.event import Event
from controlplane.ports import HeldLease, Leases, Store, Transaction, Transient
from tests.alerts.anomaly.scoring.worlds import World, moment


@dataclass
class Time:
    at: datetime = field(default_factory=lambda: moment(0))

    def now(self) -> datetime:
        return self.at


class Running:
    """A process with a daemon; another one of the same store is what comes after a crash."""

    def __init__(self, store: Store, world: World, detectors: Iterable[AnomalyDetector], **others: Any) -> None:
        self.detectors = list(detectors)
        self.time = Time()
        self.daemon = AnomalyDaemon(
            store, lambda: self.detectors, world, self.time, seconds=lambda: 0.0, **others
        )  # fmt: skip

    def at(self, index: int, lease: HeldLease | None = None) -> Turn:
        """A turn when that step is complete."""
        self.time.at = moment(index)
        return self.daemon.run_once(self.time.at, lease)

    def through(self, first: int, stop: int) -> list[Turn]:
        return [self.at(index) for index in range(first, stop)]

    def reach(self, first: int, last: int) -> Turn:
        """A turn at the first step, and one at the last, which catches up with those between."""
        self.at(first)
        return self.at(last)

    def lines(self, start: str) -> list[str]:
        return [line for line in self.daemon.board.text().decode().splitlines() if line.startswith(start)]


def kept(store: Store) -> tuple[list[Episode], list[Event]]:
    """All episodes and events, explanations aside: who has just begun does not know what was before."""
    with store.transaction(read_only=True) as transaction:
        episodes = [replace(each, explanation="") for each in explained(transaction)]
        events = [each.event for each in transaction.events.after(0, 10_000)]
    return sorted(episodes, key=lambda each: each.id), sorted(events, key=lambda each: each.id)


def explained(transaction: Transaction) -> list[Episode]:
    """All episodes."""
    return transaction.anomalies.episodes(moment(-10_000), moment(100_000))


class Failing:
    """A store whose writes fail when `fails` says so: before anything is kept, or after all of it was."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fails = ""  # "before" | "after"

    @property
    def leases(self) -> Leases:
        return self._store.leases

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[Transaction]:
        with self._store.transaction(lease=lease, read_only=read_only) as transaction:
            yield transaction
            if not read_only and self.fails == "before":
                raise Transient("the database is away")
        if not read_only and self.fails == "after":
            raise Transient("the database is away; who knows what it kept")

    def ping(self) -> None:
        self._store.ping()
