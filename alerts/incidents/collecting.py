"""Fills timelines by itself: reads the event log with a cursor, and writes what belongs to an incident into it.

When an incident opens it looks back: what happened in the hour before stands in the timeline, and what was changed in
the hours before is suspected.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.happenings import KINDS, SAME_DEPLOYMENT, belongs, is_told, kind_of, line_of
from alerts.incidents.suspects import CHANGES, LOOKBACK, ranked, suspect_of
from alerts.incidents.versions import SEEN, fetch_versions
from alerts.incidents.writing import ReadTime, database_time, write
from alerts.model import AlertsDeclared
from controlplane.conventions import EVENT_DEPLOYED
from controlplane.incident_names import EVENT_INCIDENT_OPENED
from controlplane.model.event import Event, RecordedEvent
from controlplane.model.incident import Incident
from controlplane.ports import HeldLease, MetricsBackend, Permanent, Store, Transaction, Transient

CURSOR: Final = "incidents.timeline"
BATCH: Final = 500
MOST_BATCHES: Final = 20  # a turn
CHUNK: Final = 25  # incidents a transaction
MOST_INCIDENTS: Final = 1_000
FOLLOWED_EVERY: Final = timedelta(minutes=1)
FOLLOWED_BACK: Final = timedelta(minutes=15)
LINES_BACK: Final = timedelta(hours=1)
_LOOKED_FOR: Final = tuple(dict.fromkeys([*KINDS, *CHANGES]))
_MOST_EARLIER: Final = 1_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """Events read, and ids of incidents that have news because of them."""

    events: int
    incidents: tuple[str, ...]


@dataclass(slots=True)
class _Batch:
    """What was read at once: events after the cursor, incidents that they may belong to, what was before new ones."""

    cursor: int
    events: Sequence[RecordedEvent]
    incidents: Sequence[Incident]
    opened: frozenset[str] = frozenset()
    earlier: list[Event] = field(default_factory=list)
    happened: list[Event] = field(default_factory=list)  # of those after the cursor, what may belong to any of them

    def __post_init__(self) -> None:
        of_interest = (each.event for each in self.events if _is_of_interest(each.event))
        self.happened = [each for each in of_interest if each.kind != EVENT_INCIDENT_OPENED]

    def of(self, incident: Incident) -> list[Event]:
        """What happened in it, and before it where it is new."""
        happened = [each for each in self.happened if _is_during(each, incident)]
        if incident.id in self.opened:
            since = incident.started_at - LOOKBACK
            happened += [each for each in self.earlier if since <= each.occurred_at <= incident.opened_at]
        return happened


class CollectingDaemon:
    """Reads on from where it stopped. With a `backend`, versions that services show are suspected as deployments."""

    def __init__(
        self,
        store: Store,
        declared: Callable[[], AlertsDeclared],
        backend: MetricsBackend | None = None,
        *,
        read_time: ReadTime = database_time,
    ) -> None:
        self._store = store
        self._declared = declared
        self._backend = backend
        self._read_time = read_time
        self._followed: datetime | None = None

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Collected:
        """Read what is new, in bounded steps. Raises what the store raises; what was committed before stays."""
        events, changed = 0, dict[str, None]()
        for _ in range(MOST_BATCHES):
            batch = self._read(now)
            if not batch.events:
                break
            events += len(batch.events)
            changed |= dict.fromkeys(self._write(batch, now, lease))
            if len(batch.events) < BATCH:
                break
        changed |= dict.fromkeys(self._follow_versions(now, lease))
        return Collected(events, tuple(changed))

    def _read(self, now: datetime) -> _Batch:
        with self._store.transaction(read_only=True) as transaction:
            cursor = transaction.incidents.cursor(CURSOR)
            events = transaction.events.after(cursor, BATCH)
            opened = frozenset(each.event.subject for each in events if each.event.kind == EVENT_INCIDENT_OPENED)
            batch = _Batch(cursor, events, self._incidents(transaction, events, now), opened)
            new = [each for each in batch.incidents if each.id in opened]
            if new:
                start, end = _span(new)
                found = transaction.events.between(start, end, _LOOKED_FOR)
                batch.earlier += [each.event for each in found[-_MOST_EARLIER:]]
        if new:
            self._look_at_versions(batch, *_span(new))
        return batch

    def _incidents(self, transaction: Transaction, events: Sequence[RecordedEvent], now: datetime) -> list[Incident]:
        """Those that went on while something of interest happened."""
        times = [each.event.occurred_at for each in events if _is_of_interest(each.event)]
        if not times:
            return []
        found = transaction.incidents.between(min(times), max([now, *times]) + LOOKBACK, MOST_INCIDENTS)
        return [each for each in found if not each.is_drill]

    def _look_at_versions(self, batch: _Batch, start: datetime, end: datetime) -> None:
        """One question for all that opened."""
        batch.earlier += self._versions(start, end)

    def _versions(self, start: datetime, end: datetime) -> list[Event]:
        """Without an answer the log is all that is known."""
        if self._backend is None:
            return []
        try:
            return fetch_versions(self._backend, start, end)
        except (Transient, Permanent) as error:
            log.warning("incidents.versions_unknown", extra={"error": str(error)})
            return []

    def _follow_versions(self, now: datetime, lease: HeldLease | None) -> list[str]:
        """What comes up while incidents go on, such as the version before, once a minute."""
        if self._followed is not None and timedelta(0) <= now - self._followed < FOLLOWED_EVERY:
            return []
        self._followed = now
        with self._store.transaction(read_only=True) as transaction:
            going_on = [each for each in transaction.incidents.open(MOST_INCIDENTS) if not each.is_drill]
        seen = self._versions(now - FOLLOWED_BACK, now) if going_on else []
        work = [
            (each.id, happened) for each in going_on if (happened := [one for one in seen if _is_during(one, each)])
        ]
        changed: list[str] = []
        for first in range(0, len(work), CHUNK):
            with self._store.transaction(lease=lease) as transaction:
                transaction.incidents.lock()
                at = self._read_time(transaction, now)
                chunk = work[first : first + CHUNK]
                changed += [id_ for id_, happened in chunk if self._add(transaction, id_, happened, at, now)]
        return changed

    def _write(self, batch: _Batch, now: datetime, lease: HeldLease | None) -> list[str]:
        """In transactions of a few incidents each: receipts wait for no more than one of them."""
        work = [(each.id, happened) for each in batch.incidents if (happened := batch.of(each))]
        chunks = [work[first : first + CHUNK] for first in range(0, len(work), CHUNK)] or [[]]
        changed: list[str] = []
        for chunk in chunks:
            with self._store.transaction(lease=lease) as transaction:
                transaction.incidents.lock()
                if transaction.incidents.cursor(CURSOR) != batch.cursor:
                    return changed  # somebody else read on
                at = self._read_time(transaction, now)
                changed += [id_ for id_, happened in chunk if self._add(transaction, id_, happened, at, now)]
                if chunk is chunks[-1]:
                    transaction.incidents.put_cursor(CURSOR, batch.events[-1].sequence)
        return changed

    def _add(self, transaction: Transaction, id_: str, happened: Sequence[Event], at: datetime, now: datetime) -> bool:
        """Lines and suspects of one incident; whether there were any new ones."""
        incident = transaction.incidents.incident(id_)
        if incident is None:
            return False
        happened = _untold(transaction, id_, happened)
        found = [suspect for event in happened if (suspect := suspect_of(event, incident)) is not None]
        suspects = ranked([*incident.suspects, *found])
        since = incident.started_at - LINES_BACK
        accused = {(each.at, each.kind, each.subject) for each in suspects}
        lines = [
            line_of(event, incident)
            for event in happened
            if belongs(event, incident)
            and (event.occurred_at >= since or (event.occurred_at, event.kind, event.subject) in accused)
        ]
        is_new = transaction.incidents.note(lines, now) > 0
        if suspects == incident.suspects and not (is_new and incident.is_open):
            return is_new
        version = incident.version + (1 if incident.is_open else 0)
        kept = transaction.incidents.put(replace(incident, suspects=suspects, version=version, updated_at=at))
        if kept.is_open:
            write(transaction, kept, [], [], declared=self._declared(), now=now)
        return True


def _untold(transaction: Transaction, incident: str, happened: Sequence[Event]) -> list[Event]:
    """Without deployments that were seen where they are told as well."""
    seen = [each for each in happened if each.id.startswith(SEEN)]
    if not seen:
        return list(happened)
    told = [each for each in happened if each.kind == EVENT_DEPLOYED and each not in seen]
    lines = [line for line in transaction.incidents.timeline(incident) if not line.id.startswith(f"event:{SEEN}")]
    known = [each for each in seen if any(is_told(each, line) for line in lines)]
    known += [each for each in seen if any(_is_same_deployment(each, other) for other in told)]
    return [each for each in happened if each not in known]


def _is_same_deployment(seen: Event, told: Event) -> bool:
    is_same = (seen.subject, seen.data.get("version")) == (told.subject, told.data.get("version"))
    return is_same and abs(seen.occurred_at - told.occurred_at) <= SAME_DEPLOYMENT


def _span(new: Sequence[Incident]) -> tuple[datetime, datetime]:
    """The time in which the causes of new incidents lie; of many that are far apart, the latest part of it."""
    end = max(max(each.opened_at, each.started_at) for each in new)
    return max(min(each.started_at for each in new) - LOOKBACK, end - 2 * LOOKBACK), end


def _is_of_interest(event: Event) -> bool:
    return kind_of(event) is not None or event.kind in CHANGES or event.kind == EVENT_INCIDENT_OPENED


def _is_during(event: Event, incident: Incident) -> bool:
    """Whether it happened while the incident went on, or so shortly before that it may be its cause."""
    return incident.started_at - LOOKBACK <= event.occurred_at <= (incident.resolved_at or event.occurred_at)
