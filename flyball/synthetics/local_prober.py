"""The region within `flyball up`: its checks run in this process, while it leads, and report without HTTP."""

import logging
import random
import uuid
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

from controlplane.ports import Clock, Store
from flyball.synthetics.declared import NO_CHECKS, ChecksDeclared
from flyball.synthetics.region_checks import RegionChecks
from synthetics.prober.engine import Limits, Prober
from synthetics.prober.metrics import ProberMetrics
from synthetics.prober.threads import ProberThread
from synthetics.regions.intake import StoreDelivery
from synthetics.regions.reporting import Reporter, ReportingThread
from synthetics.regions.spool import Spool

FIRST_WITHIN: Final = timedelta(seconds=30)  # a check of every six hours is not waited for that long
_STOP_SECONDS: Final = 7.0  # longer than the engine takes
log = logging.getLogger(__name__)


class LocalProber:
    """Starts with the first check that there is to run here, and ends with the process."""

    def __init__(
        self, maker: RegionChecks, store: Store, clock: Clock, directory: Path, metrics: Callable[[], ProberMetrics]
    ) -> None:
        self._maker = maker
        self._store = store
        self._clock = clock
        self._directory = directory
        self._metrics = metrics
        self._running: _Running | None = None
        self._used: ChecksDeclared = NO_CHECKS

    def turn(self, declared: ChecksDeclared, *, leading: bool) -> int:
        """Run what is declared for this region, while we lead; how many checks these are."""
        wanted = declared if leading and self._is_ours(declared) else NO_CHECKS
        checks = self._maker.checks(wanted) if wanted is not self._used else []
        if self._running is None and checks:
            self._running = _Running(self._maker.region, self._store, self._clock, self._directory, self._metrics())
        if self._running and wanted is not self._used:
            self._running.thread.replace(checks, self._maker.self_check(wanted) if checks else None)
            log.info("prober.files_read", extra={"region": self._maker.region, "checks": len(checks)})
        self._used = wanted
        return len(checks)

    def stop(self) -> None:
        """End it, and report what waits."""
        if self._running:
            self._running.stop()
            self._running = None

    def _is_ours(self, declared: ChecksDeclared) -> bool:
        """Where regions are declared, this process is one of them or none."""
        return not declared.regions or any(region.name == self._maker.region for region in declared.regions)


class _Running:
    def __init__(self, region: str, store: Store, clock: Clock, directory: Path, metrics: ProberMetrics) -> None:
        prober_id = uuid.uuid4().hex
        self._spool = Spool(directory / f"spool-{region}.db", region=region, prober=prober_id)
        reporter = Reporter(
            self._spool,
            StoreDelivery(store),
            region=region,
            prober=prober_id,
            version=version("flyball"),
            chance=random.SystemRandom().random,
        )
        self._reporting = ReportingThread(reporter, clock)
        engine = Prober(
            region=region, sink=self._spool, clock=clock, metrics=metrics, limits=Limits(first_within=FIRST_WITHIN)
        )
        self.thread = ProberThread(engine)
        self._reporting.start()
        self.thread.start()

    def stop(self) -> None:
        self.thread.stop()
        if not self.thread.join(_STOP_SECONDS):
            log.error("prober.engine_not_ended")
        self._reporting.stop()
        self._spool.close()
