"""The panels about deliveries: the five DORA metrics, what stands behind them, and what deployments did.

A metric without data has no series: Grafana shows "no data" then, never a zero.
"""

from typing import Final

from grafanalib import core

from controlplane import conventions as names
from controlplane import delivery_names as ours
from dashboards import palette, panels

_PICKED: Final = f'{ours.ENVIRONMENT}="$environment",{names.SERVICE}=~"$service"'
_WINDOW: Final = f'{ours.WINDOW}="$window"'
_BY: Final = names.SERVICE
_SHOWN: Final = 10


def _gauge(metric: str, *matchers: str) -> str:
    chosen = ",".join((_PICKED, _WINDOW, *matchers))
    return f"max by ({_BY}) ({metric}{{{chosen}}})"


def _median(metric: str) -> str:
    return _gauge(metric, f'{ours.QUANTILE}="0.5"')


def figures() -> tuple[core.Stat, ...]:
    """The five, of what the reader picked; several services by name."""
    return (
        panels.stat("Change lead time", "Median: first commit of a change → in the environment.",
                    _median(ours.LEAD_TIME_QUANTILE), "s"),
        panels.stat("Deployments a day", "Mean over all days of the window.", _gauge(ours.DEPLOYMENTS_PER_DAY), "none",
                    decimals=2),
        panels.stat("Recovery time", "Median: how long failed deployments took to be mended.",
                    _median(ours.RECOVERY_QUANTILE), "s"),
        panels.stat("Change fail rate", "Share of deployments that failed.", _gauge(ours.CHANGE_FAIL_RATIO),
                    "percentunit"),
        panels.stat("Rework rate", "Share of deployments that only mended what another one broke.",
                    _gauge(ours.REWORK_RATIO), "percentunit"),
    )  # fmt: skip


def lead_time() -> core.TimeSeries:
    """Lead time over time."""
    return panels.chart(
        "Change lead time, median", "First commit of a change → in the environment, over the window.",
        [panels.ranged(_median(ours.LEAD_TIME_QUANTILE), "{{service}}")],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def stages() -> core.TimeSeries:
    """Where the time goes."""
    chosen = ",".join((_PICKED, _WINDOW))
    return panels.chart(
        "Where lead time goes, medians", "Coding → review → deploy; medians do not add up.",
        [panels.ranged(f"max by ({_BY}, {ours.STAGE}) ({ours.STAGE_MEDIAN}{{{chosen}}})", "{{service}} {{stage}}")],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def deployments() -> core.TimeSeries:
    """Deployments as they were counted."""
    return panels.chart(
        "Deployments in an hour", "Finished ones, rollbacks included.",
        [panels.ranged(f"sum by ({_BY}) (increase({ours.DEPLOYMENTS}{{{_PICKED}}}[1h]))", "{{service}}")],
        "none", colorMode="palette-classic", axisSoftMin=0, drawStyle="bars", fillOpacity=40,
    )  # fmt: skip


def failures() -> core.TimeSeries:
    """What failed, and what was rework."""
    failed = f"max by ({_BY}) ({ours.CHANGE_FAIL_RATIO}{{{_PICKED},{_WINDOW}}})"
    rework = f"max by ({_BY}) ({ours.REWORK_RATIO}{{{_PICKED},{_WINDOW}}})"
    return panels.chart(
        "Failed and rework", "Shares of deployments over the window.",
        [panels.ranged(failed, "{{service}} failed"), panels.ranged(rework, "{{service}} rework", ref="B")],
        "percentunit", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def lead_times() -> core.TimeSeries:
    """The histogram, with examples."""
    by = f"sum by (le) (increase({ours.LEAD_TIME}_bucket{{{_PICKED}}}[1d]))"
    return panels.chart(
        "Lead time of what arrived in a day", "Half and nine tenths of changes were faster; a dot is a deployment.",
        [panels.ranged(f"histogram_quantile(0.5, {by})", "median", exemplar=True),
         panels.ranged(f"histogram_quantile(0.9, {by})", "p90", ref="B")],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def restore() -> core.TimeSeries:
    """Recovery beside MTTR."""
    return panels.chart(
        "Recovery of failed deployments, and of all incidents", "Median of the former, mean of the latter (MTTR).",
        [panels.ranged(_median(ours.RECOVERY_QUANTILE), "{{service}} failed deployments"),
         panels.ranged(_gauge(ours.RESTORE_MEAN), "{{service}} all incidents", ref="B")],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def effects() -> core.BarGauge:
    """Which deployments cost most of an error budget."""
    worst = f"topk({_SHOWN}, max by ({_BY}, version, {names.SLO}) ({ours.EFFECT_BUDGET}{{{_PICKED}}}) > 0)"
    return core.BarGauge(
        title="Error budget that deployments cost",
        description="Of the last 7 days, the costliest first. Those without a measurable effect are left out.",
        targets=[panels.instant(worst, "{{service}} {{version}} · {{slo}}")],
        format="percentunit", calc="lastNotNull", displayMode="basic",
        thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0), core.Threshold(palette.SPENT, 1, 0.01)],
        extraJson={"fieldConfig": {"overrides": []}},
    )  # fmt: skip


def unit_costs() -> core.BarGauge:
    """Which deployments made work dearer."""
    by = f"{_BY}, version, {names.UNIT_COST}"
    worst = f"topk({_SHOWN}, max by ({by}) ({ours.EFFECT_UNIT_COST}{{{_PICKED}}}) > 0)"
    return core.BarGauge(
        title="Unit costs after deployments",
        description="Of the last 7 days: how much dearer a unit is than was expected. Only what is measurable.",
        targets=[panels.instant(worst, "{{service}} {{version}} · {{unit_cost}}")],
        format="percentunit", calc="lastNotNull", displayMode="basic",
        thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0), core.Threshold(palette.LOW, 1, 0.1)],
        extraJson={"fieldConfig": {"overrides": []}},
    )  # fmt: skip


def samples() -> core.Table:
    """How much stands behind the numbers."""
    chosen = ",".join((_PICKED, _WINDOW))
    return core.Table(
        title="Values behind each metric",
        description="A median of three says little: the report has intervals.",
        targets=[panels.instant(f"max by ({_BY}, metric) ({ours.SAMPLES}{{{chosen}}})", "Values", table=True)],
        unit="none",
        transformations=[{"id": "organize", "options": {
            "excludeByName": {"Time": True}, "includeByName": {},
            "indexByName": {names.SERVICE: 0, "metric": 1, "Value": 2},
            "renameByName": {names.SERVICE: "Service", "metric": "Metric", "Value": "Values"},
        }}],
    )  # fmt: skip


def intake() -> core.TimeSeries:
    """Whether events come in."""
    per = f"60 * sum by ({ours.SENDER}, {ours.OUTCOME}) (rate({ours.EVENTS}[5m]))"
    return panels.chart(
        "Events a minute", "By sender and what became of them.",
        [panels.ranged(per, "{{sender}} {{outcome}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def behind() -> core.TimeSeries:
    """Whether what came in has been reckoned."""
    return panels.chart(
        "Not reckoned yet", "Events that no fact was made of, and days that are to be measured anew.",
        [panels.ranged(f"max({ours.EVENTS_BEHIND})", "events"),
         panels.ranged(f"max({ours.SHEETS_STALE})", "days", ref="B")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip
