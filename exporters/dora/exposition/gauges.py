"""Gauges of the last 30 and 90 days, and of what runs now. Where nothing was measured there is no gauge, never 0."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from controlplane import conventions
from controlplane import delivery_names as names
from controlplane.model.delivery import Deployment
from exporters.dora.exposition.lines import Family, Line, written_labels
from exporters.dora.model import Distribution, DoraMetrics, Estimate, Metric

Labels = Mapping[str, str]
Windows = Mapping[str, Sequence[tuple[Labels, DoraMetrics]]]  # by its name, such as 30d
METRIC: Final = "metric"
VERSION: Final = "version"
_TEXTS: Final = {
    names.LEAD_TIME_QUANTILE: "Quantiles of the change lead time.",
    names.STAGE_MEDIAN: "Medians of the parts of the lead time.",
    names.DEPLOYMENTS_PER_DAY: "Deployments a day, on average.",
    names.CHANGE_FAIL_RATIO: "Share of deployments that failed.",
    names.REWORK_RATIO: "Share of deployments that were rework.",
    names.RECOVERY_QUANTILE: "Quantiles of the failed deployment recovery time.",
    names.RESTORE_MEAN: "How long incidents went on, on average (MTTR).",
    names.SAMPLES: "How many values stand behind a metric.",
    names.INTERVAL: "Ends of the 95 % interval of a median, of the frequency, of a share.",
}


def gauge_families(windows: Windows) -> Iterator[Family]:
    """Everything about metrics, in an order that stays."""
    found: dict[str, list[Line]] = {name: [] for name in _TEXTS}
    for window, scopes in windows.items():
        for own, metrics in scopes:
            for name, labels, value in _values(metrics):
                written = written_labels({**own, names.WINDOW: window, **labels})
                found[name].append(Line(name, written, float(value)))
    for name, text in _TEXTS.items():
        yield Family(name, "gauge", text, tuple(found[name]))


def deployment_families(latest: Sequence[tuple[Labels, Deployment]]) -> Iterator[Family]:
    """When each service was deployed last, and what runs."""
    at = [Line(names.LAST_DEPLOYMENT, written_labels(own), it.at.timestamp()) for own, it in latest]
    info = [
        Line(names.DEPLOYMENT_INFO, written_labels({**own, VERSION: it.version}), 1.0)
        for own, it in latest
        if it.version
    ]
    yield Family(names.LAST_DEPLOYMENT, "gauge", "When the last deployment was finished.", tuple(at))
    yield Family(names.DEPLOYMENT_INFO, "gauge", "1 for the version that runs.", tuple(info))


def scope_labels(service: str, team: str, environment: str) -> Labels:
    """The labels of one service, in an order that stays."""
    return {conventions.SERVICE: service, names.TEAM: team, names.ENVIRONMENT: environment}


def _values(it: DoraMetrics) -> Iterator[tuple[str, Labels, Decimal]]:
    yield from _quantiles(names.LEAD_TIME_QUANTILE, it.lead_time)
    for stage, found in it.stages.items():
        if found.median.value is not None:
            yield names.STAGE_MEDIAN, {names.STAGE: stage.value}, found.median.value
    yield from _quantiles(names.RECOVERY_QUANTILE, it.recovery_time)
    for name, metric, estimate in _single(it):
        if estimate.value is None:
            continue
        if name:
            yield name, {}, estimate.value
        yield names.SAMPLES, {METRIC: metric.value}, Decimal(estimate.samples)
        for bound, end in (("lower", estimate.lower), ("upper", estimate.upper)):
            if end is not None:
                yield names.INTERVAL, {METRIC: metric.value, names.BOUND: bound}, end


def _single(it: DoraMetrics) -> Iterator[tuple[str, Metric, Estimate]]:
    """Metrics with the gauge of their number; quantiles have theirs already."""
    yield "", Metric.LEAD_TIME, it.lead_time.median
    yield names.DEPLOYMENTS_PER_DAY, Metric.FREQUENCY, it.frequency.per_day
    yield names.CHANGE_FAIL_RATIO, Metric.FAIL_RATE, it.fail_rate
    yield names.REWORK_RATIO, Metric.REWORK_RATE, it.rework_rate
    yield "", Metric.RECOVERY_TIME, it.recovery_time.median
    yield names.RESTORE_MEAN, Metric.RESTORE_TIME, it.restore_time.mean


def _quantiles(name: str, it: Distribution) -> Iterator[tuple[str, Labels, Decimal]]:
    for share, estimate in sorted(it.quantiles.items()):
        if estimate.value is not None:
            yield name, {names.QUANTILE: str(share)}, estimate.value
