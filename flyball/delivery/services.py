"""Everything about deliveries that is done again and again in one process, and what Prometheus scrapes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from prometheus_client.registry import Collector

from alerts.pagerduty.event import incident_of_key
from controlplane.ports import Clock, HeldLease, MetricsBackend, Store
from exporters.dora.effects.daemon import EffectsDaemon
from exporters.dora.exposition.daemon import ExpositionDaemon
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.facts.progress import done_up_to, events_behind
from exporters.dora.measuring.collector import SheetsCollector
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.measuring.settling import Settling
from exporters.dora.measuring.stored import StoredMetrics
from exporters.dora.policy.model import DeliveryPolicy
from exporters.events.collector import EventsCollector
from exporters.events.own_incidents import OwnIncidentsDaemon
from exporters.events.retention import forget
from exporters.events.translating.senders import all_translators
from exporters.events.translators import Translator
from exporters.repositories.adapters.opening import open_repository
from exporters.repositories.collector import RepositoryCollector
from exporters.repositories.daemon import RepositoryDaemon
from flyball.delivery.declared import DeliveryDeclared
from flyball.scheduler import Job, Turn
from flyball.settings import Settings, secrets_of, variables_of

if TYPE_CHECKING:
    from exporters.repositories.model import Repository
    from exporters.repositories.ports import DeliverySource
    from exporters.unit_cost.model import UnitCost

FACTS_AT_ONCE: Final = 1000  # events: pages wait for no longer than it takes to write what follows from them
FACTS_EVERY: Final = timedelta(seconds=2)
SHEETS_EVERY: Final = timedelta(seconds=2)
INCIDENTS_EVERY: Final = timedelta(seconds=2)
EXPOSED_EVERY: Final = timedelta(seconds=30)
EFFECTS_EVERY: Final = timedelta(minutes=1)
COLLECTED_EVERY: Final = timedelta(seconds=30)  # each repository says itself how often
TIDY_EVERY: Final = timedelta(hours=1)
PASSED_TO_GIT: Final = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "TMPDIR")


@dataclass(frozen=True, slots=True)
class DeliverySurroundings:
    """What the jobs work with. `declared` is what the last good files say, `look` reads them if nobody has."""

    declared: Callable[[], DeliveryDeclared]
    unit_costs: "Callable[[], tuple[UnitCost, ...]]"
    look: Callable[[], object]
    settings: Settings
    store: Store
    backend: MetricsBackend
    clock: Clock


class DeliveryServices:
    """The parts, joined but not started."""

    def __init__(self, around: DeliverySurroundings) -> None:
        self._around = around
        self.declared = around.declared
        self.translators: dict[str, Translator] = all_translators(incident_of_key)
        self._facts = FactsDaemon(around.store, self.policy, batch=FACTS_AT_ONCE)
        self._incidents = OwnIncidentsDaemon(around.store, self._url_of)
        self._sheets = MeasureDaemon(around.store, self.policy)
        self._settling = Settling(around.store, events_behind)
        self._repositories = RepositoryDaemon(
            around.store,
            lambda: around.declared().repositories,
            self._opened,
            tolerance=around.settings.events.clock_tolerance,
        )
        self.exposition = ExpositionDaemon(
            around.store, self.policy, around.clock, measure=StoredMetrics(self._sheets.suspect)
        )
        self._effects = EffectsDaemon(around.store, around.backend, self.policy, around.unit_costs)

    def policy(self) -> DeliveryPolicy:
        """What holds now."""
        return self._around.declared().policy

    def collectors(self) -> Iterator[Collector]:
        """For the registry of our own metrics; what grows with the number of services is `exposition`'s."""
        yield EventsCollector(self._around.store, events_behind)
        yield SheetsCollector(self._around.store)
        yield RepositoryCollector(self._around.store, lambda: self._around.declared().repositories)

    def jobs(self) -> Iterator[Job]:
        """What is done again and again."""
        yield self._job("incident-events", INCIDENTS_EVERY, self._incidents.run_once)
        yield self._job("facts", FACTS_EVERY, self._facts.run_once, may_be_long=True)
        yield self._job("sheets", SHEETS_EVERY, self._measure, may_be_long=True)
        yield Job("dora", EXPOSED_EVERY, self._expose, leader_only=False, may_be_long=True)
        yield self._job("repositories", COLLECTED_EVERY, self._repositories.run_once, may_be_long=True)
        yield self._job("event-tidying", TIDY_EVERY, self._forget, may_be_long=True)
        yield self._job("effects", EFFECTS_EVERY, self._effects.run_once, may_be_long=True)

    def close(self) -> None:
        """Give back what collectors hold open."""
        self._repositories.close()

    def _measure(self, now: datetime, lease: HeldLease | None) -> object:
        return self._sheets.run_once(now, lease) if self._settling.is_settled(now) else None

    def _expose(self, turn: Turn) -> object:
        self._around.look()
        return self.exposition.refresh(turn.now)

    def _opened(self, repository: "Repository") -> "DeliverySource":
        settings = self._around.settings
        return open_repository(
            repository,
            workspace=settings.folder,
            clones=settings.events.repositories,
            secret=lambda variable: secrets_of((variable,)).get(variable),
            environment=variables_of(PASSED_TO_GIT),
            now=self._around.clock.now(),
        )

    def _forget(self, now: datetime, lease: HeldLease | None) -> int:
        return forget(self._around.store, now, kept=self._around.settings.events.kept, done=done_up_to, lease=lease)

    def _url_of(self, incident: str) -> str:
        external = self._around.settings.external_url
        return f"{external}/incidents/{incident}" if external else ""

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
