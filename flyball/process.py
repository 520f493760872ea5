"""One process from start to end: leadership, scheduler and web server, and their orderly stop."""

import logging
import os
import sys
import threading
from collections.abc import Sequence
from typing import Final

from flyball.logs import set_up_logs
from flyball.scheduler import Job, Scheduler
from flyball.settings import Settings
from flyball.signals import on_signals
from flyball.web.app import create_app
from flyball.web.server import WebServer
from flyball.wiring import Services, wire

STOP_SECONDS: Final = 10.0  # what running jobs get to end
log = logging.getLogger(__name__)


def run_everything(settings: Settings) -> None:
    """`flyball up`: returns when a signal ends it. Raises what `wire` raises, and `Permanent` for a port in use."""
    set_up_logs(log_format=settings.log_format, level=settings.log_level, secrets=settings.secrets())
    services = wire(settings)
    try:
        server = WebServer(create_app(services), settings.listen)
        on_signals(server.stop)
        with_jobs = _Running(services, services.jobs)
        _say_where(server, settings)
        try:
            server.run()
        finally:
            with_jobs.stop()
    finally:
        services.close()
    with_jobs.end()


def run_jobs(services: Services, jobs: Sequence[Job]) -> None:
    """`flyball run NAME`: some jobs without a web server, until a signal ends it."""
    ending = threading.Event()
    on_signals(ending.set)
    running = _Running(services, jobs)
    try:
        ending.wait()
    finally:
        running.stop()
        services.close()
    running.end()


class _Running:
    """Leadership and jobs, running until they are stopped."""

    def __init__(self, services: Services, jobs: Sequence[Job]) -> None:
        self._services = services
        self._scheduler = Scheduler(jobs, services.runner)
        self._all_ended = True
        services.leadership.start()
        self._scheduler.start(services.clock.now())

    def stop(self) -> None:
        """Fire no more, wait for running jobs for a bounded time, give up the lease."""
        self._all_ended = self._scheduler.stop(STOP_SECONDS)
        if not self._all_ended:
            log.warning("process.jobs_left_running", extra={"waited_seconds": STOP_SECONDS})
        self._services.leadership.stop()
        log.info("process.stopped")

    def end(self) -> None:
        """Leave without waiting for a job that does not end: its thread would hold the process for ever."""
        if not self._all_ended:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


def _say_where(server: WebServer, settings: Settings) -> None:
    url = f"http://{server.address}"
    log.info(
        "process.started",
        extra={
            "console": url,
            "webhook": f"{url}/hooks/alertmanager",
            "metrics": f"{url}/metrics",
            "prometheus": settings.prometheus_url,
            "rules": str(settings.rules_directory.absolute()),
        },
    )
    if settings.webhook_token is None:
        log.warning("process.webhook_closed", extra={"reason": "set FLYBALL_WEBHOOK_TOKEN to receive alerts"})
