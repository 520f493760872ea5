"""Keeps the price tag of incidents: while they go on, and once more when they are over."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.incidents.prices import is_material, price_of
from alerts.incidents.writing import ReadTime, database_time, write
from alerts.model import AlertsDeclared
from controlplane.model.alert import Alert
from controlplane.model.incident import Incident, PriceTag
from controlplane.ports import HeldLease, MetricsBackend, Store

MOST_AT_ONCE: Final = 20
EVERY: Final = timedelta(minutes=1)
TOLD_EVERY: Final = timedelta(minutes=5)  # a page is not rewritten every minute
_ENDED: Final = timedelta(minutes=10)  # how long ago an incident may have ended to be priced for good
_SETTLED: Final = timedelta(minutes=2)  # after its end: series of its last minutes are written by then
_ALERTS: Final = 200
_LOOKED_AT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Priced:
    """How many incidents were priced, and how many of them told that."""

    priced: int
    told: int


class PricingDaemon:
    """Asks what incidents cost, the most urgent first, a bounded number a turn."""

    def __init__(
        self,
        store: Store,
        declared: Callable[[], AlertsDeclared],
        backend: MetricsBackend,
        *,
        read_time: ReadTime = database_time,
    ) -> None:
        self._store = store
        self._declared = declared
        self._backend = backend
        self._read_time = read_time
        self._told: dict[str, tuple[datetime, PriceTag | None]] = {}  # what people know, and since when

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Priced:
        """Price those that are due. Raises what the store and the backend raise; what was priced before that stays."""
        with self._store.transaction(read_only=True) as transaction:
            at = self._read_time(transaction, now)
            log = transaction.incidents
            over = [each for each in log.between(at - _ENDED, at, _LOOKED_AT) if not each.is_open]
            going_on = log.open(_LOOKED_AT)
            due = sorted((each for each in [*going_on, *over] if _is_due(each, at)), key=_turn)[:MOST_AT_ONCE]
            alerts = {each.id: [one.alert for _, one in log.alerts_of(each.id, _ALERTS) if one] for each in due}
        self._told = {each.id: self._told[each.id] for each in going_on if each.id in self._told}
        told = sum(self._price(each, alerts[each.id], at, now, lease) for each in due)
        return Priced(len(due), told)

    def _price(
        self, incident: Incident, alerts: list[Alert], at: datetime, now: datetime, lease: HeldLease | None
    ) -> bool:
        until = min(at, incident.resolved_at or at)
        found = price_of(self._backend, incident, alerts, until)
        price = replace(found, as_of=at)
        with self._store.transaction(lease=lease) as transaction:
            transaction.incidents.lock()
            current = transaction.incidents.incident(incident.id)
            if current is None:
                return False
            is_news = self._is_news(current, price, at)
            version = current.version + (1 if is_news else 0)
            kept = transaction.incidents.put(replace(current, price=price, version=version))
            if is_news:
                self._told[incident.id] = at, price
                write(transaction, kept, [], [], declared=self._declared(), now=now)
        return is_news

    def _is_news(self, incident: Incident, price: PriceTag, at: datetime) -> bool:
        """Small steps add up: it is compared with what was told last, which after a restart is what it was before."""
        since, told = self._told.setdefault(incident.id, (at - TOLD_EVERY, incident.price))
        return is_material(told, price) and (not incident.is_open or at - since >= TOLD_EVERY)


def _turn(incident: Incident) -> tuple[int, bool, datetime]:
    """The most urgent first; among them those that were not priced for longest."""
    return (
        incident.priority.rank,
        incident.price is not None,
        incident.price.as_of if incident.price else incident.opened_at,
    )


def _is_due(incident: Incident, at: datetime) -> bool:
    if incident.is_drill:
        return False
    last = incident.price.as_of if incident.price else None
    if incident.resolved_at is None:
        return last is None or at - last >= EVERY
    return at - incident.resolved_at >= _SETTLED and (last is None or last < incident.resolved_at + _SETTLED)
