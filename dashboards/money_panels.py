"""The panels of one budget of money, each a function of its scope.

A series that is missing stays missing: Grafana shows "no data" then, never a zero.
"""

import re
from collections.abc import Sequence
from typing import Final

from grafanalib import core

from controlplane import burn_rate
from controlplane import conventions as names
from dashboards import palette, panels
from dashboards.grafana_json import PrometheusTarget
from dashboards.money_scope import OUR_ALERTS, MoneyScope
from dashboards.promql_text import quoted

_SECONDS: Final = 300  # rolling series hold the money of 5 minutes
_SHARE_STEPS: Final = (
    core.Threshold("text", 0, 0.0),
    core.Threshold(palette.LOW, 1, 0.8),
    core.Threshold(palette.SPENT, 2, 1.0),
)
_SEVERITY_COLOURS: Final = {names.SEVERITY_PAGE: palette.SPENT, names.SEVERITY_TICKET: palette.LOW}


def _forecast(scope: MoneyScope, bound: str) -> str:
    bounded = f'{names.FORECAST_BOUND}="{bound}"'
    return f"max by ({names.BUDGET}) ({scope.series(names.BUDGET_FORECAST, bounded)})"


def amount(scope: MoneyScope) -> str:
    """PromQL: what may be spent in the window."""
    return scope.latest(names.BUDGET_AMOUNT)


def spent(scope: MoneyScope) -> str:
    """PromQL: what was spent in the window so far."""
    return scope.latest(names.BUDGET_SPENT)


def figures(scope: MoneyScope) -> tuple[core.Stat, ...]:
    """The answer at the top: spent, left, pace, forecast, when it is gone."""
    share, pace = scope.latest(names.BUDGET_SPENT_RATIO), scope.latest(names.BUDGET_PACE_RATIO)
    hourly = f"avg_over_time({scope.series(names.BUDGET_ROLLING)}[1h]) / {_SECONDS}"
    rest = f"clamp_min({amount(scope)} - {spent(scope)}, 0)"
    gone_in = f"{rest} / (max by ({names.BUDGET}) ({hourly}) > 0)"
    return (
        panels.stat("Amount", "What may be spent in the window.", amount(scope), scope.unit),
        panels.stat("Spent", f"What was spent in {scope.in_words} so far.", spent(scope), scope.unit),
        panels.stat("Spent share", "The same as a share of the amount: amber from 80 %, vermilion when it is gone.",
                    share, "percentunit", thresholds=list(_SHARE_STEPS)),
        panels.stat("Pace", "The share that should have been spent by now.", pace, "percentunit"),
        panels.stat("Forecast", "What the window will have cost at its end: the middle of the forecast.",
                    _forecast(scope, "middle"), scope.unit),
        panels.stat("Gone in", "How long the rest of the budget lasts at the spending of the last hour, should the "
                    "window not end before.", f"clamp_max({gone_in}, {panels.A_YEAR_SECONDS})", "s"),
        panels.stat("Window measured", "Share of the window so far for which there are measurements. Gaps count as "
                    "no spending.", scope.latest(names.BUDGET_COVERAGE), "percentunit",
                    thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0), core.Threshold("text", 1, 0.98)]),
        panels.stat("Firing now", "How many alerts of this budget fire now.",
                    f"count({scope.series('ALERTS', OUR_ALERTS, panels.FIRING)}) or vector(0)", "none",
                    thresholds=list(panels.ALARM)),
    )  # fmt: skip


def bars(scope: MoneyScope) -> core.BarGauge:
    """What is left against what should be left by now, as bars of the same length."""
    left, pace = (f"1 - {scope.latest(it)}" for it in (names.BUDGET_SPENT_RATIO, names.BUDGET_PACE_RATIO))
    return core.BarGauge(
        title="Budget bar",
        description="What is left of the budget, over what would be left at the expected pace.",
        targets=[panels.instant(left, "Left"), panels.instant(pace, "Left at pace", ref="B")],
        format="percentunit", min=0, max=1, calc="lastNotNull", displayMode="basic",
        thresholds=list(panels.BUDGET_STEPS),
        extraJson={"fieldConfig": {"overrides": [panels.coloured("Left at pace", palette.UNKNOWN)]}},
    )  # fmt: skip


def course(scope: MoneyScope) -> core.TimeSeries:
    """Spent so far against the pace, the amount, and the forecast of the window's end with its interval."""
    pace = f"{scope.latest(names.BUDGET_PACE_RATIO)} * {amount(scope)}"
    lines = {
        "forecast low": _forecast(scope, "low"),
        "forecast high": _forecast(scope, "high"),
        "forecast": _forecast(scope, "middle"),
        "amount": amount(scope),
        "pace": pace,
        "spent": spent(scope),
    }
    band = panels.coloured("forecast high", palette.UNKNOWN, fill=15)
    band["properties"] += [
        {"id": "custom.fillBelowTo", "value": "forecast low"},
        {"id": "custom.lineWidth", "value": 0},
    ]
    edge = panels.coloured("forecast low", palette.UNKNOWN)
    edge["properties"].append({"id": "custom.lineWidth", "value": 0})
    return panels.chart(
        "Spent, pace and forecast",
        f"In {scope.money}: what was spent, what the pace expects by then, and what the window was forecast to have "
        "cost at its end (band: 8 of 10 windows end in it).",
        _lettered(lines), scope.unit, axisSoftMin=0, timeFrom=scope.length,
        overrides=[band, edge, panels.coloured("forecast", palette.UNKNOWN, dashed=True),
                   panels.coloured("amount", palette.SPENT, dashed=True),
                   panels.coloured("pace", palette.ON_PURPOSE, dashed=True),
                   panels.coloured("spent", palette.HEALTHY, fill=15)],
    )  # fmt: skip


def burn_rates(scope: MoneyScope, severity: str) -> core.TimeSeries:
    """How much faster than planned money goes, over the windows that a page (or a ticket) looks at."""
    lines = scope.burn_lines(severity)
    rates = {f"{window} window": _peak(scope, window) for window in scope.burn_windows(severity)}
    thresholds = {
        f"{severity} above {burn_rate.number(line.factor)}× ({line.window})":
            f"vector({burn_rate.number(line.factor)})"
        for line in lines
    }  # fmt: skip
    return panels.chart(
        f"Spend burn rate: {severity}s",
        "Spend ÷ what the pace expects of the same time; at 1 the budget lasts exactly its window. A "
        f"{severity} needs a burn rate above its dashed line and enough of the budget spent.",
        _lettered(rates | thresholds), "suffix:×", axisSoftMin=0,
        overrides=[
            *[panels.coloured(name, shade) for name, shade in zip(rates, palette.LINES, strict=False)],
            *[panels.coloured(name, _SEVERITY_COLOURS[severity], dashed=True) for name in thresholds],
        ],
    )  # fmt: skip


def _peak(scope: MoneyScope, window: str) -> str:
    """The highest burn rate in each step, so that zooming out hides no spike."""
    return f"max by ({names.BUDGET}) (max_over_time({scope.series(names.budget_burn_rate(window))}[$__interval]))"


def hourly(scope: MoneyScope) -> core.TimeSeries:
    """What an hour costs against what it should."""
    expected = f"max by ({names.BUDGET}) ({scope.series(names.BUDGET_EXPECTED)}) * 12"
    actual = f"max by ({names.BUDGET}) ({scope.series(names.BUDGET_ROLLING)}) * 12"
    return panels.chart(
        "Spending an hour against the pace",
        f"In {scope.money} an hour, over the last 5 minutes; dashed: what the pace expects.",
        [panels.ranged(actual, "spent"), panels.ranged(expected, "expected", ref="B")], scope.unit, axisSoftMin=0,
        overrides=[panels.coloured("spent", palette.HEALTHY, fill=15),
                   panels.coloured("expected", palette.ON_PURPOSE, dashed=True)],
    )  # fmt: skip


def spend_by(scope: MoneyScope, label: str, title: str) -> core.TimeSeries:
    """Where the money goes, stacked, by one label of the spend series."""
    return panels.chart(
        title,
        f"In {scope.money} an hour, over the last 5 minutes, by {label}; the largest twelve at each time.",
        [panels.ranged(f"topk(12, {scope.hourly_spend(label)})", f"{{{{{label}}}}}")], scope.unit,
        colorMode="palette-classic", axisSoftMin=0, valueMin=0, fillOpacity=30, lineWidth=1,
        stacking={"group": "A", "mode": "normal"},
    )  # fmt: skip


def forecast_quality(scope: MoneyScope) -> core.TimeSeries:
    """How sure the forecast has been."""
    error, coverage = (
        f"max by ({names.BUDGET}) ({scope.series(it)})"
        for it in (names.BUDGET_FORECAST_ERROR, names.BUDGET_FORECAST_COVERAGE)
    )
    return panels.chart(
        "How good forecasts were",
        "Mean error of past forecasts as a share of what came, and the share of windows that ended in the interval "
        "(it promises 80 %).",
        [panels.ranged(error, "mean error"), panels.ranged(coverage, "in the interval", ref="B"),
         panels.ranged("vector(0.8)", "promised", ref="C")],
        "percentunit", axisSoftMin=0, axisSoftMax=1,
        overrides=[panels.coloured("mean error", palette.ON_PURPOSE),
                   panels.coloured("in the interval", palette.HEALTHY),
                   panels.coloured("promised", palette.UNKNOWN, dashed=True)],
    )  # fmt: skip


def alert_table(scope: MoneyScope) -> core.Table:
    """What fires now and since when; one row says so when nothing does."""
    which = f"alertname, {names.SEVERITY}"
    since = f"1000 * max by ({which}) ({scope.series('ALERTS_FOR_STATE', OUR_ALERTS)})"
    now = f"max by ({which}) ({scope.series('ALERTS', OUR_ALERTS, panels.FIRING)})"
    nothing = f'label_replace(label_replace(vector(0), "alertname", "none", "", ""), "{names.SEVERITY}", "-", "", "")'
    return core.Table(
        title="Firing alerts",
        description="Alerts of this budget that fire now, with the time since when their condition holds.",
        targets=[panels.instant(f"({since} and {now}) or on () {nothing}", "Since", table=True)],
        unit="dateTimeFromNow",
        mappings=[panels.worded({"0": "nothing fires"})],
        transformations=[{"id": "organize", "options": {
            "excludeByName": {"Time": True}, "includeByName": {},
            "indexByName": {"alertname": 0, names.SEVERITY: 1, "Value": 2},
            "renameByName": {"alertname": "Alert", names.SEVERITY: "Severity", "Value": "Since"},
        }}],
    )  # fmt: skip


def _lettered(named: dict[str, str]) -> list[PrometheusTarget]:
    """A target each, with references A, B, C, …"""
    return [panels.ranged(expr, name, ref=chr(ord("A") + at)) for at, (name, expr) in enumerate(named.items())]


def of_services(services: Sequence[str]) -> tuple[str, ...]:
    """A matcher of these services; none for all of them, when empty."""
    return (f"{names.SERVICE}=~{quoted('|'.join(map(re.escape, services)))}",) if services else ()


def new_versions(services: Sequence[str]) -> str:
    """Versions of these services (of all when empty) that run and did not in the hour before."""
    running = f"{names.BUILD_INFO}{{{','.join(of_services(services))}}}"
    by = f"{names.SERVICE}, version"
    return f"(count by ({by}) ({running}) unless on ({by}) count_over_time({running}[1h] offset 15m))"
