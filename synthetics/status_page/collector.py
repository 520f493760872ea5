"""What Prometheus scrapes of status pages, read from the store."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controlplane import check_names as names
from controlplane.model.status_record import UpdateState
from controlplane.ports import Clock, Permanent, Store, Transaction, Transient
from synthetics.status_page import cadence
from synthetics.status_page.model import StatusPage
from synthetics.status_page.snapshot import snapshot

UPTIME_EVERY: Final = timedelta(minutes=5)
log = logging.getLogger(__name__)


class StatusCollector(Collector):
    """Statuses, incidents, promises, drafts and subscribers; the uptime of 90 days is reckoned every five minutes."""

    def __init__(self, store: Store, pages: Callable[[], Sequence[StatusPage]], clock: Clock) -> None:
        self._store = store
        self._pages = pages
        self._clock = clock
        self._uptimes: dict[str, tuple[datetime, list[tuple[str, float]]]] = {}

    def collect(self) -> Iterator[Metric]:
        """Families are there without pages, too; a store that fails leaves them empty."""
        families = _families()
        now = self._clock.now()
        try:
            for page in self._pages():
                with self._store.transaction(read_only=True) as transaction:
                    self._read(page, transaction, now, families)
        except (Transient, Permanent) as error:
            log.warning("status.not_collected", extra={"error": str(error)})
            families = _families()
        yield from families.values()

    def _read(
        self, page: StatusPage, transaction: Transaction, now: datetime, families: dict[str, GaugeMetricFamily]
    ) -> None:
        status = transaction.status
        declared = {component.id for component in page.components}
        for state in status.states(page.name):
            if state.component in declared:
                families[names.STATUS_COMPONENT].add_metric([page.name, state.component, state.status.value], 1)
        for component, ratio in self._uptime(page, transaction, now):
            families[names.STATUS_UPTIME].add_metric([page.name, component], ratio)
        open_ = [each for each in status.incidents(page.name, now) if not each.resolved_at and not each.scheduled_for]
        families[names.STATUS_INCIDENTS].add_metric([page.name], sum(each.announced_at is not None for each in open_))
        for incident in open_:
            late = cadence.overdue(incident.next_update_by, now).total_seconds()
            families[names.STATUS_UPDATE_OVERDUE].add_metric([page.name, incident.id], late)
        drafts = sum(each.state is UpdateState.DRAFT for each in status.waiting(page.name))
        families[names.STATUS_DRAFTS].add_metric([page.name], drafts)
        counted = Counter((each.channel.value, each.state.value) for each in status.subscribers(page.name))
        for (channel, state_), count in sorted(counted.items()):
            families[names.STATUS_SUBSCRIBERS].add_metric([page.name, channel, state_], count)

    def _uptime(self, page: StatusPage, transaction: Transaction, now: datetime) -> list[tuple[str, float]]:
        made = self._uptimes.get(page.name)
        if made is None or not timedelta(0) <= now - made[0] < UPTIME_EVERY:
            found = [
                (each.id, float(each.uptime.ratio))
                for each in snapshot(page, transaction, now).components
                if each.uptime is not None and each.uptime.ratio is not None
            ]
            made = self._uptimes[page.name] = (now, found)
        return made[1]


def _families() -> dict[str, GaugeMetricFamily]:
    page = names.STATUS_PAGE
    described: dict[str, tuple[str, list[str]]] = {
        names.STATUS_COMPONENT: ("1 for the status that stands", [page, names.COMPONENT, "status"]),
        names.STATUS_UPTIME: ("Uptime of 90 days, as the page shows it", [page, names.COMPONENT]),
        names.STATUS_INCIDENTS: ("Open incidents that are published", [page]),
        names.STATUS_UPDATE_OVERDUE: ("How long the public waits for a promised update", [page, "incident"]),
        names.STATUS_DRAFTS: ("Updates that wait for approval", [page]),
        names.STATUS_SUBSCRIBERS: ("Subscribers", [page, "channel", "state"]),
    }
    return {name: GaugeMetricFamily(name, text, labels=labels) for name, (text, labels) in described.items()}
