"""Whether a step alerts, and why, or why not: one or two sentences."""

import math
from collections.abc import Sequence
from typing import Final

from alerts.anomaly.explaining.model import StepFacts
from alerts.anomaly.model import AnomalyDetector, Maturity, Output
from controlplane import wording
from controlplane.model.anomaly import Episode

_LEAST_COVERAGE: Final = 0.5


def verdict(
    detector: AnomalyDetector,
    facts: StepFacts,
    open_now: Sequence[Episode],
    *,
    coverage: float = math.nan,
    is_held: bool = False,
) -> str:
    """`open_now`: episodes that are open at the step; `is_held`: it did not pass the false-discovery control."""
    worst = max((it for it in _scores(detector, facts) if it is not None), default=None)
    if open_now:
        since = min(each.started_at for each in open_now)
        still = "" if worst is None or worst > 1 else " It closes when it has been quiet for long enough."
        return f"It alerts ({detector.severity}): open since {wording.utc(since)}.{still}"
    if facts.value is None:
        return "No alert: there is no sample at that time, so there is no score."
    if worst is None:
        return _unscored(facts, coverage)
    if worst <= 1:
        return f"No alert: {wording.percent(worst)} of the way to the edge of what is usual."
    if facts.maturity < Maturity.DAILY:
        return "No alert: there is less than a day of past, and a level alone never alerts."
    if is_held:
        return "No alert: among so many members of its group a deviation like that is to be expected by chance."
    opening = detector.opening
    if opening.steps > 1:
        return f"No alert yet: {opening.steps} of {opening.of} steps must be anomalous."
    return "No alert: somebody said that this time is expected, or the step is not over."


def _scores(detector: AnomalyDetector, facts: StepFacts) -> tuple[float | None, ...]:
    by_output = {Output.POINT: facts.score, Output.SUSTAINED: facts.sustained_score}
    return tuple(by_output[each] for each in detector.outputs)


def _unscored(facts: StepFacts, coverage: float) -> str:
    if math.isfinite(coverage) and coverage < _LEAST_COVERAGE:
        return f"No alert: only {wording.percent(coverage)} of the past day has samples; below 50 % there is no score."
    if facts.maturity is Maturity.COLD:
        return "No alert: there is not enough past to compare with."
    return "No alert: there is no score."
