"""A pager that fails for 30 minutes, on a simulated clock: how soon everything is there when it is back, how often.

Incidents open, change and end all the while. PagerDuty's own client talks to a server that fails as providers do (503,
timeouts, resets, 429) and keeps PagerDuty's limits by the same clock. Mail works: critical pages take it.
"""

import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from alerts.adapters.pagerduty import PagerDutyNotifier
from alerts.delivery.closing import Closing
from alerts.delivery.daemon import LanesDaemon
from alerts.delivery.fallback import Fallbacks
from alerts.delivery.rates import Rates
from alerts.delivery.showing import Showing, Shown
from alerts.incidents.snapshots import IncidentSnapshots
from alerts.model import AlertsDeclared, Snapshot
from alerts.ports import Notifier
from alerts.routing.model import Channel, ChannelKind, Receiver
from alerts.telling import tell
from benchmarks.report import Figure, progress, show
from controlplane.model.incident import Incident, IncidentState, Origin, OutsideObject, Priority
from controlplane.model.outbox import OutboxMessage
from controlplane.store import SqlStore, migrate, open_store
from tests.outside.failing import Failure
from tests.outside.pagerduty import ROUTING_KEY, PagerDutyServer

INCIDENTS: Final = 120
OUTAGE: Final = timedelta(minutes=30)
AFTERWARDS: Final = timedelta(minutes=5)
_CHANGES_A_MINUTE: Final = 40
_STEP: Final = timedelta(seconds=1)
_DEADLINE_SECONDS: Final = 2.0  # of a call: a server that does not answer holds up the clock so long
_LIMIT: Final = timedelta(minutes=2)
_FALLBACK_LIMIT_SECONDS: Final = 60
_CALLS_LIMIT: Final = 120
_SEED: Final = 30
_START: Final = datetime(2026, 12, 1, 3, tzinfo=UTC)
_FAILURES: Final = (Failure.UNAVAILABLE, Failure.SERVER_ERROR, Failure.RESET, Failure.TOO_MANY, Failure.TIMEOUT)
_PAGER: Final = Channel("pagerduty:SRE", ChannelKind.PAGERDUTY, {"routingKeyFrom": "KEY"})
_MAIL: Final = Channel("email:oncall", ChannelKind.EMAIL)
_DECLARED: Final = AlertsDeclared(receivers=(Receiver("sre", (_PAGER,), fallback=(_MAIL,)),))


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/outage.db"
        migrate(url)
        store = open_store(url)
        try:
            show("Provider outage: 30 minutes", list(_figures(store)))
        finally:
            store.close()


class _Mail:
    """Mail that always arrives; when each page did."""

    def __init__(self, showing: Showing, world: "_World") -> None:
        self._showing = showing
        self._world = world

    @property
    def channel(self) -> str:
        return _MAIL.name

    def notify(self, message: OutboxMessage) -> None:
        self._showing.deliver(message, _MAIL.name, self.show)

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        self._world.mailed.setdefault(snapshot.incident.id, self._world.now)
        yield Shown(snapshot.incident.id, is_closed=not snapshot.incident.is_open)


@dataclass
class _World:
    """What happens, on one clock."""

    store: SqlStore
    now: datetime = _START
    incidents: dict[str, Incident] = field(default_factory=dict)
    mailed: dict[str, datetime] = field(default_factory=dict)
    seen: int = 0

    def clock(self) -> datetime:
        """Now."""
        return self.now

    def put(self, incident: Incident) -> None:
        """It is so now, and its channel must be told."""
        with self.store.transaction() as transaction:
            transaction.incidents.lock()
            self.incidents[incident.id] = transaction.incidents.put(incident)
            tell(transaction, self.incidents[incident.id], [_PAGER], self.now)

    def open(self, number: int) -> None:
        """One more; every second is critical."""
        self.put(
            Incident(
                id=f"i{number}",
                key=f"i{number}",
                title=f"Service {number} fails",
                priority=Priority.P1 if number % 2 else Priority.P2,
                state=IncidentState.OPEN,
                origin=Origin.ALERTS,
                started_at=self.now,
                opened_at=self.now,
                updated_at=self.now,
                receivers=("sre",),
            )
        )

    def change(self, incident: Incident, chance: random.Random) -> None:
        """Mostly it says something else; now and then somebody acknowledges or resolves it."""
        version, kind = incident.version + 1, chance.random()
        if kind < 0.04 and incident.is_open:
            over = {"state": IncidentState.RESOLVED, "resolved_at": self.now}
            self.put(replace(incident, version=version, updated_at=self.now, **over))  # type: ignore[arg-type]
        elif kind < 0.06 and incident.state is IncidentState.OPEN:
            taken = {"state": IncidentState.ACKNOWLEDGED, "acknowledged_at": self.now, "acknowledged_by": "ann"}
            self.put(replace(incident, version=version, updated_at=self.now, **taken))  # type: ignore[arg-type]
        elif incident.is_open:
            self.put(
                replace(
                    incident,
                    version=version,
                    updated_at=self.now,
                    title=f"{incident.title.split(',')[0]}, {version} times",
                )
            )


def _figures(store: SqlStore) -> Iterator[Figure]:
    world, chance = _World(store), random.Random(_SEED)
    with PagerDutyServer(calls_a_minute=_CALLS_LIMIT, now=world.clock) as pager:
        lanes = _lanes(world, pager.url)
        turn = _Turn(world, lanes)
        for second in range(int(OUTAGE.total_seconds())):
            if second % 3 == 0:
                pager.fail_always(chance.choice(_FAILURES))
            if second % (int(OUTAGE.total_seconds()) // INCIDENTS) == 0:
                world.open(second * INCIDENTS // int(OUTAGE.total_seconds()))
            if chance.random() < _CHANGES_A_MINUTE / 60:
                world.change(chance.choice(list(world.incidents.values())), chance)
            turn.take()
            if second % 300 == 0:
                progress(f"{second // 60} minutes, {len(world.incidents)} incidents, {len(pager.asked)} calls")
        in_vain = len(pager.asked)
        critical = [each for each in world.incidents.values() if each.priority.is_critical]
        pager.recover()
        done = _until_told(world, turn, pager)
        turn.pass_(AFTERWARDS)
        lanes.close()
        yield from _told(world, pager, done, in_vain)
        yield _fallbacks(world, critical)


class _Turn:
    def __init__(self, world: _World, lanes: LanesDaemon) -> None:
        self._world = world
        self._lanes = lanes
        self._fallbacks = Fallbacks(world.store, lambda: _DECLARED)
        self._closing = Closing(world.store)
        self._number = 0

    def take(self) -> None:
        """A second of everything that delivers."""
        self._world.now += _STEP
        self._number += 1
        self._lanes.run_once(self._world.now)
        if self._number % 5 == 0:
            self._fallbacks.run_once(self._world.now)
        if self._number % 30 == 0:
            self._closing.run_once(self._world.now)

    def pass_(self, length: timedelta) -> None:
        """So many of them."""
        for _ in range(int(length.total_seconds())):
            self.take()


def _lanes(world: _World, address: str) -> LanesDaemon:
    rates = Rates(world.clock)
    showing = Showing(
        world.store, IncidentSnapshots(world.store, lambda: _DECLARED, read_time=lambda _: world.now), now=world.clock
    )

    def notifier(channel: Channel) -> Notifier:
        if channel.kind is ChannelKind.EMAIL:
            return _Mail(showing, world)
        return PagerDutyNotifier(
            channel.name,
            lambda: ROUTING_KEY,
            showing,
            rates.of(channel),
            now=world.clock,
            url=address,
            deadline_seconds=_DEADLINE_SECONDS,
        )

    chance = random.Random(_SEED)
    return LanesDaemon(
        world.store,
        lambda: _DECLARED,
        notifier,
        rates,
        now=world.clock,
        random=chance.random,
        patience_seconds=None,
    )


def _until_told(world: _World, turn: _Turn, pager: PagerDutyServer) -> timedelta:
    """How long after the recovery nothing waits any more."""
    back = world.now
    while world.now - back < AFTERWARDS:
        turn.take()
        with world.store.transaction(read_only=True) as transaction:
            if not transaction.outbox.backlog():
                break
    return world.now - back


def _told(world: _World, pager: PagerDutyServer, done: timedelta, in_vain: int) -> Iterator[Figure]:
    expected = {
        IncidentState.OPEN: "triggered",
        IncidentState.ACKNOWLEDGED: "acknowledged",
        IncidentState.RESOLVED: "resolved",
    }
    pages = {page.key.split("/")[1]: page for page in pager.pages}
    wrong = [
        each.id
        for each in world.incidents.values()
        if each.id not in pages
        or pages[each.id].status != expected[each.state]
        or (each.state is not IncidentState.RESOLVED and each.title not in pages[each.id].summary)
    ]
    triggers = [sum(event["event_action"] == "trigger" for event in page.events) for page in pager.pages]
    detail = f"{len(world.incidents)} incidents, {in_vain} calls in vain"
    yield Figure(
        "everything is told after the recovery within", done.total_seconds(), "s", _LIMIT.total_seconds(), detail=detail
    )
    yield Figure(
        "incidents that the pager does not show as they are", len(wrong), "incidents", 0, detail=json.dumps(wrong[:3])
    )
    yield Figure("pages of one incident, most", max(map(len, _by_key(pager).values())), "pages", 1)
    yield Figure("triggers of one page, most: it is told as it is now", max(triggers), "triggers", 1)
    with world.store.transaction(read_only=True) as transaction:
        yield Figure("dead letters", transaction.outbox.dead_letters(), "messages", 0)
    yield Figure("most calls of the key in a minute", pager.most_calls_in_a_minute(), "calls", _CALLS_LIMIT)


def _fallbacks(world: _World, critical: list[Incident]) -> Figure:
    """Of those that nobody had taken by then; who was acknowledged or over sooner needs no other way."""
    mailed = [each for each in critical if each.id in world.mailed]
    waits = [(world.mailed[each.id] - each.opened_at).total_seconds() for each in mailed]
    detail = f"{len(mailed)} of {len(critical)} critical incidents took it; the others were taken or over, or came last"
    return Figure(
        "a critical page took the next channel within", max(waits), "s", _FALLBACK_LIMIT_SECONDS, detail=detail
    )


def _by_key(pager: PagerDutyServer) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for page in pager.pages:
        found.setdefault(page.key, []).append(page)
    return found
