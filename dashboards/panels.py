"""The panels of one SLO, each a function of its scope; where they stand on the page is the layout's business.

A series that is missing stays missing: Grafana shows "no data" then, never a zero.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from grafanalib import core

from controlplane import burn_rate
from controlplane import conventions as names
from dashboards import palette
from dashboards.grafana_json import PrometheusTarget
from dashboards.raw_queries import RawQueries
from dashboards.scope import BurnLine, Scope

RULE_INTERVAL: Final = "1m"  # rolling series have one value a minute: a finer step would leave holes
A_YEAR_SECONDS: Final = 31_536_000  # what lies further off is shown as "over a year"
NEARLY_NONE: Final = 0.0001  # of the budget: what would read as 0.00 % counts as spent
_EVENTS_SECONDS: Final = 300  # rolling series count the events of 5 minutes
_NO_DATA: Final = "no data"
_SEVERITY_COLOURS: Final = {names.SEVERITY_PAGE: palette.SPENT, names.SEVERITY_TICKET: palette.LOW}
OUR_ALERTS: Final = f'alertname=~"{names.ALERT_BURN}|{names.ALERT_NO_DATA}"'
FIRING: Final = 'alertstate="firing"'

BUDGET_STEPS: Final = (
    core.Threshold(palette.SPENT, 0, 0.0),
    core.Threshold(palette.LOW, 1, NEARLY_NONE),
    core.Threshold(palette.HEALTHY, 2, palette.LOW_FROM),
)
QUIET: Final = (core.Threshold("text", 0, 0.0),)
ALARM: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.SPENT, 1, 1.0))


def instant(expr: str, name: str = "", *, ref: str = "A", table: bool = False) -> PrometheusTarget:
    """The value at the end of the time range."""
    kind = core.TABLE_TARGET_FORMAT if table else core.TIME_SERIES_TARGET_FORMAT
    return PrometheusTarget(expr=expr, legendFormat=name, refId=ref, instant=True, format=kind)


def ranged(expr: str, name: str, *, ref: str = "A", exemplar: bool = False) -> PrometheusTarget:
    """Values over the time range, at most one a minute."""
    return PrometheusTarget(expr=expr, legendFormat=name, refId=ref, interval=RULE_INTERVAL, exemplar=exemplar)


def stat(title: str, description: str, expr: str, unit: str, **more: Any) -> core.Stat:
    """One number, coloured only where it says "look here"."""
    settings: dict[str, Any] = {"thresholds": list(QUIET), "noValue": _NO_DATA, "decimals": None} | more
    return core.Stat(
        title=title, description=description, targets=[instant(expr, title)], format=unit,
        graphMode="none", reduceCalc="lastNotNull", **settings,
    )  # fmt: skip


def chart(title: str, description: str, targets: Sequence[PrometheusTarget], unit: str, **more: Any) -> core.TimeSeries:
    """Lines over time; the tooltip shows all of them, largest first."""
    settings: dict[str, Any] = {"colorMode": "fixed", "lineWidth": 2, "tooltipMode": "multi", "tooltipSort": "desc"}
    return core.TimeSeries(
        title=title, description=description, targets=list(targets), unit=unit,
        showPoints="never", maxDataPoints=None, **(settings | more),
    )  # fmt: skip


def coloured(name: str, colour: str, *, dashed: bool = False, fill: int = 0) -> dict[str, Any]:
    """How one series of a chart looks, found by its legend."""
    properties: list[dict[str, Any]] = [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]
    if dashed:
        properties.append({"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}})
        properties.append({"id": "custom.lineWidth", "value": 1})
    if fill:
        properties.append({"id": "custom.fillOpacity", "value": fill})
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


# --- the budget -------------------------------------------------------------------------------------------------------
def budget_left(scope: Scope) -> core.Stat:
    """The one number to know."""
    return stat(
        "Budget left",
        f"Share of the {scope.window_name} error budget that is left: 100 % untouched, 0 % spent, below: overspent.",
        scope.latest(names.BUDGET_REMAINING), "percentunit", thresholds=list(BUDGET_STEPS),
    )  # fmt: skip


def raw_budget_left(scope: Scope) -> core.Stat:
    """What it would be without exclusions."""
    return stat(
        "Left, nothing excluded",
        "Share of the budget that would be left if the events of excluded times counted, too.",
        scope.latest(names.RAW_BUDGET_REMAINING), "percentunit", thresholds=list(BUDGET_STEPS),
    )  # fmt: skip


def resets(scope: Scope) -> core.Stat:
    """When the budget is full again: at the same moment for every group."""
    of_all = replace(scope, groups=())
    return stat(
        "Full again in",
        "How long until the period ends and the next one begins with a whole budget.",
        f"max({of_all.latest(names.WINDOW_END)}) - time()", "s",
    )  # fmt: skip


def time_left(scope: Scope) -> core.Stat:
    """When it is gone if nothing changes."""
    # Without the other labels, an SLO that changes its shard does not match itself twice.
    remaining = f"clamp_min(min by ({names.SLO}) ({scope.latest(names.BUDGET_REMAINING)}), 0)"
    hour, window = scope.series(names.burn_rate("1h")), scope.latest(names.burn_rate(scope.window_name))
    burn = f"max by ({names.SLO}) ({hour} or {window})"
    seconds = burn_rate.number(burn_rate.seconds(scope.window.length))
    gone_in = f"clamp_max({remaining} * {seconds} / clamp_min({burn}, 0.000001), {A_YEAR_SECONDS})"
    return stat(
        "Gone in",
        "How long the rest of the budget lasts at the burn rate of the last hour (of the whole window while there is "
        "no traffic).",
        gone_in, "s",
        mappings=[worded({str(A_YEAR_SECONDS): "over a year"})],
        thresholds=[core.Threshold(palette.SPENT, 0, 0.0), core.Threshold(palette.LOW, 1, 6 * 3600.0),
                    core.Threshold("text", 2, 3 * 86400.0)],
    )  # fmt: skip


def _the(scope: Scope) -> str:
    return scope.in_words if scope.begins_anew else f"the {scope.in_words}"


def worded(texts: dict[str, str]) -> dict[str, Any]:
    """Words in place of values."""
    options = {value: {"text": text, "index": index} for index, (value, text) in enumerate(texts.items())}
    return {"type": "value", "options": options}


def window_ratio(scope: Scope) -> core.Stat:
    """The indicator over the whole window."""
    return stat(
        f"Good events, {scope.in_words if scope.begins_anew else scope.window_name}",
        f"Share of good events in {_the(scope)}: good ÷ all, so that traffic weighs as it should.",
        _good_share(scope.latest(names.total_events(scope.window_name), _bad()),
                    scope.latest(names.total_events(scope.window_name), _all())),
        "percentunit", decimals=3,
    )  # fmt: skip


def objective(target: str) -> core.Stat:
    """What was promised."""
    return stat("Objective", "Share of good events asked for.", target, "percentunit", decimals=3)


def coverage(scope: Scope) -> core.Stat:
    """How much of the window was measured at all."""
    return stat(
        "Window measured",
        f"Share of the {scope.window_name} window for which there are measurements. Gaps count as no errors.",
        scope.latest(names.WINDOW_COVERAGE), "percentunit",
        thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0), core.Threshold("text", 1, 0.98)],
    )  # fmt: skip


def firing_count(scope: Scope) -> core.Stat:
    """Zero on a good day."""
    return stat(
        "Firing now",
        "How many alerts of this SLO fire now.",
        f"count({scope.series('ALERTS', OUR_ALERTS, FIRING)}) or vector(0)", "none",
        thresholds=list(ALARM),
        mappings=[worded({"0": "none"})],
    )  # fmt: skip


def budget_bar(scope: Scope) -> core.BarGauge:
    """Budget left and window measured as bars of the same length."""
    return core.BarGauge(
        title="Budget bar",
        description="What is left of the budget, over how much of the window was measured.",
        targets=[
            instant(scope.latest(names.BUDGET_REMAINING), "Budget left"),
            instant(scope.latest(names.WINDOW_COVERAGE), "Window measured", ref="B"),
        ],
        format="percentunit", min=0, max=1, calc="lastNotNull", displayMode="basic", thresholds=list(BUDGET_STEPS),
        extraJson={"fieldConfig": {"overrides": [coloured("Window measured", palette.UNKNOWN)]}},
    )  # fmt: skip


def budget_history(scope: Scope) -> core.TimeSeries:
    """The budget over its own window."""
    return chart(
        "Budget left over the window",
        "How the budget was spent and given back. "
        + ("It is full again when the period ends." if scope.begins_anew
           else "It comes back when bad events leave the window."),
        [ranged(scope.latest(names.BUDGET_REMAINING), "Budget left")],
        "percentunit", colorMode="thresholds", fillOpacity=15, thresholds=list(BUDGET_STEPS), gradientMode="scheme",
        axisSoftMin=0, axisSoftMax=1, timeFrom=scope.length, legendDisplayMode="hidden",
    )  # fmt: skip


# --- burn rates -------------------------------------------------------------------------------------------------------
def burn_rates(scope: Scope, severity: str) -> core.TimeSeries:
    """The burn rates that can raise a page (or a ticket), and their dashed thresholds."""
    lines = scope.burn_lines(severity)
    beside = "1h" if severity == names.SEVERITY_PAGE else scope.window_name  # worth seeing without a threshold
    windows = dict.fromkeys([*[line.window for line in lines], beside])
    rates = {f"{window} window": _peak(scope, window) for window in windows}
    thresholds = {_threshold_name(line): f"vector({burn_rate.number(line.factor)})" for line in lines}
    targets = [
        ranged(expr, name, ref=chr(ord("A") + index)) for index, (name, expr) in enumerate((rates | thresholds).items())
    ]
    return chart(
        f"Burn rate: {severity}s",
        f"How many times faster than allowed the budget burns; at 1 it lasts exactly {scope.window_name}. "
        f"A {severity} needs a burn rate above its dashed line and enough of the budget spent.",
        targets, "suffix:×", axisSoftMin=0,
        overrides=[
            *[coloured(name, shade) for name, shade in zip(rates, palette.LINES, strict=False)],
            *[coloured(name, _SEVERITY_COLOURS[severity], dashed=True) for name in thresholds],
        ],
    )  # fmt: skip


def _peak(scope: Scope, window: str) -> str:
    """The highest burn rate in each step, so that zooming out hides no spike; 0 while there are no events at all."""
    if window == scope.window_name:
        return scope.latest(names.burn_rate(window))
    peak = f"max by ({names.SLO}) (max_over_time({scope.series(names.burn_rate(window))}[$__interval]))"
    return f"{peak} or 0 * (max by ({names.SLO}) ({scope.series(names.ROLLING_EVENTS, _all())}) == 0)"


def _threshold_name(line: BurnLine) -> str:
    return f"{line.severity} above {burn_rate.number(line.factor)}× ({line.window})"


# --- the indicator ----------------------------------------------------------------------------------------------------
def _bad() -> str:
    return f'{names.EVENT}="{names.EVENT_BAD}"'


def _all() -> str:
    return f'{names.EVENT}="{names.EVENT_ALL}"'


def _good_share(bad: str, everything: str) -> str:
    return f"1 - sum by ({names.SLO}) ({bad}) / (sum by ({names.SLO}) ({everything}) > 0)"


def _good_share_over(scope: Scope, events: str, window: str) -> str:
    bad, everything = (f"sum_over_time({scope.series(events, event)}[{window}])" for event in (_bad(), _all()))
    return _good_share(bad, everything)


def indicator(scope: Scope, target: str) -> core.TimeSeries:
    """The share of good events against the objective."""
    hour = _good_share_over(scope, names.ROLLING_EVENTS, "1h")
    day = _good_share_over(scope, names.LEDGER_EVENTS, "1d")  # for those that have no event in most hours
    total = names.total_events(scope.window_name)
    window = _good_share(scope.latest(total, _bad()), scope.latest(total, _all()))
    return chart(
        "Good events against the objective",
        f"Share of good events, of the last hour (the last day while the hour has none) and of the last "
        f"{scope.window_name}; dashed: the objective.",
        [ranged(f"{hour} or {day}", "last hour"), ranged(window, scope.in_words, ref="B"),
         ranged(target, "objective", ref="C")],
        "percentunit", valueMax=1, valueDecimals=3,
        overrides=[coloured("last hour", palette.ON_PURPOSE), coloured(scope.in_words, palette.HEALTHY),
                   coloured("objective", palette.SPENT, dashed=True)],
    )  # fmt: skip


def traffic(scope: Scope) -> core.TimeSeries:
    """Good and bad events, stacked."""
    bad = f"sum by ({names.SLO}) ({scope.series(names.ROLLING_EVENTS, _bad())}) / {_EVENTS_SECONDS}"
    everything = f"sum by ({names.SLO}) ({scope.series(names.ROLLING_EVENTS, _all())}) / {_EVENTS_SECONDS}"
    return chart(
        "Traffic",
        "Events per second over 5 minutes, as the rules counted them: bad ones at the bottom, good ones on top.",
        [ranged(bad, "bad"), ranged(f"{everything} - {bad}", "good", ref="B")],
        "cps", axisSoftMin=0, valueMin=0, fillOpacity=30, lineWidth=1, stacking={"group": "A", "mode": "normal"},
        overrides=[coloured("bad", palette.SPENT, fill=60), coloured("good", palette.UNKNOWN)],
    )  # fmt: skip


def raw_events(raw: RawQueries) -> core.TimeSeries:
    """The user's own series, with exemplars: the way from a spike to the traces behind it."""
    return chart(
        "Events at the source",
        "The service's own series, per second, with exemplars: a diamond is one request and leads to its trace.",
        [ranged(raw.part, raw.counted, exemplar=True), ranged(raw.everything, "all", ref="B", exemplar=True)],
        "cps", axisSoftMin=0,
        overrides=[coloured(raw.counted, palette.SPENT if raw.counted == "bad" else palette.HEALTHY),
                   coloured("all", palette.UNKNOWN)],
    )  # fmt: skip


# --- what happened ----------------------------------------------------------------------------------------------------
def alert_history(scope: Scope) -> core.StateTimeline:
    """When pages and tickets fired."""
    return core.StateTimeline(
        title="Alerts over time",
        description="When pages and tickets of this SLO fired.",
        targets=[
            ranged(f"{firing(scope, severity)} or vector(0)", severity, ref=ref)
            for ref, severity in (("A", names.SEVERITY_PAGE), ("B", names.SEVERITY_TICKET))
        ],
        showValue="never", legendDisplayMode="hidden", maxDataPoints=None,
        thresholds=[core.Threshold("transparent", 0, 0.0), core.Threshold(palette.SPENT, 1, 1.0)],
        mappings=[worded({"0": "quiet", "1": "firing"})],
        overrides=[_thresholds_of(names.SEVERITY_TICKET, palette.LOW)],
        extraJson={"fieldConfig": {"defaults": {"unit": "none"}}},
    )  # fmt: skip


def _thresholds_of(name: str, colour: str) -> dict[str, Any]:
    steps = [{"color": "transparent", "value": None}, {"color": colour, "value": 1}]
    thresholds = {"id": "thresholds", "value": {"mode": "absolute", "steps": steps}}
    return {"matcher": {"id": "byName", "options": name}, "properties": [thresholds]}


def firing(scope: Scope, severity: str) -> str:
    """1 while an alert of that severity fires."""
    selector = scope.series("ALERTS", OUR_ALERTS, FIRING, f'{names.SEVERITY}="{severity}"')
    return f"max by ({names.SEVERITY}) ({selector})"


def alert_table(scope: Scope) -> core.Table:
    """What fires now and since when; one row says so when nothing does."""
    which = f"alertname, {names.SEVERITY}"
    since = f"1000 * max by ({which}) ({scope.series('ALERTS_FOR_STATE', OUR_ALERTS)})"
    now = f"max by ({which}) ({scope.series('ALERTS', OUR_ALERTS, FIRING)})"
    nothing = f'label_replace(label_replace(vector(0), "alertname", "none", "", ""), "{names.SEVERITY}", "-", "", "")'
    return core.Table(
        title="Firing alerts",
        description="Alerts of this SLO that fire now, with the time since when their condition holds.",
        targets=[instant(f"({since} and {now}) or on () {nothing}", "Since", table=True)],
        unit="dateTimeFromNow",
        mappings=[worded({"0": "nothing fires"})],
        transformations=[{"id": "organize", "options": {
            "excludeByName": {"Time": True}, "includeByName": {},
            "indexByName": {"alertname": 0, names.SEVERITY: 1, "Value": 2},
            "renameByName": {"alertname": "Alert", names.SEVERITY: "Severity", "Value": "Since"},
        }}],
    )  # fmt: skip


def versions(scope: Scope) -> core.TimeSeries:
    """Which versions of the service run, and how many of each."""
    return chart(
        "Versions in service",
        f"Running instances of each version, from `{names.BUILD_INFO}`. A step from one to the next is a deployment.",
        [ranged(f"sum by (version) ({names.BUILD_INFO}{{{names.SERVICE}={scope.service}}})", "{{version}}")],
        "none", colorMode="palette-classic", axisSoftMin=0, valueDecimals=0, fillOpacity=20, lineWidth=1,
        stacking={"group": "A", "mode": "normal"}, lineInterpolation="stepAfter",
    )  # fmt: skip


def new_versions(scope: Scope) -> str:
    """Versions that run and did not in the hour before: a mark of a quarter of an hour, so that wide charts have it."""
    running = f"{names.BUILD_INFO}{{{names.SERVICE}={scope.service}}}"
    before = f"count_over_time({running}[1h] offset 15m)"
    return f"(count by (version) ({running}) unless on (version) {before})"


def state_timeline(title: str, description: str, expr: str, name: str, words: dict[str, str],
                   colours: tuple[str, str]) -> core.StateTimeline:  # fmt: skip
    """States over time: 0 and 1 (`words`) in two colours."""
    thresholds = [core.Threshold(colours[0], 0, 0.0), core.Threshold(colours[1], 1, 1.0)]
    return core.StateTimeline(
        title=title, description=description, targets=[ranged(expr, name)],
        showValue="never", maxDataPoints=None, thresholds=thresholds, mappings=[worded(words)],
        extraJson={"fieldConfig": {"defaults": {"unit": "none"}}},
    )  # fmt: skip
