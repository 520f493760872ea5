"""The past of one budget and of one unit cost, as Prometheus has it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.budget import Budget
from controlplane.ports import MetricsBackend
from flyball.web.money_status import Points, finite, steps
from slo.status import quoted

MOST_STEPS: Final = 360  # of a chart: about one for each two pixels of a phone
MOST_PARTS: Final = 12  # of a unit cost
_RECENT_STEP: Final = timedelta(minutes=10)
_DAY: Final = timedelta(days=1)
_LATE_SECONDS: Final = 900  # written every 5 minutes: one evaluation may be late, one may fail
_WINDOWS: Final = ("1h", "6h", "1d")  # of burn rates that are drawn
_ANY_WINDOW: Final = f"({'|'.join(_WINDOWS)})"


@dataclass(frozen=True, slots=True)
class Fired:
    """A time during which an alert fired, as exact as the step of the chart."""

    alert: str
    severity: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class BudgetHistory:
    """The course of one budget: `spent` in its currency, `pace` as shares of its amount, burn rates of the last day.

    `versions` are those first seen in this time: service, version and when.
    """

    start: datetime
    now: datetime
    step: timedelta
    spent: Points = ()
    pace: Points = ()
    burn: tuple[tuple[str, Points], ...] = ()
    fired: tuple[Fired, ...] = ()
    versions: tuple[tuple[str, str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class UnitCostHistory:
    """The course of one unit cost: a line for each part, dearest at the end first; `left_out` counts the rest."""

    start: datetime
    now: datetime
    step: timedelta
    parts: tuple[tuple[tuple[tuple[str, str], ...], Points], ...] = ()
    left_out: int = 0


def fetch_budget_history(
    metrics: MetricsBackend, budget: Budget, *, start: datetime, now: datetime
) -> BudgetHistory:  # fmt: skip
    """The course since `start`, in five range queries of at most `MOST_STEPS` steps."""
    step = steps(now - start, MOST_STEPS)
    first = now - step * ((now - start) // step)
    own = f"{names.BUDGET}={quoted(budget.name)}"
    lookback = f"[{max(int(step.total_seconds()), _LATE_SECONDS)}s]"

    def course(metric: str) -> Points:
        expr = f"max by ({names.BUDGET}) (last_over_time({metric}{{{own}}}{lookback}))"
        found = metrics.query_range(expr, first, now, step)
        return finite(found[0].points) if found else ()

    drawn = f'{{__name__=~"{names.budget_burn_rate(_ANY_WINDOW)}",{own}}}'
    burn = metrics.query_range(f"max by (__name__) ({drawn})", now - _DAY, now, _RECENT_STEP)
    fired = metrics.query_range(f'ALERTS{{{own},alertstate="firing"}}', first, now, step)
    versions = metrics.query_range(_versions(budget), first, now, step)
    courses = {_window(it.labels): finite(it.points) for it in burn}
    return BudgetHistory(
        start=start,
        now=now,
        step=step,
        spent=course(names.BUDGET_SPENT),
        pace=course(names.BUDGET_PACE_RATIO),
        burn=tuple((window, courses[window]) for window in _WINDOWS if window in courses),
        fired=tuple(
            period
            for it in fired
            for period in _periods(it.labels.get("alertname", ""), it.labels.get(names.SEVERITY, ""), it.points, step)
        ),
        versions=tuple(
            (it.labels.get(names.SERVICE, ""), it.labels.get("version", ""), it.points[0][0])
            for it in versions
            if it.points and it.points[0][0] > first
        ),
    )


def fetch_unit_cost_history(
    metrics: MetricsBackend, name: str, currency: str, *, now: datetime, length: timedelta
) -> UnitCostHistory:
    """The course of the dearest parts, in one range query."""
    step = steps(length, MOST_STEPS)
    own = f"{names.UNIT_COST}={quoted(name)},{names.CURRENCY}={quoted(currency)}"
    found = metrics.query_range(f"last_over_time({names.UNIT_COST_RATIO}{{{own}}}[15m])", now - length, now, step)
    hidden = {"__name__", names.UNIT_COST, names.CURRENCY}
    parts = [
        (tuple(sorted((key, value) for key, value in it.labels.items() if key not in hidden and value)), points)
        for it in found
        if (points := finite(it.points))
    ]
    parts.sort(key=lambda part: (-part[1][-1][1], part[0]))
    return UnitCostHistory(now - length, now, step, tuple(parts[:MOST_PARTS]), max(len(parts) - MOST_PARTS, 0))


def _window(labels: Mapping[str, str]) -> str:
    return labels.get("__name__", "").removeprefix(names.budget_burn_rate(""))


def _versions(budget: Budget) -> str:
    services = dict(budget.scope).get(names.SERVICE, ())
    chosen = f"{{{names.SERVICE}=~{quoted('|'.join(map(re.escape, services)))}}}" if services else ""
    return f"count by ({names.SERVICE}, version) ({names.BUILD_INFO}{chosen})"


def _periods(alert: str, severity: str, points: Points, step: timedelta) -> list[Fired]:
    """Runs of points; each speaks for the step before it."""
    periods: list[Fired] = []
    for at, _ in points:
        if periods and at - step <= periods[-1].end:
            periods[-1] = Fired(alert, severity, periods[-1].start, at)
        else:
            periods.append(Fired(alert, severity, at - step, at))
    return periods
