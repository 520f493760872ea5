"""Looks whether golden paths are watched, and whether checks and SLOs agree; tells changes once."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controlplane import check_names
from controlplane.model.check import Verdict
from controlplane.model.event import Event
from controlplane.ports import Clock, HeldLease, MetricsBackend, Permanent, Store, Transient
from synthetics.golden_paths.coverage import Coverage, PathCoverage, coverage
from synthetics.golden_paths.disagreement import (
    HOLD,
    Course,
    Disagreement,
    Sides,
    Standing,
    TrafficDrop,
    event_of,
    sides_of,
    standings,
    step,
)
from synthetics.golden_paths.evidence import CheckKey, Evidence, SLIEvidence
from synthetics.golden_paths.model import Gap, GoldenPath, RouteInventory
from synthetics.golden_paths.reading import checks_run, routes_seen, slis_burning, traffic_drop

RENEWED_AFTER: Final = timedelta(minutes=5)  # traffic of a day hardly changes within
STALE_AFTER: Final = timedelta(minutes=20)
REMEMBERED: Final = timedelta(days=430)  # of the event log: how far back a standing is looked for
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn found. `told` are ids of events that were new, `disagreeing` paths that disagree now."""

    told: tuple[str, ...] = ()
    disagreeing: tuple[str, ...] = ()
    gaps: int = 0
    unknown: int = 0


@dataclass(slots=True)
class GoldenPathDaemon:
    """Keeps the latest coverage and the standing of each path. What stands is read back from the event log, so that a

    restart or another leader tells nothing twice.
    """

    store: Store
    backend: MetricsBackend
    hold: timedelta = HOLD
    latest: Coverage | None = field(default=None, init=False)
    courses: dict[str, Course] = field(default_factory=dict, init=False)
    turned_at: datetime | None = field(default=None, init=False)
    _epoch: int | None = field(default=None, init=False)
    _is_read: bool = field(default=False, init=False)
    _looked_for: tuple[object, object] = field(default=((), ()), init=False)

    def run_once(
        self,
        paths: Sequence[GoldenPath],
        inventories: Sequence[RouteInventory],
        now: datetime,
        *,
        lease: HeldLease | None = None,
    ) -> Turn:
        """One turn. A Prometheus that does not answer leaves things unknown, and moves nothing.

        Raises `Transient` when the store cannot be used and `LeaseLost` when we lead no more.
        """
        if not paths:
            self.latest, self.turned_at = None, None
            return Turn()
        slis = self._slis(paths, now)
        self._look(paths, inventories, now)
        with self.store.transaction(read_only=True) as transaction:
            verdicts = {(each.check_kind, each.check): each for each in transaction.checks.verdicts()}
        told = self._disagree(paths, inventories, verdicts, slis, now, lease)
        self.turned_at = now
        disagreeing = tuple(path.name for path in paths if self._course(path.name).standing.kind)
        assert self.latest is not None
        return Turn(told, disagreeing, len(self.latest.enforced), len(self.latest.not_known))

    def _slis(self, paths: Sequence[GoldenPath], now: datetime) -> SLIEvidence | None:
        try:
            return slis_burning(self.backend, paths, now)
        except (Transient, Permanent) as error:
            log.warning("golden_paths.slos_unknown", extra={"error": str(error)})
            return None

    def _look(self, paths: Sequence[GoldenPath], inventories: Sequence[RouteInventory], now: datetime) -> None:
        """Coverage, every few minutes and whenever files change."""
        wanted = (tuple(paths), tuple(inventories))
        if self.latest and wanted == self._looked_for and now - self.latest.at < RENEWED_AFTER:
            return
        with self.store.transaction(read_only=True) as transaction:
            runs = checks_run(transaction.checks, paths, now)
        seen = routes_seen(self.backend, inventories, paths, now)
        self.latest, self._looked_for = coverage(paths, Evidence(seen, runs), now), wanted

    def _disagree(
        self,
        paths: Sequence[GoldenPath],
        inventories: Sequence[RouteInventory],
        verdicts: Mapping[CheckKey, Verdict],
        slis: SLIEvidence | None,
        now: datetime,
        lease: HeldLease | None,
    ) -> tuple[str, ...]:
        self._read_back(now, lease)
        after: dict[str, Course] = {}
        events: list[Event] = []
        for path in paths:
            sides, before = sides_of(path, verdicts, slis), self._course(path.name)
            after[path.name] = step(before, sides, now, self.hold)
            if after[path.name].standing.kind is not before.standing.kind:
                events.append(self._event(path, after[path.name].standing, sides, inventories, now))
        told: tuple[str, ...] = ()
        if events:
            with self.store.transaction(lease=lease) as transaction:
                told = tuple(event.id for event in events if transaction.events.append(event, now))
        self.courses = self.courses | after  # only now: what could not be written is decided again
        for event in events:
            log.info("golden_paths.changed", extra={"path": event.subject, "event": event.kind})
        return told

    def _event(
        self,
        path: GoldenPath,
        standing: Standing,
        sides: Sides,
        inventories: Sequence[RouteInventory],
        now: datetime,
    ) -> Event:
        drop: TrafficDrop | None = None
        if standing.kind is Disagreement.DNS_OR_REGION:
            try:
                drop = traffic_drop(self.backend, inventories, path, now)
            except (Transient, Permanent) as error:
                log.warning("golden_paths.traffic_unknown", extra={"path": path.name, "error": str(error)})
        return event_of(path, standing, sides, now, drop)

    def _read_back(self, now: datetime, lease: HeldLease | None) -> None:
        """What stands by the log, when we began or took over."""
        epoch = lease.epoch if lease else None
        if self._is_read and epoch == self._epoch:
            return
        kinds = (check_names.EVENT_PATH_DISAGREES, check_names.EVENT_PATH_AGREES)
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.events.between(now - REMEMBERED, now + timedelta(days=1), kinds)
        self.courses = {name: Course(standing) for name, standing in standings(found).items()}
        self._is_read, self._epoch = True, epoch

    def _course(self, path: str) -> Course:
        return self.courses.get(path, Course())


class GoldenPathCollector(Collector):
    """What Prometheus scrapes of the latest turn. A replica that has no fresh one says nothing: missing is not 0."""

    def __init__(self, daemon: GoldenPathDaemon, clock: Clock) -> None:
        self._daemon = daemon
        self._clock = clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Gaps by path, routes on no path, and what disagrees."""
        gaps = GaugeMetricFamily(
            check_names.GOLDEN_PATH_GAPS,
            "What is missing of a golden path and was not accepted; absent where it is not known.",
            labels=(check_names.GOLDEN_PATH, "gap"),
        )
        strays = GaugeMetricFamily(check_names.UNCOVERED_ROUTES, "Routes that people use and that are on no path.")
        disagreeing = GaugeMetricFamily(
            check_names.PATH_DISAGREES,
            "1 while checks and SLOs of a path contradict each other in this way.",
            labels=(check_names.GOLDEN_PATH, "kind"),
        )
        checked = GaugeMetricFamily(check_names.PATHS_CHECKED, "When golden paths were looked at last.")
        latest, turned_at = self._daemon.latest, self._daemon.turned_at
        if latest is not None and turned_at is not None and self._clock.now() - turned_at <= STALE_AFTER:
            for each in latest.paths:
                for gap, count in counted_gaps(each):
                    gaps.add_metric((each.path.name, gap.value), count)
                standing = self._daemon.courses.get(each.path.name, Course()).standing
                for kind in Disagreement:
                    disagreeing.add_metric((each.path.name, kind.value), float(standing.kind is kind))
            if latest.strays is not None:
                strays.add_metric((), len(latest.strays))
            checked.add_metric((), turned_at.timestamp())
        yield from (gaps, strays, disagreeing, checked)


def counted_gaps(each: PathCoverage) -> Iterator[tuple[Gap, int]]:
    """How many open gaps of each kind a path has; kinds are left out of which nothing can be said."""
    open_gaps = [gap.gap for gap in each.open_gaps]
    routes_unknown = any(route.per_day is None for route in each.routes)
    checks_unknown = bool(each.unknown_checks)
    for gap in Gap:
        count = open_gaps.count(gap)
        is_unknown = (gap is Gap.ROUTE_NOT_SEEN and routes_unknown) or (
            gap in (Gap.NOT_RUN, Gap.FAILING) and checks_unknown
        )
        if gap is not Gap.ROUTE_ON_NO_PATH and (count or not is_unknown):
            yield gap, count
