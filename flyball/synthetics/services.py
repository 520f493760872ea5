"""All about checks from outside that is done again and again in one process, and what Prometheus scrapes of it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.ports import Clock
from controlplane.store import SqlStore
from flyball.leadership import Leadership
from flyball.scheduler import Job, Turn
from flyball.settings import Settings
from flyball.synthetics.declared import ChecksDeclared
from flyball.synthetics.local_prober import LocalProber
from flyball.synthetics.region_checks import RandomBytes, RegionChecks, book_of
from flyball.synthetics.status_services import StatusServices, StatusSurroundings
from flyball.synthetics.watching import watch_of
from synthetics.golden_paths.daemon import GoldenPathCollector, GoldenPathDaemon
from synthetics.prober.metrics import ProberMetrics
from synthetics.probes.endpoint import Book
from synthetics.probes.running import Place
from synthetics.regions.daemon import Forgetting, Judging
from synthetics.regions.exposition import CheckExposition
from synthetics.regions.model import Watch

PROBES_EVERY: Final = timedelta(seconds=2)
VERDICTS_EVERY: Final = timedelta(seconds=2)
GOLDEN_PATHS_EVERY: Final = timedelta(minutes=1)
TIDY_EVERY: Final = timedelta(hours=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckSurroundings:
    """What the jobs work with. `declared` is what the last good files say, `look` reads them if nobody has."""

    declared: Callable[[], ChecksDeclared]
    look: Callable[[], object]
    settings: Settings
    backend: PrometheusBackend
    store: SqlStore
    clock: Clock
    leadership: Leadership
    registry: CollectorRegistry
    random_bytes: RandomBytes
    chance: Callable[[], float]
    on_attempt: Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Probing:
    """How many checks this process began to run in its own region."""

    checks: int


class CheckServices:
    """The parts, joined but not started."""

    def __init__(self, around: CheckSurroundings) -> None:
        self._around = around
        checks = around.settings.checks
        self.maker = RegionChecks(
            checks.region, around.settings.folder, checks.directory / "artifacts", around.random_bytes
        )
        self._local = LocalProber(
            self.maker, around.store, around.clock, checks.directory, lambda: self._prober_metrics
        )
        self._forgetting = Forgetting(
            around.store, results_kept=checks.results_kept, hours_kept=around.settings.events_kept
        )
        self._judging = Judging(around.store, self.watch)
        self.exposition = CheckExposition(around.store, self.watch, around.clock)
        self.status = StatusServices(
            StatusSurroundings(
                lambda: self.declared().pages,
                around.settings.status,
                around.settings.folder,
                around.backend,
                around.store,
                around.clock,
                around.registry,
                around.chance,
                around.on_attempt,
            )
        )
        self.golden_paths = GoldenPathDaemon(around.store, around.backend)

    @cached_property
    def _prober_metrics(self) -> ProberMetrics:
        """Only where something is probed from here."""
        return ProberMetrics(self._around.registry)

    def declared(self) -> ChecksDeclared:
        """What the last good files say."""
        return self._around.declared()

    def watch(self) -> Watch:
        """What is judged."""
        return watch_of(self.declared())

    def book(self) -> Book:
        """What `/probe` may be asked for."""
        return book_of(self.declared())

    def place(self) -> Place:
        """Where `/probe` asks from."""
        return self.maker.place(self.declared(), self.book().variables_named())

    def collectors(self) -> tuple[Collector, ...]:
        """For the registry of our own metrics."""
        around = self._around
        return (GoldenPathCollector(self.golden_paths, around.clock), *self.status.collectors())

    def jobs(self) -> Iterator[Job]:
        """What is done again and again."""
        yield Job("probes", PROBES_EVERY, self._informed(self._probe), leader_only=False)
        yield Job("verdicts", VERDICTS_EVERY, self._informed(self._judge), leader_only=True)
        yield Job("golden-paths", GOLDEN_PATHS_EVERY, self._informed(self._look_at_paths), leader_only=True)
        for job in self.status.jobs():
            yield replace(job, run=self._informed(job.run))
        forget = self._forgetting.run_once
        yield Job("tidy-checks", TIDY_EVERY, lambda turn: forget(turn.now, turn.lease), leader_only=True)

    def close(self) -> None:
        """End the prober of this process."""
        self._local.stop()

    def _informed(self, run: Callable[[Turn], object]) -> Callable[[Turn], object]:
        """A job that knows what is declared even in its first turn."""

        def informed(turn: Turn) -> object:
            self._around.look()
            return run(turn)

        return informed

    def _probe(self, turn: Turn) -> Probing:
        leading = self._around.leadership.lease is not None
        return Probing(self._local.turn(self.declared(), leading=leading))

    def _judge(self, turn: Turn) -> object:
        return self._judging.run_once(turn.now, turn.lease)

    def _look_at_paths(self, turn: Turn) -> object:
        declared = self.declared()
        return self.golden_paths.run_once(declared.golden_paths, declared.inventories, turn.now, lease=turn.lease)
