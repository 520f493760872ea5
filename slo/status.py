"""What Prometheus knows about all SLOs, in a number of queries that does not grow with the number of SLOs.

Everything here is read from the series that our own rules record (RULES.md); missing series stay missing (`None`).
Errors of the backend (`Transient`, `Permanent`) pass through.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Sample, Series
from controlplane.model.slo import SLO
from controlplane.ports import MetricsBackend

Points = tuple[tuple[datetime, float], ...]

LEDGER_LOOKBACK: Final = "15m"  # three evaluations of the 5-minute group: one may be late, one may fail
_LEDGER_NAMES: Final = (names.BUDGET_REMAINING, names.WINDOW_COVERAGE, names.bad_events("1d"))
_ROLLING_NAMES: Final = (
    names.BUDGET_EVENTS,
    names.burn_rate("1h"),
    names.bad_events("1h"),
    names.bad_events("6h"),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One SLO as measured at one moment; None means that Prometheus has no such series then.

    `budget_remaining`: 1 = untouched, 0 = spent, negative = overspent. `coverage`: share of the window measured.
    Events are counts; `budget_events` are the bad events that the window allows. `firing`: severities, `page` first.
    """

    budget_remaining: float | None = None
    coverage: float | None = None
    burn_rate_1h: float | None = None
    bad_events_1h: float | None = None
    bad_events_6h: float | None = None
    bad_events_1d: float | None = None
    budget_events: float | None = None
    events_5m: float | None = None
    firing: tuple[str, ...] = ()


NOT_MEASURED: Final = Measurement()


@dataclass(frozen=True, slots=True)
class FiringPeriod:
    """A time during which an alert of an SLO fired, as exact as the step of the chart."""

    alert: str
    severity: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version that was first seen then."""

    version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SLOHistory:
    """The past of one SLO. `sli` is the share of good events in each step, `budget` the budget left at its end."""

    start: datetime
    end: datetime
    step: timedelta
    budget: Points = ()
    sli: Points = ()
    firing: tuple[FiringPeriod, ...] = ()
    deployments: tuple[Deployment, ...] = ()


def fetch_measurements(metrics: MetricsBackend, now: datetime) -> dict[str, Measurement]:
    """Every SLO that Prometheus has series of, in four instant queries.

    Several series of one SLO (replicas, groups) are read as the worst of them.
    """
    ledger = metrics.query(f"last_over_time({_any_of(_LEDGER_NAMES)}[{LEDGER_LOOKBACK}])", now)
    rolling = metrics.query(_any_of(_ROLLING_NAMES), now)
    events = metrics.query(f'{names.ROLLING_EVENTS}{{{names.SLO}!="",{names.EVENT}="{names.EVENT_ALL}"}}', now)
    firing = metrics.query(f'ALERTS{{{names.SLO}!="",alertstate="firing"}}', now)
    table = _by_name_and_slo([*ledger, *rolling, *events])
    severities = _severities(firing)
    every = {slo for column in table.values() for slo in column} | severities.keys()
    return {slo: _measurement(table, slo, severities.get(slo, ())) for slo in every}


def fetch_budget_histories(
    metrics: MetricsBackend, slos: Sequence[str], *, now: datetime, length: timedelta, step: timedelta
) -> dict[str, Points]:
    """The budget left of the named SLOs over the past `length`, in one range query; SLOs without data are absent."""
    if not slos:
        return {}
    selector = f"{names.BUDGET_REMAINING}{{{names.SLO}=~{quoted('|'.join(map(re.escape, slos)))}}}"
    expr = f"min by ({names.SLO}) (last_over_time({selector}[{LEDGER_LOOKBACK}]))"
    found = metrics.query_range(expr, now - length, now, step)
    return {series.labels.get(names.SLO, ""): _finite(series.points) for series in found}


def fetch_burn_rates(metrics: MetricsBackend, slo: str, now: datetime) -> dict[str, float]:
    """Every burn rate and every count of bad events of one SLO by series name, such as `slo:burn_rate:6h`."""
    pattern = f"{names.burn_rate('.+')}|{names.bad_events('.+')}|{names.BUDGET_EVENTS}"
    selector = f"{{__name__=~{quoted(pattern)},{names.SLO}={quoted(slo)}}}"
    table = _by_name_and_slo(metrics.query(f"last_over_time({selector}[{LEDGER_LOOKBACK}])", now))
    return {name: max(column[slo]) for name, column in table.items() if slo in column}


def fetch_history(
    metrics: MetricsBackend, slo: SLO, *, now: datetime, length: timedelta, step: timedelta
) -> SLOHistory:
    """The past `length` of one SLO in four range queries."""
    start = now - length
    window = f"[{int(step.total_seconds())}s]"

    def over(expr: str) -> list[Series]:
        return metrics.query_range(expr, start, now, step)

    budget = fetch_budget_histories(metrics, [slo.name], now=now, length=length, step=step)
    sli = over(f"1 - {_ledger(slo, names.EVENT_BAD, window)} / ({_ledger(slo, names.EVENT_ALL, window)} > 0)")
    alerts = f'ALERTS{{{names.SLO}={quoted(slo.name)},alertstate="firing"}}'
    firing = over(f"max by (alertname, {names.SEVERITY}) (max_over_time({alerts}{window}))")
    builds = f"{names.BUILD_INFO}{{{names.SERVICE}={quoted(slo.service)}}}"
    versions = over(f"max by (version) (max_over_time({builds}{window}))")
    return SLOHistory(
        start=start,
        end=now,
        step=step,
        budget=budget.get(slo.name, ()),
        sli=_finite(sli[0].points) if sli else (),
        firing=tuple(period for series in firing for period in _periods(series, step)),
        deployments=_deployments(versions, start + step),
    )


def quoted(text: str) -> str:
    """A PromQL string literal."""
    return json.dumps(text, ensure_ascii=False)


def _any_of(series_names: Iterable[str]) -> str:
    return f'{{__name__=~"{"|".join(series_names)}",{names.SLO}!=""}}'


def _ledger(slo: SLO, event: str, window: str) -> str:
    selector = f"{names.LEDGER_EVENTS}{{{names.SLO}={quoted(slo.name)},{names.EVENT}={quoted(event)}}}"
    return f"sum(sum_over_time({selector}{window}))"


Table = Mapping[str, Mapping[str, list[float]]]


def _by_name_and_slo(samples: Iterable[Sample]) -> Table:
    table: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        if math.isfinite(sample.value):
            table[sample.labels.get("__name__", "")][sample.labels.get(names.SLO, "")].append(sample.value)
    return table


def _measurement(table: Table, slo: str, firing: tuple[str, ...]) -> Measurement:
    def one(name: str, worst: Callable[[list[float]], float] = max) -> float | None:
        values = table.get(name, {}).get(slo)
        return worst(values) if values else None

    return Measurement(
        budget_remaining=one(names.BUDGET_REMAINING, min),
        coverage=one(names.WINDOW_COVERAGE, min),
        burn_rate_1h=one(names.burn_rate("1h")),
        bad_events_1h=one(names.bad_events("1h")),
        bad_events_6h=one(names.bad_events("6h")),
        bad_events_1d=one(names.bad_events("1d")),
        budget_events=one(names.BUDGET_EVENTS, min),
        events_5m=one(names.ROLLING_EVENTS),
        firing=firing,
    )


def _severities(firing: Iterable[Sample]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for sample in firing:
        found[sample.labels.get(names.SLO, "")].add(sample.labels.get(names.SEVERITY, ""))
    return {slo: tuple(sorted(severities)) for slo, severities in found.items()}


def _finite(points: Points) -> Points:
    return tuple(point for point in points if math.isfinite(point[1]))


def _periods(series: Series, step: timedelta) -> list[FiringPeriod]:
    """Runs of points; each point speaks for the step before it."""
    alert, severity = series.labels.get("alertname", ""), series.labels.get(names.SEVERITY, "")
    periods: list[FiringPeriod] = []
    for at, _ in series.points:
        if periods and at - step <= periods[-1].end:
            periods[-1] = FiringPeriod(alert, severity, periods[-1].start, at)
        else:
            periods.append(FiringPeriod(alert, severity, at - step, at))
    return periods


def _deployments(versions: Iterable[Series], since: datetime) -> tuple[Deployment, ...]:
    """Versions whose first point comes after `since`: what ran before then was deployed before the chart begins."""
    first = ((series.points[0][0], series.labels.get("version", "")) for series in versions if series.points)
    return tuple(Deployment(version, at) for at, version in sorted(first) if at > since)
