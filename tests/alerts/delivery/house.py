"""Lanes with providers that do as they are told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.delivery.closing import Closing
from alerts.delivery.daemon import LanesDaemon, LanesRan
from alerts.delivery.fallback import Fallbacks
from alerts.delivery.lanes import Observers
from alerts.delivery.rates import ALLOWANCES, Allowance, Rate, Rates
from alerts.delivery.showing import Showing, Shown
from alerts.model import AlertsDeclared, Snapshot
from alerts.ports import Notifier
from alerts.routing.model import Channel, ChannelKind, Receiver
from alerts.telling import tell
from controlplane.model.incident import DeliveryAttempt, Incident, OutsideObject, TimelineEntry
from controlplane.model.outbox import OutboxMessage
from controlplane.store import SqlStore
from tests.alerts.kept_store import NOW, SetClock
from tests.alerts.snapshots import INCIDENT, snapshot_of

PAGER = Channel("pagerduty:SRE", ChannelKind.PAGERDUTY)
CHAT = Channel("slack:#ops", ChannelKind.SLACK)
MAIL = Channel("email:oncall", ChannelKind.EMAIL)
HOOK = Channel("webhook:last", ChannelKind.WEBHOOK)
SRE = Receiver("sre", (PAGER, CHAT), fallback=(MAIL, HOOK))


class Provider:
    """Somebody outside. `taken` are the incidents' versions that arrived, in order; `down` what every call raises."""

    def __init__(self, channel: str, showing: Showing, rate: Rate) -> None:
        self._channel = channel
        self._rate = rate
        self._showing = showing
        self.down: Callable[[], Exception] | None = None
        self.errors: list[Exception] = []
        self.shows: frozenset[tuple[str, int]] = frozenset()  # incidents and versions that need no call
        self.before: Callable[[], None] = lambda: None
        self.calls = 0
        self.taken: list[tuple[str, int]] = []

    @property
    def channel(self) -> str:
        return self._channel

    def notify(self, message: OutboxMessage) -> None:
        self._showing.deliver(message, self._channel, self.show)

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        if (snapshot.incident.id, snapshot.incident.version) in self.shows:
            yield Shown(snapshot.incident.id)
            return
        self._rate.take(snapshot.incident.priority.rank)
        self.calls += 1
        self.before()
        if self.errors:
            raise self.errors.pop(0)
        if self.down is not None:
            raise self.down()
        self.taken.append((snapshot.incident.id, snapshot.incident.version))
        yield Shown(snapshot.incident.id, is_closed=not snapshot.incident.is_open)


class House:
    """Everything that delivers, on one clock. `clock.at` moves it."""

    def __init__(self, store: SqlStore, allowances: Mapping[ChannelKind, Allowance] = ALLOWANCES) -> None:
        self.store = store
        self.clock = SetClock(NOW)
        self.declared = AlertsDeclared(receivers=(SRE,))
        self.rates = Rates(self.clock.now, allowances)
        self.showing = Showing(store, self, now=self.clock.now)
        self.providers: dict[str, Provider] = {}
        self.attempts: list[tuple[str, str]] = []
        self.waited: list[tuple[str, int, float]] = []
        for channel in self.declared.channels():
            self.providers[channel.name] = Provider(channel.name, self.showing, self.rates.of(channel))
        self.lanes = self.restart()
        self.fallbacks = Fallbacks(store, lambda: self.declared)
        self.closing = Closing(store, lambda: self.declared)

    def restart(self) -> LanesDaemon:
        """A process that begins: nothing is remembered but what the store holds."""
        observers = Observers(
            on_attempt=lambda *attempt: self.attempts.append(attempt),
            on_delivered=lambda *waited: self.waited.append(waited),
        )
        self.lanes = LanesDaemon(
            self.store,
            lambda: self.declared,
            self.notifier,
            self.rates,
            now=self.clock.now,
            random=lambda: 0.0,
            observers=observers,
            others=frozenset({"console"}),
            patience_seconds=None,
        )
        return self.lanes

    @property
    def now(self) -> datetime:
        return self.clock.at

    @property
    def pager(self) -> Provider:
        return self.providers[PAGER.name]

    @property
    def mail(self) -> Provider:
        return self.providers[MAIL.name]

    def notifier(self, channel: Channel) -> Notifier | None:
        return self.providers[channel.name]

    def of(self, incident: str) -> Snapshot | None:
        """Implements `Snapshots`."""
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.incidents.incident(incident)
        return snapshot_of(found) if found else None

    def open(self, name: str = "i1", **changes: object) -> Incident:
        """A new incident that its receivers' channels must be told of."""
        made = replace(INCIDENT, id=name, key=name, number=0, opened_at=self.now, updated_at=self.now)
        return self.tell(replace(made, **changes))  # type: ignore[arg-type]

    def tell(self, incident: Incident, *channels: Channel) -> Incident:
        """It is so now, and channels must be told."""
        with self.store.transaction() as transaction:
            transaction.incidents.lock()
            kept = transaction.incidents.put(incident)
            tell(transaction, kept, channels or SRE.channels, self.now)
        return kept

    def run(self) -> LanesRan:
        """A turn of the lanes."""
        return self.lanes.run_once(self.now)

    def pass_(self, length: timedelta, every: timedelta = timedelta(seconds=1)) -> None:
        """Time passes, with turns of everything."""
        end = self.now + length
        while self.now < end:
            self.clock.pass_(every)
            self.run()
            self.fallbacks.run_once(self.now)
            self.closing.run_once(self.now)

    def attempts_of(self, incident: str) -> list[DeliveryAttempt]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.telling.attempts_of(incident)

    def timeline(self, incident: str) -> list[TimelineEntry]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.incidents.timeline(incident)

    def outside(self, incident: str, channel: Channel) -> OutsideObject | None:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.telling.object_of(incident, channel.name)

    def backlog(self) -> tuple[int, int]:
        """Pending messages and dead letters."""
        with self.store.transaction(read_only=True) as transaction:
            return transaction.outbox.backlog(), transaction.outbox.dead_letters()
