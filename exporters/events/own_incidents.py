"""Our own incidents as delivery events: what the event log says of them is taken in like everybody else's.

Each is one incident with the source `/flyball/incidents` and its id: `incident.detected` when it opens and when it is
ranked otherwise, `incident.resolved` when it is over. Drills are told and do not count. What PagerDuty tells of the
same incidents is left out (`exporters.events.translating.pagerduty`).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from controlplane.delivery_names import ENVIRONMENT, SOURCE_INCIDENTS
from controlplane.incident_names import DRILL, EVENT_INCIDENT_OPENED, EVENT_INCIDENT_RESOLVED
from controlplane.model.delivery import DeliveryEvent
from controlplane.model.event import JSON, Event
from controlplane.model.incident import Incident, Origin
from controlplane.ports import HeldLease, Store, Transaction
from exporters.events.reading import Candidate, EventReader, Faulty, Terms
from exporters.events.translating import making
from exporters.events.translating.reading import LONGEST_NAME, LONGEST_TITLE, line

SENDER: Final = "incidents"
PROGRESS: Final = "own_incidents"
KINDS: Final = (EVENT_INCIDENT_OPENED, EVENT_INCIDENT_RESOLVED)
BATCH: Final = 500
MOST_BATCHES: Final = 20  # a turn
MOST_OPEN: Final = 1_000  # of which a change of priority is noticed
_RANKED: Final = "incident.ranked"
_ANY: Final = timedelta(days=36_500)  # their times are the database's: this process's clock does not judge them
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToldIncidents:
    """Events that were taken in as new ones, and those that could not be made."""

    events: int
    faulty: int = 0


@dataclass(slots=True)
class _Progress:
    """How far the event log was read, and which priority of each open incident was told."""

    cursor: int = 0
    priorities: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, transaction: Transaction) -> "_Progress":
        value = transaction.delivery.progress(PROGRESS) or {}
        cursor, told = value.get("cursor"), value.get("priorities")
        known = told if isinstance(told, dict) else {}
        return cls(cursor if isinstance(cursor, int) else 0, {id_: str(priority) for id_, priority in known.items()})

    def keep(self, transaction: Transaction) -> None:
        priorities: dict[str, JSON] = dict(self.priorities)
        transaction.delivery.put_progress(PROGRESS, {"cursor": self.cursor, "priorities": priorities})

    def ranked(self, open_: Sequence[Incident]) -> list[Incident]:
        """Those that have another priority than was told of them."""
        return [each for each in open_ if self.priorities.get(each.id, each.priority.value) != each.priority.value]


class OwnIncidentsDaemon:
    """Reads on from where it stopped. `url_of` leads from an incident's name (INC-7) to its page; empty: none."""

    def __init__(self, store: Store, url_of: Callable[[str], str] = lambda name: "") -> None:
        self._store = store
        self._url_of = url_of
        self._reader = EventReader(Terms(SENDER, tolerance=_ANY))

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> ToldIncidents:
        """Tell what is new, in bounded steps. Raises what the store raises, and `LeaseLost`."""
        events = faulty = 0
        for _ in range(MOST_BATCHES):
            if not self._has_news():
                break
            with self._store.transaction(lease=lease) as transaction:
                told = self._tell(transaction, now)
            events, faulty = events + told.events, faulty + told.faulty
        return ToldIncidents(events, faulty)

    def _has_news(self) -> bool:
        """Mostly there is none: that holds up no writer."""
        with self._store.transaction(read_only=True) as transaction:
            progress = _Progress.of(transaction)
            if transaction.events.after(progress.cursor, 1, KINDS):
                return True
            return bool(progress.priorities and progress.ranked(transaction.incidents.open(MOST_OPEN)))

    def _tell(self, transaction: Transaction, now: datetime) -> ToldIncidents:
        progress = _Progress.of(transaction)
        recorded = transaction.events.after(progress.cursor, BATCH, KINDS)
        found: list[DeliveryEvent] = []
        faulty = 0
        for made in self._made(transaction, progress, [each.event for each in recorded]):
            try:
                found.append(self._reader.event(Candidate("", made), now))
            except Faulty as error:  # one that nobody can read must not hold up the others
                faulty += 1
                reasons = "; ".join(str(each.at("")) for each in error.faults[:3])
                log.warning("events.incident_not_told", extra={"id": made["id"], "error": reasons})
        accepted = transaction.delivery.take(found, now).accepted if found else 0
        if recorded:
            progress.cursor = recorded[-1].sequence
        progress.keep(transaction)
        return ToldIncidents(accepted, faulty)

    def _made(
        self, transaction: Transaction, progress: _Progress, events: Sequence[Event]
    ) -> Iterator[dict[str, JSON]]:
        """What the log says, then whatever was ranked otherwise since."""
        for event in events:
            incident = transaction.incidents.incident(event.subject)
            told = _Told.of(event, incident)
            if event.kind == EVENT_INCIDENT_RESOLVED:
                progress.priorities.pop(event.subject, None)
            elif incident is not None and incident.is_open:
                progress.priorities[event.subject] = told.priority
            yield self._event(told, event.id, event.occurred_at, is_over=event.kind == EVENT_INCIDENT_RESOLVED)
        for incident in progress.ranked(transaction.incidents.open(MOST_OPEN)):
            progress.priorities[incident.id] = incident.priority.value
            told, id_ = _Told.now(incident), f"{_RANKED}:{incident.id}:{incident.version}"
            yield self._event(told, id_, incident.updated_at, is_over=False)

    def _event(self, told: "_Told", id_: str, at: datetime, *, is_over: bool) -> dict[str, JSON]:
        own: making.Own = {
            "name": told.name,
            "title": told.title,
            "priority": told.priority,
            "url": self._url_of(told.name),
            "counted": told.is_counted,
            "startedAt": told.started_at,
        }
        word = making.RESOLVED if is_over else making.DETECTED
        return making.incident(
            word, id_=id_, source=SOURCE_INCIDENTS, at=at, key=told.id, service=told.service,
            environment=told.environment, own=own,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Told:
    """An incident as it was when something was told of it; labels are those that it has now."""

    id: str
    name: str
    title: str
    priority: str
    service: str
    environment: str
    started_at: datetime | None
    is_counted: bool

    @classmethod
    def of(cls, event: Event, incident: Incident | None) -> "_Told":
        labels = incident.labels if incident is not None else {}
        number = event.data.get("number")
        is_drill = event.data.get("origin") == Origin.DRILL.value or labels.get(DRILL, "").lower() == "true"
        return cls(
            event.subject,
            f"INC-{number}" if isinstance(number, int) else "",
            _text(event, "title", LONGEST_TITLE),
            _text(event, "priority"),
            _text(event, "service"),
            line(labels.get(ENVIRONMENT, ""))[:LONGEST_NAME],
            _time(event, "started_at"),
            not is_drill,
        )

    @classmethod
    def now(cls, incident: Incident) -> "_Told":
        return cls(
            incident.id,
            incident.name,
            line(incident.title)[:LONGEST_TITLE],
            incident.priority.value,
            line(incident.service)[:LONGEST_NAME],
            line(incident.labels.get(ENVIRONMENT, ""))[:LONGEST_NAME],
            incident.started_at,
            not incident.is_drill and incident.labels.get(DRILL, "").lower() != "true",
        )


def _text(event: Event, name: str, most: int = LONGEST_NAME) -> str:
    value = event.data.get(name)
    return line(value)[:most] if isinstance(value, str) else ""


def _time(event: Event, name: str) -> datetime | None:
    value = event.data.get(name)
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None
