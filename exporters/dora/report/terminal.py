"""A report for a terminal: an overview that fits 80 columns, and one scope in full."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from textwrap import wrap
from typing import Final
from zoneinfo import ZoneInfo

from controlplane import wording
from controlplane.problem_report import printable
from exporters.dora.model import Distribution, DoraMetrics, Estimate, Metric
from exporters.dora.report import numbers
from exporters.dora.report.missing import nothing_known, reasons
from exporters.dora.report.model import By, Report, Row
from exporters.dora.report.telling import (
    NAMES,
    STAGE_NAMES,
    behind_text,
    estimate_of,
    interval_text,
    overall_text,
    samples_text,
    value_text,
)

_SCREEN: Final = 80  # columns
_NAME_WIDTH: Final = 20
_WIDTH: Final = 11
_BURSTY: Final = Decimal("0.15")  # of deployments on the busiest tenth of days: that is no even spread
_FEW: Final = 5  # values: further quantiles of fewer say nothing
_TITLES: Final = {
    Metric.FREQUENCY: "DEPLOYS",
    Metric.LEAD_TIME: "LEAD TIME",
    Metric.FAIL_RATE: "FAILED",
    Metric.RECOVERY_TIME: "RECOVERY",
    Metric.REWORK_RATE: "REWORK",
}


def report_text(report: Report) -> str:
    """All of it. One scope is shown in full, several as a table with value, 95 % interval and sample size."""
    lines = [_head(report), ""]
    if not report.rows or all(row.is_empty for row in report.rows):
        lines += [nothing_known(report)]
    elif len(report.rows) == 1:
        lines += _full(report.rows[0], report)
    else:
        lines += _overview(report)
    lines += _clusters_named(report)
    if report.behind:
        lines += ["", *wrap(f"{behind_text(report.behind)} `flyball up` does that.", _SCREEN)]
    return "\n".join(lines)


def _head(report: Report) -> str:
    zone = ZoneInfo(report.time_zone)
    start, last = report.start.astimezone(zone), (report.end - timedelta(microseconds=1)).astimezone(zone)
    span = f"{start:%Y-%m-%d} to {last:%Y-%m-%d} ({numbers.counted(report.days, 'day')}, {report.time_zone})"
    return f"DORA metrics by {report.by.value}, {span}"


def _overview(report: Report) -> Iterator[str]:
    several = len(report.environments) > 1 and report.by is not By.ENVIRONMENT
    title = report.by.value.upper()
    yield title.ljust(_NAME_WIDTH) + "".join(text.rjust(_WIDTH + 1) for text in _TITLES.values())
    for row in report.rows:
        yield from _overview_row(row, with_environment=several)
    yield ""
    yield "Below each value: its 95 % interval and how many it is made of."
    if report.left_out:
        yield f"{numbers.counted(report.left_out, 'more row')}: name them with --service, --team or --environment."
    if report.edition is not None:
        yield ""
        yield f"Clusters of {report.edition.report}:"
        for row in report.rows:
            yield f"  {_name(row)}  {overall_text(row)}"


def _overview_row(row: Row, *, with_environment: bool) -> Iterator[str]:
    found = [(metric, estimate_of(row.metrics, metric)) for metric in _TITLES]
    name = _name(row)
    yield _line(name, [_short(value_text(metric, it)) for metric, it in found])
    intervals = [_bare(interval_text(metric, it)) for metric, it in found]
    second = f"  {row.metrics.scope.environment}" if with_environment else ""
    if second or any(intervals):
        yield _line(second, intervals)
    if any(it.samples for _, it in found):
        yield _line("", [f"n {it.samples:,}" if it.samples else "" for _, it in found])
    if row.before is not None:
        before = [_short(value_text(metric, estimate_of(row.before, metric))) for metric in _TITLES]
        yield _line("  before", before)


def _short(value: str) -> str:
    return value.replace(" a ", "/")


def _bare(interval: str) -> str:
    """Without the unit of a frequency, where the value has said it, and without blanks."""
    return interval.partition(" a ")[0].replace(" ", "")


def _line(name: str, cells: Sequence[str]) -> str:
    return (name.ljust(_NAME_WIDTH)[:_NAME_WIDTH] + "".join(f" {cell:>{_WIDTH}}" for cell in cells)).rstrip()


def _name(row: Row) -> str:
    text = printable(row.name)
    return (text if len(text) <= _NAME_WIDTH else f"{text[: _NAME_WIDTH - 1]}…").ljust(_NAME_WIDTH)


def _full(row: Row, report: Report) -> Iterator[str]:
    scope, metrics = row.metrics.scope, row.metrics
    where = "" if row.name == scope.environment else f", {printable(scope.environment)}"
    yield _figures(f"{printable(row.name)}{where}", "", "95 % interval", "made of")
    for metric in NAMES:
        it = estimate_of(metrics, metric)
        yield from _metric_lines(row, metric, it)
        if metric is Metric.LEAD_TIME:
            yield from _further("", metrics.lead_time)
            yield from _stages(metrics)
        if metric is Metric.RECOVERY_TIME:
            yield from _further("", metrics.recovery_time)
        if metric is Metric.FREQUENCY and it.value is not None:
            yield from _rhythm(metrics)
    told = [*_open_ends(metrics), *reasons(metrics)]
    if told:
        yield ""
    for sentence in told:
        yield from wrap(sentence, _SCREEN - 2, break_long_words=False, break_on_hyphens=False)


def _metric_lines(row: Row, metric: Metric, it: Estimate) -> Iterator[str]:
    if it.value is None:
        yield f"  {NAMES[metric]:<27} {wording.MISSING}"
        return
    yield _figures(f"  {NAMES[metric]}", value_text(metric, it), interval_text(metric, it), samples_text(metric, it))
    if row.before is not None:
        yield f"  {'':<27} {value_text(metric, estimate_of(row.before, metric))} in the time before"
    placement = row.placed.metrics.get(metric) if row.placed else None
    if row.placed and placement is not None:
        yield f"  {'':<27} {placement.in_words()}, by the report of {row.placed.edition.name}"


def _figures(name: str, value: str, interval: str, made_of: str) -> str:
    bare = interval.partition(" a ")[0]  # of a frequency, where the value has said the unit
    return f"{name:<29} {value:<13} {bare:<17} {made_of}".rstrip()


def _further(name: str, it: Distribution) -> Iterator[str]:
    if it.median.samples < _FEW:
        return
    parts = [
        f"{int(share * 100)} %: {numbers.brief(each.value)}"
        for share, each in sorted(it.quantiles.items())
        if share > Decimal("0.5") and each.value is not None
    ]
    if parts:
        yield f"  {name:<27} {', '.join(parts)}"


def _stages(metrics: DoraMetrics) -> Iterator[str]:
    for stage, named in STAGE_NAMES.items():
        found = metrics.stages.get(stage)
        if found is None or found.median.value is None:
            continue
        it = found.median
        interval, made_of = numbers.time_interval(it), samples_text(Metric.LEAD_TIME, it)
        yield _figures(f"    {named}", numbers.brief(it.value), interval, made_of)


def _rhythm(metrics: DoraMetrics) -> Iterator[str]:
    it = metrics.frequency
    releases = f", {numbers.counted(it.releases, 'release')}" if it.releases != it.deployments else ""
    told = [f"on {it.active_days:,} of {numbers.counted(it.days, 'day')}{releases}"]
    if it.longest_gap is not None:
        told.append(f"longest gap {wording.duration(it.longest_gap)}")
    if it.burst is not None and it.burst >= _BURSTY:
        told.append(f"{numbers.ratio(it.burst)} of them on the busiest tenth of days")
    yield from (f"  {'':<27} {line}" for line in told)


def _open_ends(metrics: DoraMetrics) -> Iterator[str]:
    if metrics.open_failures:
        yield f"{numbers.counted(metrics.open_failures, 'failed deployment')} nothing recovered from yet."
    if metrics.open_incidents:
        going_on = "goes" if metrics.open_incidents == 1 else "go"
        yield f"{numbers.counted(metrics.open_incidents, 'incident')} {going_on} on."


def _clusters_named(report: Report) -> Iterator[str]:
    if report.edition is None:
        return
    if len(report.rows) == 1 and not report.rows[0].is_empty:
        yield ""
        yield f"Among the clusters of {report.edition.report}, overall:"
        yield f"  {overall_text(report.rows[0])}"
    yield report.edition.url
