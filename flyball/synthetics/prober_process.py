"""`flyball run prober`: a process that runs the checks of one region and reports to a control plane elsewhere."""

import logging
import random
import secrets
import threading
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from controlplane.adapters.clock import SystemClock
from controlplane.adapters.files import fingerprint, read_folder
from controlplane.ports import Permanent
from controlplane.problems import Problem, has_errors, in_order
from flyball.logs import set_up_logs
from flyball.reading_kinds import read_kinds
from flyball.settings import Settings
from flyball.signals import on_signals
from flyball.synthetics.declared import KINDS, ChecksDeclared, checks_of
from flyball.synthetics.region_checks import RegionChecks, book_of
from synthetics.prober.engine import Limits, Prober
from synthetics.prober.metrics import ProberMetrics
from synthetics.prober.threads import ProberThread
from synthetics.regions.adapters.http_delivery import HttpDelivery
from synthetics.regions.reporting import Reporter, ReportingThread
from synthetics.regions.spool import Spool
from synthetics.regions.spool_collector import SpoolCollector

if TYPE_CHECKING:
    from flyball.listen_address import ListenAddress

LOOK_EVERY: Final = timedelta(seconds=5)
FIRST_WITHIN: Final = timedelta(seconds=30)  # a check of every six hours is not waited for that long
STOP_SECONDS: Final = 10.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProberFiles:
    """What the files of a workspace say about checks, and everything that is wrong with that."""

    declared: ChecksDeclared
    problems: tuple[Problem, ...]


def read_checks(folder: Path) -> ProberFiles:
    """Read them; SLOs are not looked at, so that references to them are not either."""
    files, unreadable = read_folder(folder)
    documents, broken = read_kinds(files, KINDS)
    declared, wrong = checks_of(documents)
    return ProberFiles(declared, tuple(in_order([*unreadable, *broken, *wrong])))


def run_prober(settings: Settings, declared: ChecksDeclared, *, listen: "ListenAddress | None" = None) -> None:
    """Run until a signal ends it. Edits of the files take effect within seconds; wrong ones keep the last good ones.

    With `listen` it also answers `/probe` and `/metrics`. Raises `Permanent` for what somebody must put right.
    """
    set_up_logs(log_format=settings.log_format, level=settings.log_level, secrets=settings.secrets())
    ending = threading.Event()
    with ExitStack() as stack:
        prober = _ProberProcess(settings, stack)
        prober.use(declared)
        if listen is not None:
            prober.serve(listen, stack)
        on_signals(ending.set)
        log.info("prober.started", extra=prober.told())
        seen: object = fingerprint(settings.folder)
        while not ending.wait(LOOK_EVERY.total_seconds()):
            seen = prober.look_again(seen)
    log.info("prober.stopped")


class _ProberProcess:
    """The engine in a thread of its own, the spool, and the thread that reports."""

    def __init__(self, settings: Settings, stack: ExitStack) -> None:
        checks = settings.checks
        if checks.prober_token is None:
            raise Permanent("set FLYBALL_PROBER_TOKEN or FLYBALL_PROBER_TOKEN_FILE: reports are signed with it")
        self._settings = settings
        self._clock = SystemClock()
        self.declared = ChecksDeclared()
        self.registry = CollectorRegistry()
        self._maker = RegionChecks(checks.region, settings.folder, checks.directory / "artifacts", secrets.token_bytes)
        prober_id = uuid.uuid4().hex
        delivery = HttpDelivery(checks.report_to, region=checks.region, token=checks.prober_token.reveal())
        stack.callback(delivery.close)
        spool = Spool(checks.directory / f"spool-{checks.region}.db", region=checks.region, prober=prober_id)
        stack.callback(spool.close)
        reporter = Reporter(
            spool,
            delivery,
            region=checks.region,
            prober=prober_id,
            version=version("flyball"),
            chance=random.SystemRandom().random,
        )
        self.registry.register(SpoolCollector(spool, checks.region))
        reporting = ReportingThread(reporter, self._clock)
        reporting.start()
        stack.callback(reporting.stop)
        engine = Prober(
            region=checks.region,
            sink=spool,
            clock=self._clock,
            metrics=ProberMetrics(self.registry),
            limits=Limits(first_within=FIRST_WITHIN),
        )
        self._thread = ProberThread(engine)
        self._thread.start()
        stack.callback(self._stop)

    def use(self, declared: ChecksDeclared) -> None:
        """Run these checks from now on."""
        self.declared = declared
        self._thread.replace(self._maker.checks(declared), self._maker.self_check(declared))

    def look_again(self, seen: object) -> object:
        """Read the files again when they are not what they were."""
        look = fingerprint(self._settings.folder)
        if look == seen:
            return seen
        found = read_checks(self._settings.folder)
        if has_errors(found.problems):
            first = str(next(iter(found.problems)))
            log.error("prober.files_refused", extra={"problems": len(found.problems), "first": first})
        else:
            self.use(found.declared)
            log.info("prober.files_read", extra=self.told())
        return look

    def told(self) -> dict[str, object]:
        """Where it probes from, how much, and whom it tells."""
        checks = self._settings.checks
        count = len(self._maker.checks(self.declared))
        return {"region": checks.region, "checks": count, "report_to": checks.report_to}

    def serve(self, listen: "ListenAddress", stack: ExitStack) -> None:
        """Answer `/probe` and `/metrics` in a thread."""
        from flyball.synthetics.prober_server import ProberServer
        from flyball.web.probe_endpoint import ProbeAccess, ProbeEndpoint

        endpoint = ProbeEndpoint(
            book=lambda: book_of(self.declared),
            place=lambda: self._maker.place(self.declared, book_of(self.declared).variables_named()),
            clock=self._clock,
            access=ProbeAccess(listen.is_loopback, self._settings.console_token),
            registry=self.registry,
        )
        stack.enter_context(ProberServer(endpoint, listen))

    def _stop(self) -> None:
        self._thread.stop()
        if not self._thread.join(STOP_SECONDS):
            log.error("prober.engine_not_ended")
