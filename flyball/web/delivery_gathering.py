"""What the pages about deliveries show, read from the database in bounded time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from controlplane.model.delivery import EventQuery, StoredDeliveryEvent
from exporters.dora.clusters.editions import Edition, editions
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning.judging import JudgedIncident
from exporters.dora.report.correcting import Corrected, Wish, correct
from exporters.dora.report.making import Question, behind, make_report
from exporters.dora.report.model import Behind, By, Report
from exporters.dora.report.single import Asked, Dossier, Judged, dossier, judged_deployments, judged_incidents
from flyball.web.gathering import Gathering, Scene
from flyball.web.remembered import Reading, Remembered
from flyball.web.state import ConsoleState

RANGES: Final = (30, 90, 180)  # days
USUAL_RANGE: Final = 90
ROWS_SHOWN: Final = 200
DEPLOYMENTS_SHOWN: Final = 50
INCIDENTS_SHOWN: Final = 50
EVENTS_SHOWN: Final = 50
_MEASURED_FRESH: Final = timedelta(seconds=30)
_FRESH: Final = timedelta(seconds=5)


class DeliveryState(Protocol):
    """What the pages need to know of the last good files. Safe to use from several threads."""

    def policy(self) -> DeliveryPolicy:
        """How deliveries are judged."""
        ...


@dataclass(frozen=True, slots=True)
class NoDeliveries:
    """A `DeliveryState` of files that declare nothing about deliveries: the defaults hold."""

    def policy(self) -> DeliveryPolicy:
        """The defaults."""
        return DeliveryPolicy()


@dataclass(frozen=True, slots=True)
class DeclaredDeliveries:
    """A `DeliveryState` of what files declare."""

    declared: Callable[[], DeliveryPolicy]

    def policy(self) -> DeliveryPolicy:
        """How deliveries are judged."""
        return self.declared()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader chose: `environment` empty is any, `days` one of RANGES."""

    environment: str
    team: str = ""
    days: int = USUAL_RANGE


@dataclass(frozen=True, slots=True)
class Overview:
    """All services, and what there is to choose from."""

    report: Report
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """One service in one environment: its metrics, its latest deployments and incidents."""

    report: Report
    judged: Judged
    incidents: tuple[JudgedIncident, ...]
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventsSeen:
    """Events, newest first, and how many ever came by (sender, type, outcome)."""

    found: tuple[StoredDeliveryEvent, ...]
    counts: Mapping[tuple[str, str, str], int]
    behind: Behind


class DeliveryGathering:
    """Asks, and remembers for some seconds. Safe to share between threads."""

    def __init__(self, state: ConsoleState, deliveries: DeliveryState, gathering: Gathering) -> None:
        self._state = state
        self._deliveries = deliveries
        self._gathering = gathering
        self.forget()

    def forget(self) -> None:
        """What was remembered is not so any more: somebody changed something here."""
        clock = self._state.clock
        self._overviews: Remembered[Overview] = Remembered(clock, fresh_for=_MEASURED_FRESH)
        self._files: Remembered[ServiceFile | None] = Remembered(clock, fresh_for=_FRESH)
        self._dossiers: Remembered[Dossier | None] = Remembered(clock, fresh_for=_FRESH)
        self._events: Remembered[EventsSeen] = Remembered(clock, fresh_for=_FRESH)
        self._single: Remembered[StoredDeliveryEvent | None] = Remembered(clock, fresh_for=_FRESH)

    def scene(self) -> Scene:
        """What every page of the console shows."""
        return self._gathering.scene()

    def now(self) -> datetime:
        """The time."""
        return self._state.clock.now()

    def policy(self) -> DeliveryPolicy:
        """How deliveries are judged."""
        return self._deliveries.policy()

    def overview(self, choice: Choice) -> Reading[Overview]:
        """Every service of an environment and team."""
        return self._overviews.get((choice, self.policy().name), lambda now: self._overview(choice, now))

    def service(self, service: str, choice: Choice) -> Reading[ServiceFile | None]:
        """One service; a value of None: nothing is known of it."""
        return self._files.get((service, choice), lambda now: self._service(service, choice, now))

    def deployment(self, id_: str) -> Reading[Dossier | None]:
        """One deployment; a value of None: there is none."""
        return self._dossiers.get(id_, lambda _: self._deployment(id_))

    def events(self, query: EventQuery) -> Reading[EventsSeen]:
        """Events that fit."""
        return self._events.get(query, lambda _: self._seen(query))

    def event(self, source: str, id_: str) -> Reading[StoredDeliveryEvent | None]:
        """One event; a value of None: there is none."""
        return self._single.get((source, id_), lambda _: self._event(source, id_))

    def correct(self, wish: Wish) -> Corrected:
        """Say which deployment caused an incident. Raises NotFound, Transient, Permanent."""
        done = correct(self._state.store, wish, self.policy(), self.now())
        self.forget()
        return done

    def _overview(self, choice: Choice, now: datetime) -> Overview:
        policy = self.policy()
        question = Question(
            By.SERVICE,
            now - timedelta(days=choice.days),
            now,
            team=choice.team,
            environments=_environments(choice),
            edition=_edition(policy),
            most=ROWS_SHOWN,
        )
        with self._state.store.transaction(read_only=True) as transaction:
            report = make_report(transaction.delivery, question, policy, now)
            known = {environment for _, environment in transaction.delivery.services()}
        return Overview(report, tuple(sorted(known)))

    def _service(self, service: str, choice: Choice, now: datetime) -> ServiceFile | None:
        policy, start = self.policy(), now - timedelta(days=choice.days)
        environments = _environments(choice)
        question = Question(By.SERVICE, start, now, service, environments=environments, edition=_edition(policy))
        asked = Asked(start, now, service, environments, limit=DEPLOYMENTS_SHOWN)
        with self._state.store.transaction(read_only=True) as transaction:
            log = transaction.delivery
            known = tuple(environment for name, environment in log.services() if name == service)
            if not known:
                return None
            return ServiceFile(
                make_report(log, question, policy, now),
                judged_deployments(log, asked, policy),
                tuple(judged_incidents(log, asked, policy)[:INCIDENTS_SHOWN]),
                known,
            )

    def _deployment(self, id_: str) -> Dossier | None:
        with self._state.store.transaction(read_only=True) as transaction:
            found = transaction.delivery.deployments([id_]).get(id_)
            return None if found is None else dossier(transaction.delivery, found, self.policy())

    def _seen(self, query: EventQuery) -> EventsSeen:
        with self._state.store.transaction(read_only=True) as transaction:
            log = transaction.delivery
            return EventsSeen(tuple(log.find_events(query)), log.event_counts(), behind(log, self.policy(), self.now()))

    def _event(self, source: str, id_: str) -> StoredDeliveryEvent | None:
        with self._state.store.transaction(read_only=True) as transaction:
            return transaction.delivery.event(source, id_)


def _environments(choice: Choice) -> tuple[str, ...]:
    return (choice.environment,) if choice.environment else ()


def _edition(policy: DeliveryPolicy) -> Edition | None:
    return editions().get(policy.clusters)
