"""A report for programs: JSON and rows of CSV. Numbers are exact; what is not known is null, or an empty cell.

Times are in seconds, rates and shares of 1, frequencies a day. docs/reference/dora.md describes the schema.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from exporters.dora.clusters.placing import Placed, Placement
from exporters.dora.model import Distribution, DoraMetrics, Estimate, Frequency, Metric, Stage
from exporters.dora.report.model import Report, Row

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
CSV_COLUMNS: Final = (
    "service",
    "team",
    "environment",
    "from",
    "to",
    "metric",
    "part",
    "statistic",
    "unit",
    "value",
    "samples",
    "lower_95",
    "upper_95",
)
_SECONDS: Final = "seconds"
_RATIO: Final = "ratio"


def report_data(report: Report) -> dict[str, Json]:
    """All of it."""
    edition = report.edition
    return {
        "by": report.by.value,
        "from": moment(report.start),
        "to": moment(report.end),
        "days": report.days,
        "time_zone": report.time_zone,
        "made_at": moment(report.made_at),
        "behind": {"events": report.behind.events, "days": report.behind.days},
        "clusters_of": {"edition": edition.name, "report": edition.report, "url": edition.url} if edition else None,
        "scopes": [row_data(row) for row in report.rows],
        "left_out": report.left_out,
    }


def row_data(row: Row) -> dict[str, Json]:
    """One scope; with `before` where it was asked for."""
    told = metrics_data(row.metrics)
    told["clusters"] = _placed_data(row.placed)
    if row.before is not None:
        told["before"] = metrics_data(row.before)
    return told


def metrics_data(it: DoraMetrics) -> dict[str, Json]:
    """The metrics of one scope."""
    return {
        "service": it.scope.service or None,
        "team": it.scope.team or None,
        "environment": it.scope.environment,
        "from": moment(it.start),
        "to": moment(it.end),
        Metric.LEAD_TIME.value: distribution_data(it.lead_time),
        "stages": {stage.value: distribution_data(it.stages.get(stage, Distribution())) for stage in Stage},
        Metric.FREQUENCY.value: _frequency_data(it.frequency),
        Metric.FAIL_RATE.value: estimate_data(it.fail_rate),
        Metric.RECOVERY_TIME.value: distribution_data(it.recovery_time),
        Metric.REWORK_RATE.value: estimate_data(it.rework_rate),
        Metric.RESTORE_TIME.value: distribution_data(it.restore_time),
        "open_failures": it.open_failures,
        "open_incidents": it.open_incidents,
        "changes_without_start": it.changes_without_start,
        "deployments_without_changes": it.deployments_without_changes,
        "known_since": moment(it.coverage_from) if it.coverage_from else None,
        "weeks": [
            {
                "first_day": week.first.isoformat(),
                "deployments": week.deployments,
                "failed": week.failed,
                "rework": week.rework,
                "lead_time_median_seconds": number(week.lead_time_median),
                "recovery_median_seconds": number(week.recovery_median),
            }
            for week in it.weeks
        ],
    }


def estimate_data(it: Estimate) -> dict[str, Json]:
    """A number with its sample size and 95 % interval."""
    return {
        "value": number(it.value),
        "samples": it.samples,
        "lower_95": number(it.lower),
        "upper_95": number(it.upper),
    }


def distribution_data(it: Distribution) -> dict[str, Json]:
    """Quantiles and mean, in seconds."""
    return {
        "median": estimate_data(it.median),
        "quantiles": {str(share): estimate_data(each) for share, each in sorted(it.quantiles.items())},
        "mean": estimate_data(it.mean),
        "unit": _SECONDS,
    }


def csv_rows(report: Report) -> Iterator[Mapping[str, str]]:
    """A row for each number that is known. Where the time before was asked for its rows follow, by their own times."""
    for row in report.rows:
        for metrics in (row.metrics, row.before):
            if metrics is not None:
                yield from _metrics_rows(metrics)


def moment(at: datetime) -> str:
    """UTC, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def number(value: Decimal | None) -> Json:
    """As JSON has numbers; whole ones without a point."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def seconds(length: timedelta | None) -> Json:
    """A length of time."""
    return None if length is None else number(Decimal(str(length.total_seconds())))


def _frequency_data(it: Frequency) -> dict[str, Json]:
    return {
        "per_day": estimate_data(it.per_day),
        "deployments": it.deployments,
        "releases": it.releases,
        "days": it.days,
        "active_days": it.active_days,
        "median_gap_seconds": seconds(it.median_gap),
        "longest_gap_seconds": seconds(it.longest_gap),
        "burst_ratio": number(it.burst),
    }


def _placed_data(placed: Placed | None) -> Json:
    if placed is None:
        return None
    return {
        "edition": placed.edition.name,
        "overall": _placement_data(placed.overall),
        "metrics": {metric.value: _placement_data(found) for metric, found in placed.metrics.items()},
    }


def _placement_data(it: Placement | None) -> Json:
    return None if it is None else {"fit": it.fit.value, "clusters": list(it.clusters), "in_words": it.in_words()}


def _metrics_rows(it: DoraMetrics) -> Iterator[Mapping[str, str]]:
    own = {
        "service": it.scope.service,
        "team": it.scope.team,
        "environment": it.scope.environment,
        "from": moment(it.start),
        "to": moment(it.end),
    }
    for metric, part, statistic, unit, estimate in _numbers(it):
        if estimate.value is None:
            continue
        told = {"metric": metric, "part": part, "statistic": statistic, "unit": unit, "value": f"{estimate.value:f}"}
        ends = {"lower_95": _cell(estimate.lower), "upper_95": _cell(estimate.upper)}
        yield own | told | {"samples": str(estimate.samples)} | ends


def _cell(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


_Number = tuple[str, str, str, str, Estimate]


def _numbers(it: DoraMetrics) -> Iterator[_Number]:
    yield from _spread(Metric.LEAD_TIME.value, "", it.lead_time)
    for stage in Stage:
        yield from _spread(Metric.LEAD_TIME.value, stage.value, it.stages.get(stage, Distribution()))
    frequency = it.frequency
    yield Metric.FREQUENCY.value, "", "mean", "per_day", frequency.per_day
    if frequency.deployments:
        yield from _counts(frequency)
    yield Metric.FAIL_RATE.value, "", _RATIO, _RATIO, it.fail_rate
    yield from _spread(Metric.RECOVERY_TIME.value, "", it.recovery_time)
    yield Metric.REWORK_RATE.value, "", _RATIO, _RATIO, it.rework_rate
    yield from _spread(Metric.RESTORE_TIME.value, "", it.restore_time)


def _counts(it: Frequency) -> Iterator[_Number]:
    for statistic, count in (("deployments", it.deployments), ("releases", it.releases), ("days", it.active_days)):
        unit = "days" if statistic == "days" else "count"
        named = "active_days" if statistic == "days" else statistic
        yield Metric.FREQUENCY.value, "", named, unit, Estimate(Decimal(count), it.deployments)


def _spread(metric: str, part: str, it: Distribution) -> Iterator[_Number]:
    for share, estimate in sorted(it.quantiles.items()):
        yield metric, part, "median" if share == Decimal("0.5") else f"p{float(share) * 100:g}", _SECONDS, estimate
    yield metric, part, "mean", _SECONDS, it.mean
