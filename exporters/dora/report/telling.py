"""Each metric by its name, its value, its interval and its sample, in a few characters each."""

from collections.abc import Sequence
from typing import Final

from controlplane import wording
from exporters.dora.model import DoraMetrics, Estimate, Metric, Stage
from exporters.dora.report import numbers
from exporters.dora.report.model import Behind, Row

NAMES: Final = {
    Metric.LEAD_TIME: "Change lead time",
    Metric.FREQUENCY: "Deployment frequency",
    Metric.FAIL_RATE: "Change fail rate",
    Metric.RECOVERY_TIME: "Failed deployment recovery",
    Metric.REWORK_RATE: "Deployment rework rate",
    Metric.RESTORE_TIME: "All incidents (MTTR)",
}
_SHORT: Final = {
    Metric.LEAD_TIME: "lead time",
    Metric.FREQUENCY: "frequency",
    Metric.FAIL_RATE: "fail rate",
    Metric.RECOVERY_TIME: "recovery",
    Metric.REWORK_RATE: "rework",
    Metric.RESTORE_TIME: "incidents",
}
STAGE_NAMES: Final = {Stage.CODING: "coding", Stage.REVIEW: "review", Stage.DEPLOY: "deploy"}
_NOUNS: Final = {
    Metric.LEAD_TIME: ("change", "changes"),
    Metric.FREQUENCY: ("deployment", "deployments"),
    Metric.FAIL_RATE: ("deployment", "deployments"),
    Metric.RECOVERY_TIME: ("recovery", "recoveries"),
    Metric.REWORK_RATE: ("deployment", "deployments"),
    Metric.RESTORE_TIME: ("incident", "incidents"),
}
_RATES: Final = (Metric.FAIL_RATE, Metric.REWORK_RATE)


def estimate_of(metrics: DoraMetrics, metric: Metric) -> Estimate:
    """The number by which a metric is told: medians of times, the mean of MTTR."""
    return {
        Metric.LEAD_TIME: metrics.lead_time.median,
        Metric.FREQUENCY: metrics.frequency.per_day,
        Metric.FAIL_RATE: metrics.fail_rate,
        Metric.RECOVERY_TIME: metrics.recovery_time.median,
        Metric.REWORK_RATE: metrics.rework_rate,
        Metric.RESTORE_TIME: metrics.restore_time.mean,
    }[metric]


def value_text(metric: Metric, it: Estimate) -> str:
    """Its value."""
    if metric is Metric.FREQUENCY:
        return numbers.frequency(it.value)
    return numbers.ratio(it.value) if metric in _RATES else numbers.brief(it.value)


def interval_text(metric: Metric, it: Estimate) -> str:
    """Its 95 % interval; empty without one."""
    if metric is Metric.FREQUENCY:
        return numbers.frequency_interval(it)
    return numbers.ratio_interval(it) if metric in _RATES else numbers.time_interval(it)


def samples_text(metric: Metric, it: Estimate) -> str:
    """`210 changes`."""
    return numbers.counted(it.samples, *_NOUNS[metric])


def overall_text(row: Row) -> str:
    """Its overall place among the clusters, or what is missing for one."""
    if row.placed is None:
        return wording.MISSING
    if row.placed.overall is None:
        return f"{wording.MISSING} on {_and([_SHORT[metric] for metric in row.placed.missing])}"
    return row.placed.overall.in_words()


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def behind_text(behind: Behind) -> str:
    """How far the numbers are behind what came in."""
    parts = []
    if behind.events:
        parts.append(f"{numbers.counted(behind.events, 'event')} not looked at yet")
    if behind.days:
        parts.append(f"{numbers.counted(behind.days, 'day')} to be measured anew")
    return f"Behind what came in: {', '.join(parts)}."
