"""Tells the world how applying rules goes: metrics at every turn, a log line whenever it changes."""

import logging
from datetime import datetime
from typing import Final

from controlplane.problems import Severity
from flyball.telemetry import Metrics
from slo.daemon import ApplyOutcome, ApplyState, SLODaemon

_IN_FORCE: Final = (ApplyState.APPLIED, ApplyState.UNCHANGED)
log = logging.getLogger(__name__)


class ToldApplying:
    """The SLO daemon, with its outcomes counted and logged."""

    def __init__(self, daemon: SLODaemon, metrics: Metrics) -> None:
        self._daemon = daemon
        self._metrics = metrics
        self._last_told: tuple[ApplyState, str, str] | None = None
        for state in ApplyState:
            metrics.apply_total.labels(state.value)

    def run(self, now: datetime) -> ApplyOutcome:
        """One turn of the daemon; raises what it raises."""
        outcome = self._daemon.run_once(now)
        self._metrics.apply_total.labels(outcome.state.value).inc()
        if outcome.state is ApplyState.REJECTED:
            self._metrics.spec_rejected.inc()
        if outcome.state in _IN_FORCE and outcome.generation and not outcome.reason:
            self._metrics.applied_slos.set(outcome.slos)
        self._tell(outcome)
        return outcome

    def _tell(self, outcome: ApplyOutcome) -> None:
        told = (outcome.state, outcome.generation, outcome.reason)
        if outcome.state is ApplyState.UNCHANGED or told == self._last_told:
            return  # an unreachable Prometheus is told once, not at every turn
        self._last_told = told
        level = logging.INFO if outcome.state is ApplyState.APPLIED else logging.WARNING
        log.log(level, f"slo.{outcome.state.value}", extra=_fields(outcome))


def _fields(outcome: ApplyOutcome) -> dict[str, object]:
    if outcome.state is ApplyState.REJECTED:
        errors = [problem for problem in outcome.problems if problem.severity is Severity.ERROR]
        first = f"{errors[0].position}: {errors[0].field}: {errors[0].message}"
        return {"problems": len(errors), "first": first}
    fields: dict[str, object] = {"slos": outcome.slos, "rules": outcome.rules, "generation": outcome.generation[:12]}
    return fields | ({"reason": outcome.reason} if outcome.reason else {})
