"""Everything about alerts that is done again and again in one process, and what Prometheus scrapes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Final

from prometheus_client.registry import Collector

from alerts.adapters.console import ConsoleNotifier
from alerts.adapters.slack import SlackPeople, SlackTidying
from alerts.adapters.slack_api import SlackApi
from alerts.adapters.spool_folder import SpoolFolder
from alerts.daemon import DeliveryDaemon
from alerts.delivery.closing import Closing
from alerts.delivery.collector import DeliveryCollector
from alerts.delivery.daemon import LanesDaemon
from alerts.delivery.fallback import Fallbacks
from alerts.delivery.lanes import Observers
from alerts.delivery.rates import Rates
from alerts.delivery.showing import Showing
from alerts.delivery.spool.daemon import Spool, SpoolDaemon
from alerts.delivery.spool.guard import GuardedIntake
from alerts.drills.collector import DrillCollector
from alerts.drills.holding import DrillDaemon
from alerts.escalation.collector import OnCallCollector
from alerts.escalation.daemon import Escalator
from alerts.inbound.answering import Answering
from alerts.incidents.collecting import CollectingDaemon
from alerts.incidents.collector import IncidentCollector
from alerts.incidents.daemon import QuietDaemon
from alerts.incidents.desk import Desk
from alerts.incidents.keeping import Keeper
from alerts.incidents.own import OpeningNotifier
from alerts.incidents.pricing import PricingDaemon
from alerts.incidents.snapshots import IncidentSnapshots
from alerts.intake import Intake
from alerts.maintenance.daemon import SilenceDaemon
from alerts.model import AlertsDeclared
from alerts.postmortems.actions import OverdueDaemon
from alerts.postmortems.collector import ActionCollector
from alerts.reconciler import Reconciler
from alerts.routing.model import CONSOLE_LANE, ChannelKind
from alerts.runbooks.adapters.command import CommandSteps
from alerts.runbooks.adapters.flag import FlagSteps
from alerts.runbooks.adapters.http import HTTPSteps
from alerts.runbooks.collector import RunbookCollector
from alerts.runbooks.daemon import RunbookDaemon
from alerts.runbooks.model import StepKind
from alerts.schedules.daemon import HandOvers
from alerts.tickets.adapters.opening import open_tracker
from alerts.tickets.collector import TicketCollector
from alerts.tickets.daemon import TicketDaemon
from alerts.watchdog.adapters.pinging import Ping
from alerts.watchdog.collector import WatchdogCollector
from alerts.watchdog.heart import Heart
from alerts.watchdog.watching import WatchdogDaemon
from controlplane.adapters.alertmanager import AlertmanagerBackend
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.outbox import Channels
from controlplane.ports import Clock, HeldLease
from controlplane.store import SqlStore
from flyball.alerting.notifiers import Notifiers, secret
from flyball.alerting.switchboard import LadderSwitchboard
from flyball.ladder.stores import DeclaredStores
from flyball.scheduler import Job, Turn
from flyball.settings import Settings, secrets_of

CONSOLE: Final = "console"
SECOND: Final = timedelta(seconds=1)
FALLBACK_EVERY: Final = timedelta(seconds=5)
SLOW_EVERY: Final = timedelta(seconds=15)
RECONCILE_EVERY: Final = timedelta(seconds=30)
WATCHDOG_EVERY: Final = timedelta(seconds=30)
HEARTBEAT_EVERY: Final = timedelta(minutes=1)
TIDY_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AlertSurroundings:
    """What the jobs work with. `declared` is what the last good files say, `look` reads them if nobody has.

    `others` are channels of the outbox that are somebody else's. `lease` is the lease under which this process may
    write. `on_attempt` counts by channel and outcome, `on_delivered` by kind and urgency in seconds.
    """

    declared: Callable[[], AlertsDeclared]
    look: Callable[[], object]
    settings: Settings
    store: SqlStore
    backend: PrometheusBackend
    alertmanager: AlertmanagerBackend
    clock: Clock
    make_id: Callable[[], str]
    random: Callable[[], float]
    lease: Callable[[], HeldLease | None]
    console: IO[str]
    flag_stores: DeclaredStores
    others: frozenset[str]
    on_attempt: Callable[[str, str], None]
    on_delivered: Callable[[str, int, float], None]


class AlertServices:
    """The parts, joined but not started."""

    def __init__(self, around: AlertSurroundings) -> None:
        self._around = around
        store, clock, settings = around.store, around.clock, around.settings
        self.declared = around.declared
        self.desk = Desk(store, around.declared, around.make_id)
        self.snapshots = IncidentSnapshots(store, around.declared, settings.external_url)
        self._keeper = Keeper(around.declared)
        self.intake = Intake(store, self._keeper, look=around.look)
        self.answering = Answering(store, self.desk, SlackPeople(self._slack).name, lambda: self.spool.kept.count() > 0)
        self.receiving = GuardedIntake(self.intake.receive, clock.now)
        rates = Rates(clock.now)
        showing = Showing(store, self.snapshots, now=clock.now, lease=around.lease)
        self._notifiers = Notifiers(settings.alerts, settings.status.smtp_url, showing, rates, clock)
        self._lanes = LanesDaemon(
            store,
            around.declared,
            self._notifiers.of,
            rates,
            now=clock.now,
            random=around.random,
            observers=Observers(around.on_attempt, around.on_delivered),
            others=frozenset({CONSOLE}) | around.others,
        )
        console = ConsoleNotifier(around.console, self.snapshots)
        self._console = DeliveryDaemon(
            store,
            [
                OpeningNotifier(console, lambda alert: self.intake.take_own(alert, clock.now())),
                ConsoleNotifier(around.console, self.snapshots, CONSOLE_LANE),
            ],
            random=around.random,
            on_attempt=around.on_attempt,
            channels=Channels(frozenset({CONSOLE, CONSOLE_LANE}), are_left_out=False),
        )
        self.spool = Spool(
            SpoolFolder(settings.alerts.spool_directory), around.declared, console_url=settings.external_url
        )
        self._spooled = SpoolDaemon(self.spool, store, self._notifiers.of, self.intake.receive, random=around.random)
        self._runbooks = RunbookDaemon(
            store,
            around.declared,
            {
                StepKind.HTTP: HTTPSteps(secrets_of),
                StepKind.FLAG: FlagSteps(LadderSwitchboard(around.flag_stores, around.make_id)),
                StepKind.COMMAND: CommandSteps(settings.alerts.commands_file, secrets_of),
            },
            clock=clock,
            is_stopped=settings.ladder.why_stopped,
            console_url=settings.external_url,
        )
        self._tidying = SlackTidying(store, self._slack)
        self._tickets = TicketDaemon(
            store,
            lambda: around.declared().trackers,
            lambda tracker: open_tracker(tracker, folder=settings.folder, secret=secret, now=clock.now),
            settings.external_url,
        )
        self._pulse = Ping(settings.alerts.heartbeat_url.reveal()) if settings.alerts.heartbeat_url else None
        self._heart = Heart(store, self._pulse, is_expected=self._is_routing) if self._pulse else None

    def collectors(self) -> Iterator[Collector]:
        """For the registry of our own metrics."""
        around = self._around
        yield IncidentCollector(around.store, around.clock)
        yield OnCallCollector(around.store, around.declared, around.clock)
        yield ActionCollector(around.store, around.clock)
        yield TicketCollector(around.store, lambda: around.declared().trackers)
        yield WatchdogCollector(around.store, self._heart)
        yield DrillCollector(around.store, around.clock)
        yield RunbookCollector(around.store)
        yield DeliveryCollector(around.store, failing=self._lanes.failing, spool=self.spool.kept)

    def jobs(self) -> Iterator[Job]:
        """What is done again and again."""
        store, declared, backend = self._around.store, self._around.declared, self._around.backend
        yield self._job("delivery", SECOND, self._console.run_once)
        yield self._job("lanes", SECOND, self._lanes.run_once, may_be_long=True)
        yield self._job("strays", SLOW_EVERY, self._lanes.bury_strays)
        yield self._job("fallbacks", FALLBACK_EVERY, Fallbacks(store, declared).run_once)
        yield self._job("closing", RECONCILE_EVERY, Closing(store, declared).run_once)
        yield self._job("escalation", SECOND, Escalator(store, declared).run_once)
        yield self._job("incidents", SECOND * 2, QuietDaemon(store, declared).run_once)
        yield self._job("timelines", SECOND * 2, CollectingDaemon(store, declared, backend).run_once)
        yield self._job("prices", SLOW_EVERY, PricingDaemon(store, declared, backend).run_once, may_be_long=True)
        yield self._job("on-call", SLOW_EVERY, HandOvers(store, lambda: declared().schedules).run_once)
        yield self._job("slack-tidying", TIDY_EVERY, lambda now, lease: self._tidying.run_once(now), may_be_long=True)
        yield self._job("tickets", SLOW_EVERY, self._tickets.run_once, may_be_long=True)
        yield self._job("drills", SLOW_EVERY, DrillDaemon(store, self.desk).run_once)
        yield self._job("actions", TIDY_EVERY, OverdueDaemon(store).run_once)
        yield self._job("runbooks", SECOND * 2, self._runbooks.run_once, may_be_long=True)
        yield Job("spool", SECOND, lambda turn: self._spooled.run_once(turn.now), leader_only=False, may_be_long=True)
        watchdog = WatchdogDaemon(store, self.intake.take_own, is_expected=self._is_routing)
        yield self._job("watchdog", WATCHDOG_EVERY, watchdog.run_once)
        if self._heart is not None:
            yield self._job("heartbeat", HEARTBEAT_EVERY, self._heart.run_once, may_be_long=True)
        if self._around.settings.alertmanager_is_named:  # what stands at its default address may be another
            reconciler = Reconciler(store, self._around.alertmanager, self._keeper)
            yield self._job("reconcile", RECONCILE_EVERY, reconciler.run_once)
            silences = SilenceDaemon(self._around.alertmanager, lambda: declared().windows)
            yield self._job("silences", RECONCILE_EVERY, silences.run_once)

    def close(self) -> None:
        """Let what is under way end, within bounds."""
        self._lanes.close()
        if self._pulse is not None:
            self._pulse.close()

    def _is_routing(self) -> bool:
        return self._around.declared().root is not None

    def _slack(self, lane: str) -> SlackApi | None:
        channels = (each for each in self._around.declared().channels() if each.name == lane)
        found = next((each for each in channels if each.kind is ChannelKind.SLACK), None)
        return self._notifiers.slack(found) if found is not None else None

    def _job(
        self,
        name: str,
        every: timedelta,
        run: Callable[[datetime, HeldLease | None], object],
        *,
        may_be_long: bool = False,
    ) -> Job:
        """One for the leader, who knows what is declared even in its first turn."""

        def turn(it: Turn) -> object:
            self._around.look()
            return run(it.now, it.lease)

        return Job(name, every, turn, leader_only=True, may_be_long=may_be_long)
