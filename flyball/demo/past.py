"""Puts the platform's month, and what Flyball would have recorded of it, into an empty Prometheus."""

from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.ports import Clock
from flyball.demo.platform.history import write_history
from flyball.demo.platform.simulation import Simulation
from flyball.demo.steps import Steps
from slo import cold_start
from slo.ports import Compiled

_QUERY_SECONDS: Final = 120


def write_past(simulation: Simulation, compiled: Compiled, prometheus_url: str, *, clock: Clock, steps: Steps) -> None:
    """History first, in time order; then the SLOs' ledgers; then one value of everything derived from them."""
    days = timedelta(minutes=simulation.seam - simulation.start) / timedelta(days=1)
    backend = PrometheusBackend(prometheus_url, timeout_seconds=_QUERY_SECONDS)
    try:
        with RemoteWriter(prometheus_url) as writer:
            with steps.step(f"Writing {days:.3g} days of metrics") as report:
                write_history(simulation, writer.send, report)
            with steps.step("Computing the budgets of that time") as report:
                planned = cold_start.plan(compiled.slos, datetime.fromtimestamp(60 * simulation.seam, UTC))
                cold_start.backfill(planned, backend, writer, lambda done: report(0.95 * done / len(planned)))
                cold_start.evaluate_once(cold_start.derived_rules(compiled.files), backend, writer, clock.now())
    finally:
        backend.close()
