"""Ends incidents whose alerts have all ended."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.choosing import Choices
from alerts.incidents.lines import ACTOR
from alerts.incidents.writing import ReadTime, call_off, database_time, event_of, write
from alerts.model import AlertsDeclared
from alerts.routing.router import RESOLVE_AFTER
from controlplane import incident_names as names
from controlplane.model.incident import Incident, IncidentState, TimelineEntry, TimelineKind
from controlplane.ports import HeldLease, Store, Transaction
from controlplane.wording import duration

MOST: Final = 10_000
BATCH: Final = 50  # incidents a transaction: receipts wait no longer for it
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """Ids of incidents that resolved by themselves."""

    incidents: tuple[str, ...]


class QuietDaemon:
    """Resolves incidents of which no alert fires for as long as their routes say."""

    def __init__(
        self, store: Store, declared: Callable[[], AlertsDeclared], *, read_time: ReadTime = database_time
    ) -> None:
        self._store = store
        self._declared = declared
        self._choices = Choices(declared)
        self._read_time = read_time

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Ended:
        """Resolve those that are due. Raises what the store raises; what was committed before that stays."""
        with self._store.transaction(read_only=True) as transaction:
            at = self._read_time(transaction, now)
            choice = self._choices.now()
            shortest = choice.shortest_resolve_after() if choice else RESOLVE_AFTER
            due = [each.id for each in transaction.incidents.quiet(at - shortest, MOST) if self._is_over(each, at)]
        ended: list[str] = []
        for first in range(0, len(due), BATCH):
            ended += self._resolve(due[first : first + BATCH], now, lease)
        return Ended(tuple(ended))

    def _is_over(self, incident: Incident, at: datetime) -> bool:
        if incident.quiet_since is None or not incident.is_open:
            return False
        choice = self._choices.now()
        after: timedelta = choice.resolve_after(incident.routes) if choice else RESOLVE_AFTER
        return at - incident.quiet_since >= after

    def _resolve(self, due: Sequence[str], now: datetime, lease: HeldLease | None) -> list[str]:
        ended = []
        with self._store.transaction(lease=lease) as transaction:
            transaction.incidents.lock()
            at = self._read_time(transaction, now)
            for id_ in due:
                incident = transaction.incidents.incident(id_)
                if incident is not None and self._is_over(incident, at):  # nothing joined it meanwhile
                    self._end(transaction, incident, at, now)
                    ended.append(id_)
        for id_ in ended:
            log.info("incidents.resolved", extra={"incident": id_, "by": ACTOR})
        return ended

    def _end(self, transaction: Transaction, incident: Incident, at: datetime, now: datetime) -> None:
        count, _ = transaction.incidents.count_alerts(incident.id)
        quiet = duration(at - (incident.quiet_since or at))
        why = f"{'its alert' if count == 1 else f'all {count} alerts'} ended, and it was quiet for {quiet}"
        call_off(transaction, incident, at)
        over = transaction.incidents.put(
            replace(
                incident,
                state=IncidentState.RESOLVED,
                resolved_at=at,
                updated_at=at,
                resolution=why,
                version=incident.version + 1,
            )
        )
        line = TimelineEntry(
            f"resolved:{over.version}", over.id, at, TimelineKind.RESOLVED, f"resolved by itself: {why}", ACTOR
        )
        event = event_of(names.EVENT_INCIDENT_RESOLVED, over, at, by=ACTOR, why=why)
        write(transaction, over, [line], [event], declared=self._declared(), now=now)
