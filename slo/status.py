"""What Prometheus knows about all SLOs, in a number of queries that does not grow with the number of SLOs.

Everything here is read from the series that our own rules record (RULES.md); missing series stay missing (`None`).
Errors of the backend (`Transient`, `Permanent`) pass through.
"""

import json
import math
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import ledger_entries
from controlplane.model.series import Sample, Series
from controlplane.model.slo import SLO, CalendarWindow
from controlplane.ports import MetricsBackend
from slo.course import Step, course

Points = tuple[tuple[datetime, float], ...]

LEDGER_LOOKBACK: Final = "15m"  # three evaluations of the 5-minute group: one may be late, one may fail
_LEDGER_NAMES: Final = (
    names.BUDGET_REMAINING,
    names.RAW_BUDGET_REMAINING,
    names.WINDOW_COVERAGE,
    names.WINDOW_END,
    names.bad_events("1d"),
)
_ROLLING_NAMES: Final = (
    names.BUDGET_EVENTS,
    names.burn_rate("1h"),
    names.bad_events("5m"),
    names.bad_events("1h"),
    names.bad_events("6h"),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One SLO as measured at one moment; None means that Prometheus has no such series then.

    `budget_remaining`: 1 = untouched, 0 = spent, negative = overspent. `coverage`: share of the window measured.
    Events are counts (in `bad_events_1h` new events count whole); `budget_events` are the bad events that the window
    allows. `firing`: severities, `page` first. `groups`: every budget of a grouped SLO, the least left first; the
    measurement itself is then that of the first, with the severities of all. `raw_budget_remaining` is what would be
    left if nothing were excluded. `resets_in`: when the period of a calendar window ends.
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
    groups: tuple["GroupMeasured", ...] = ()
    raw_budget_remaining: float | None = None
    resets_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GroupMeasured:
    """One of the budgets of a grouped SLO: its values of the grouping labels, in their order."""

    values: tuple[str, ...]
    measured: Measurement


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


def fetch_measurements(
    metrics: MetricsBackend, now: datetime, groups: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Measurement]:
    """Every SLO that Prometheus has series of, in four instant queries.

    `groups` are the grouping labels of grouped SLOs, by name. Several series of one budget (replicas) are read as the
    worst of them.
    """
    budget_of = _budget_of(groups or {})
    ledger = metrics.query(f"last_over_time({_any_of(_LEDGER_NAMES)}[{LEDGER_LOOKBACK}])", now)
    rolling = metrics.query(_any_of(_ROLLING_NAMES), now)
    events = metrics.query(f'{names.ROLLING_EVENTS}{{{names.SLO}!="",{names.EVENT}="{names.EVENT_ALL}"}}', now)
    firing = metrics.query(f'ALERTS{{{names.SLO}!="",alertstate="firing"}}', now)
    ends = {sample.labels.get(names.SLO, ""): sample.value for sample in ledger if _is_end(sample)}
    per_budget = (sample for sample in ledger if not _is_end(sample))
    table = _by_name_and_budget([*per_budget, *rolling, *events], budget_of)
    severities = _severities(firing, budget_of)
    every = {budget for column in table.values() for budget in column} | severities.keys()
    found: dict[str, list[GroupMeasured]] = defaultdict(list)
    for slo, values in every:
        measured = _measurement(table, (slo, values), severities.get((slo, values), ()))
        if slo in ends:
            measured = replace(measured, resets_in=timedelta(seconds=ends[slo] - now.timestamp()))
        found[slo].append(GroupMeasured(values, measured))
    return {slo: _together(budgets, is_grouped=slo in (groups or {})) for slo, budgets in found.items()}


def grouping_of(slos: Iterable[SLO]) -> dict[str, tuple[str, ...]]:
    """The grouping labels of those SLOs that are grouped."""
    return {slo.name: slo.groups for slo in slos if slo.groups}


def fetch_budget_histories(
    metrics: MetricsBackend, slos: Sequence[SLO], *, now: datetime, length: timedelta, step: timedelta
) -> dict[str, Points]:
    """The budget left of these SLOs over the past `length`, in two range queries; SLOs without data are absent.

    It is computed from the ledger, so it reaches as far back as the ledger does, also where that was backfilled.
    """
    ledgers = _fetch_ledgers(metrics, slos, now=now, length=length, step=step)
    courses: dict[str, list[Points]] = defaultdict(list)
    for slo in slos:
        courses[slo.name] += [_budget(slo, ledger, now - length, step) for ledger in ledgers[slo.name].values()]
    return {name: _lowest(budgets) for name, budgets in courses.items() if budgets}


def fetch_burn_rates(
    metrics: MetricsBackend, slo: str, now: datetime, group: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Every burn rate and every count of bad events of one budget by series name, such as `slo:burn_rate:6h`.

    `group` chooses among those of a grouped SLO.
    """
    pattern = f"{names.burn_rate('.+')}|{names.bad_events('.+')}|{names.BUDGET_EVENTS}"
    selector = f"{{__name__=~{quoted(pattern)},{names.SLO}={quoted(slo)}{_chosen(group)}}}"
    samples = metrics.query(f"last_over_time({selector}[{LEDGER_LOOKBACK}])", now)
    table = _by_name_and_budget(samples, _budget_of({}))
    return {name: max(column[slo, ()]) for name, column in table.items() if (slo, ()) in column}


def fetch_history(
    metrics: MetricsBackend,
    slo: SLO,
    *,
    now: datetime,
    length: timedelta,
    step: timedelta,
    group: Mapping[str, str] | None = None,
) -> SLOHistory:
    """The past `length` of one budget in four range queries; `group` chooses among those of a grouped SLO."""
    start = now - length
    window = f"[{int(step.total_seconds())}s]"

    def over(expr: str) -> list[Series]:
        return metrics.query_range(expr, start, now, step)

    ledgers = _fetch_ledgers(metrics, [slo], now=now, length=length, step=step)[slo.name]
    ledger = ledgers.get(tuple((group or {}).get(label, "") for label in slo.groups), _NO_LEDGER)
    alerts = f'ALERTS{{{names.SLO}={quoted(slo.name)},alertstate="firing"{_chosen(group)}}}'
    firing = over(f"max by (alertname, {names.SEVERITY}) (max_over_time({alerts}{window}))")
    builds = f"{names.BUILD_INFO}{{{names.SERVICE}={quoted(slo.service)}}}"
    versions = over(f"max by (version) (max_over_time({builds}{window}))")
    return SLOHistory(
        start=start,
        end=now,
        step=step,
        budget=_budget(slo, ledger, start, step),
        sli=tuple(
            (at, 1 - ledger.bad.get(at, 0.0) / all_) for at, all_ in ledger.all.items() if at > start and all_ > 0
        ),
        firing=tuple(period for series in firing for period in _periods(series, step)),
        deployments=_deployments(versions, start + step),
    )


def quoted(text: str) -> str:
    """A PromQL string literal."""
    return json.dumps(text, ensure_ascii=False)


def _any_of(series_names: Iterable[str]) -> str:
    return f'{{__name__=~"{"|".join(series_names)}",{names.SLO}!=""}}'


@dataclass(frozen=True, slots=True)
class _Ledger:
    """Events and the number of ledger entries in each step, by its end; steps without entries are absent."""

    all: dict[datetime, float]
    bad: dict[datetime, float]
    entries: dict[datetime, float]

    def exactly(self, at: datetime) -> tuple[int, int, int]:
        """All and bad events in billionths, and entries: of integers, what is added and taken away leaves nothing."""
        return round(self.all.get(at, 0) * 1e9), round(self.bad.get(at, 0) * 1e9), round(self.entries[at])


_NO_LEDGER: Final = _Ledger({}, {}, {})


Budget = tuple[str, tuple[str, ...]]  # the name of an SLO, and its values of the grouping labels


def _budget_of(groups: Mapping[str, Sequence[str]]) -> Callable[[Mapping[str, str]], Budget]:
    """Which budget a series tells of, by its labels."""

    def budget_of(labels: Mapping[str, str]) -> Budget:
        slo = labels.get(names.SLO, "")
        return slo, tuple(labels.get(label, "") for label in groups.get(slo, ()))

    return budget_of


def _chosen(group: Mapping[str, str] | None) -> str:
    return "".join(f",{label}={quoted(value)}" for label, value in (group or {}).items())


def _together(budgets: list[GroupMeasured], *, is_grouped: bool) -> Measurement:
    """What is shown of an SLO: its measurement, or that of its worst group."""
    if not is_grouped:
        return budgets[0].measured
    known = [each for each in budgets if any(each.values)] or budgets  # an alert may tell of no group: all are gone
    left = {each.values: each.measured.budget_remaining for each in known}
    ordered = sorted(known, key=lambda each: (left[each.values] is None, left[each.values] or 0.0, each.values))
    firing = tuple(sorted({severity for each in budgets for severity in each.measured.firing}))
    return replace(ordered[0].measured, firing=firing, groups=tuple(ordered))


def _lowest(budgets: Sequence[Points]) -> Points:
    """The least that is left of any of them, at each moment."""
    lowest: dict[datetime, float] = {}
    for at, value in (point for points in budgets for point in points):
        lowest[at] = min(value, lowest.get(at, value))
    return tuple(sorted(lowest.items()))


def _fetch_ledgers(
    metrics: MetricsBackend, slos: Sequence[SLO], *, now: datetime, length: timedelta, step: timedelta
) -> dict[str, dict[tuple[str, ...], _Ledger]]:
    """The ledgers of `length` and of the window before it, by SLO and group. Of replicas the fuller counts."""
    found: dict[str, dict[tuple[str, ...], _Ledger]] = {slo.name: {} for slo in slos}
    if not slos:
        return found
    reach = length + max(slo.window.length for slo in slos)
    start = now - step * math.ceil(reach / step)
    chosen = f"{names.SLO}=~{quoted('|'.join(re.escape(slo.name) for slo in slos))}"
    within = f"[{int(step.total_seconds() * 1000) - 1}ms]"  # the boundary belongs to one step only
    kept = ", ".join(dict.fromkeys((names.SLO, *(label for slo in slos for label in slo.groups))))
    summed = f"sum_over_time({names.LEDGER_EVENTS}{{{chosen}}}{within})"
    sums = metrics.query_range(f"max by ({kept}, {names.EVENT}) ({summed})", start, now, step)
    every = f'{names.LEDGER_EVENTS}{{{chosen},{names.EVENT}="{names.EVENT_ALL}"}}'
    counts = metrics.query_range(f"max by ({kept}) (count_over_time({every}{within}))", start, now, step)
    budget_of = _budget_of(grouping_of(slos))
    events = {(budget_of(it.labels), it.labels.get(names.EVENT)): dict(_finite(it.points)) for it in sums}
    for series in counts:
        slo, values = budget = budget_of(series.labels)
        if slo in found:
            all_, bad = (events.get((budget, event), {}) for event in (names.EVENT_ALL, names.EVENT_BAD))
            found[slo][values] = _Ledger(all_, bad, dict(series.points))
    return found


def _budget(slo: SLO, ledger: _Ledger, start: datetime, step: timedelta) -> Points:
    """The budget left at the end of each step that has entries, computed in events as the rules do."""
    if isinstance(slo.window, CalendarWindow):
        entries_at = sorted(ledger.entries.items())
        taken = (Step(at, ledger.all.get(at, 0.0), ledger.bad.get(at, 0.0), count) for at, count in entries_at)
        return tuple(point for point in course(slo.window, taken, float(slo.budget_ratio)) if point[0] >= start)
    steps, full, ratio = slo.window.length // step, ledger_entries(slo.window.length), float(slo.budget_ratio)
    points: list[tuple[datetime, float]] = []
    window: deque[datetime] = deque()
    all_ = bad = entries = 0
    for at in sorted(ledger.entries):
        window.append(at)
        all_, bad, entries = (sum_ + more for sum_, more in zip((all_, bad, entries), ledger.exactly(at), strict=True))
        while window[0] <= at - steps * step:
            gone = ledger.exactly(window.popleft())
            all_, bad, entries = (sum_ - less for sum_, less in zip((all_, bad, entries), gone, strict=True))
        if at >= start and all_ > 0:
            points.append((at, 1 - bad * min(entries / full, 1) / (ratio * all_)))
    return tuple(points)


Table = Mapping[str, Mapping[Budget, list[float]]]


def _by_name_and_budget(samples: Iterable[Sample], budget_of: Callable[[Mapping[str, str]], Budget]) -> Table:
    table: dict[str, dict[Budget, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        if math.isfinite(sample.value):
            table[sample.labels.get("__name__", "")][budget_of(sample.labels)].append(sample.value)
    return table


def _measurement(table: Table, budget: Budget, firing: tuple[str, ...]) -> Measurement:
    def one(name: str, worst: Callable[[list[float]], float] = max) -> float | None:
        values = table.get(name, {}).get(budget)
        return worst(values) if values else None

    # A new event is a fifth of itself in the hour's count until it is five minutes old (docs/reference/rules.md).
    last_hour = [count for count in (one(names.bad_events("5m")), one(names.bad_events("1h"))) if count is not None]
    return Measurement(
        budget_remaining=one(names.BUDGET_REMAINING, min),
        raw_budget_remaining=one(names.RAW_BUDGET_REMAINING, min),
        coverage=one(names.WINDOW_COVERAGE, min),
        burn_rate_1h=one(names.burn_rate("1h")),
        bad_events_1h=max(last_hour, default=None),
        bad_events_6h=one(names.bad_events("6h")),
        bad_events_1d=one(names.bad_events("1d")),
        budget_events=one(names.BUDGET_EVENTS, min),
        events_5m=one(names.ROLLING_EVENTS),
        firing=firing,
    )


def _is_end(sample: Sample) -> bool:
    return sample.labels.get("__name__") == names.WINDOW_END and math.isfinite(sample.value)


def _severities(
    firing: Iterable[Sample], budget_of: Callable[[Mapping[str, str]], Budget]
) -> dict[Budget, tuple[str, ...]]:
    found: dict[Budget, set[str]] = defaultdict(set)
    for sample in firing:
        found[budget_of(sample.labels)].add(sample.labels.get(names.SEVERITY, ""))
    return {budget: tuple(sorted(severities)) for budget, severities in found.items()}


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
