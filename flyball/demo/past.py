"""Puts the platform's month, and what Flyball would have recorded of it, into an empty Prometheus."""

from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.burn_rate import LEDGER_INTERVAL
from controlplane.ports import Clock
from flyball.demo.platform.history import write_history
from flyball.demo.platform.simulation import Simulation
from flyball.demo.steps import Report, Steps
from flyball.money.compiling import money_rule_files
from flyball.money.past import write_past as write_money
from flyball.money.reading import money_recorded
from slo import cold_start
from slo.compiler import CompileOptions
from slo.ports import Compiled
from synthetics.alerting.rules import FILE as CHECK_RULES

_QUERY_SECONDS: Final = 120
_LEDGER_SHARE: Final = 0.6  # of the time that computing budgets takes


def write_past(simulation: Simulation, compiled: Compiled, prometheus_url: str, *, clock: Clock, steps: Steps) -> None:
    """History first, in time order; then the SLOs' ledgers; then what is derived from them."""
    days = timedelta(minutes=simulation.seam - simulation.start) / timedelta(days=1)
    backend = PrometheusBackend(prometheus_url, timeout_seconds=_QUERY_SECONDS)
    try:
        with RemoteWriter(prometheus_url) as writer:
            with steps.step(f"Writing {days:.3g} days of metrics") as report:
                write_history(simulation, writer.send, report)
            with steps.step("Computing the budgets of that time") as report:
                _write_budgets(simulation, compiled, backend, writer, now=clock.now(), report=report)
            with steps.step("Computing what that time cost") as report:
                _write_money(simulation, compiled, backend, writer, clock=clock, report=report)
    finally:
        backend.close()


def _write_budgets(
    simulation: Simulation,
    compiled: Compiled,
    backend: PrometheusBackend,
    writer: RemoteWriter,
    *,
    now: datetime,
    report: Report,
) -> None:
    start, end = (datetime.fromtimestamp(60 * minute, UTC) for minute in (simulation.start, simulation.seam))
    planned = cold_start.plan(compiled.slos, end)
    cold_start.backfill(planned, backend, writer, lambda done: report(_LEDGER_SHARE * done / len(planned)))
    about_money = {file.name for file in money_rule_files(money_recorded(compiled.records), CompileOptions())}
    others = about_money | {CHECK_RULES}
    stages = cold_start.derived_rules(file for file in compiled.files if file.name not in others)
    start += LEDGER_INTERVAL
    writer.write(cold_start.calendar_course(compiled.slos, start, end))
    cold_start.evaluate_over(
        cold_start.course_rules(stages, compiled.slos), backend, writer, start=start, end=end,
        progress=lambda share: report(_LEDGER_SHARE + (0.97 - _LEDGER_SHARE) * share),
    )  # fmt: skip
    cold_start.evaluate_once(stages, backend, writer, now)


def _write_money(
    simulation: Simulation,
    compiled: Compiled,
    backend: PrometheusBackend,
    writer: RemoteWriter,
    *,
    clock: Clock,
    report: Report,
) -> None:
    bounds = (60 * minute // 300 * 300 for minute in (simulation.start, simulation.seam))
    first, end = (datetime.fromtimestamp(bound, UTC) for bound in bounds)
    money = money_recorded(compiled.records)
    write_money(money, backend, writer, start=first + LEDGER_INTERVAL, end=end, now=clock.now, progress=report)
