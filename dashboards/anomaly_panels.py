"""The panels about anomalies: one series with its band, what a detector found, and whether detectors keep up.

Series of a detector have whatever labels its query gives them, so the reader picks the matchers themselves (`$series`).
A series that is missing stays missing: Grafana shows "no data" then, never a zero.
"""

from typing import Any, Final

from grafanalib import core

from controlplane import anomaly_names as ours
from dashboards import palette, panels
from dashboards.overview import column

SHOWN: Final = 200  # rows of a table
_WORST: Final = 15
_OF_SCRAPE: Final = "instance, job"  # what Prometheus adds; a series' own labels of these names are exported_…
_DETECTOR: Final = f'{{{ours.DETECTOR}="$detector"}}'
_SERIES: Final = "{${series:raw}}"
_EMERGED: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.SPENT, 1, 1.0))
_LOW: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.LOW, 1, 1.0))
_MATURITY: Final = {"0": "nothing known", "1": "level only: no alerts", "2": "daily", "3": "weekly"}
_VALUE, _USUAL, _LEAST, _MOST, _UNUSUAL = "value", "expected", "usual, least", "usual, most", "unusual"
_ALERTS: Final = "|".join((ours.ALERT_ANOMALY, ours.ALERT_GAP, ours.ALERT_STALE))


def of_detector(metric: str) -> str:
    """A metric of the series of the detector that the reader picked, of whichever replica leads."""
    return f"max without ({_OF_SCRAPE}) ({metric}{_DETECTOR})"


def of_series(metric: str) -> str:
    """The same of the series that the reader picked."""
    return f"max without ({_OF_SCRAPE}) ({metric}{_SERIES})"


def choices() -> str:
    """Series to pick from, the most unusual first: with 10,000 of them nobody scrolls to the last."""
    known = f"{of_detector(ours.SCORE)} or 0 * {of_detector(ours.MATURITY)}"
    return f"topk({SHOWN}, {known})"


# --- a detector -------------------------------------------------------------------------------------------------------
def figures() -> tuple[core.Stat, ...]:
    """The answer at the top."""
    scored = f"max({ours.SCORED_AT}{_DETECTOR})"
    opened = f"count(max without ({_OF_SCRAPE}, {ours.OUTPUT}) ({ours.OPEN}{_DETECTOR}) == 1)"
    return (
        panels.stat("Open anomalies", "Series of the detector that are anomalous now.", f"{opened} or 0 * {scored}",
                    "none", thresholds=list(_EMERGED), mappings=[panels.worded({"0": "none"})]),
        panels.stat("Series scored", "Series that have enough past and samples to be judged.",
                    f'max({ours.SERIES}{{{ours.DETECTOR}="$detector",{ours.STATE}="scored"}})', "none"),
        panels.stat("Series missing", "Series that used to come and do not.", f"sum({of_detector(ours.GAP)})", "none",
                    thresholds=list(_LOW), mappings=[panels.worded({"0": "none"})]),
        panels.stat("Newest step", "How long ago the newest step that was scored began: up to two steps are usual.",
                    f"time() - {scored}", "s"),
        panels.stat("Models fitted", "How long ago models were last fitted to the past.",
                    f"time() - max({ours.FITTED_AT}{_DETECTOR})", "s"),
        panels.stat("Samples can be read", "Whether the detector's query is answered.",
                    f"max({ours.FAILING}{_DETECTOR})", "none", thresholds=list(_EMERGED),
                    mappings=[panels.worded({"0": "yes", "1": "no"})]),
    )  # fmt: skip


def open_anomalies() -> core.Table:
    """What is open, of all detectors; one row says so when nothing is."""
    scores = f"max without ({_OF_SCRAPE}) ({ours.SCORE})"
    opened = f"max without ({_OF_SCRAPE}, {ours.OUTPUT}) ({ours.OPEN}) == 1"
    nothing = f'label_replace(vector(0), "{ours.DETECTOR}", "none is open", "", "")'
    return core.Table(
        title="Open anomalies of all detectors",
        description=f"The {SHOWN} most unusual: how far off ÷ how far off is anomalous. The console explains each.",
        targets=[panels.instant(f"topk({SHOWN}, {scores} and {opened}) or on () {nothing}", "Score", table=True)],
        unit="none",
        overrides=[column("Score", decimals=2)],
        transformations=[{"id": "organize", "options": {
            "excludeByName": {"Time": True}, "includeByName": {}, "indexByName": {ours.DETECTOR: 0},
            "renameByName": {ours.DETECTOR: "Detector", "Value": "Score"},
        }}],
    )  # fmt: skip


def worst() -> core.BarGauge:
    """Which series are most unusual now."""
    return core.BarGauge(
        title="Most unusual now",
        description="Score of the detector's series: 1 is the edge of what is usual.",
        targets=[panels.instant(f"topk({_WORST}, {of_detector(ours.SCORE)})", "__auto")],
        format="none", calc="lastNotNull", displayMode="basic", decimals=2, min=0,
        thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0), core.Threshold(palette.SPENT, 1, 1.0)],
        extraJson={"fieldConfig": {"overrides": []}},
    )  # fmt: skip


# --- one series -------------------------------------------------------------------------------------------------------
def band() -> core.TimeSeries:
    """The value on what is usual."""
    expected = of_series(ours.EXPECTED)  # of a direction that does not count the edge is infinite: half a band is drawn
    unusual = f"{of_series(ours.VALUE)} and {of_series(ours.SCORE)} > 1"
    return panels.chart(
        "Value and what is usual",
        "The band holds what is usual, dashed is what was expected. Points are outside of it. Where a line ends there "
        "are no samples, or not enough of them to score.",
        [
            panels.ranged(of_series(ours.VALUE), _VALUE),
            panels.ranged(expected, _USUAL, ref="B"),
            panels.ranged(f"{of_series(ours.LOWER)} > -Inf or {expected}", _LEAST, ref="C"),
            panels.ranged(f"{of_series(ours.UPPER)} < Inf or {expected}", _MOST, ref="D"),
            panels.ranged(unusual, _UNUSUAL, ref="E"),
        ],
        "short",
        overrides=[
            panels.coloured(_VALUE, palette.HEALTHY),
            panels.coloured(_USUAL, palette.UNKNOWN, dashed=True),
            _edge(_LEAST),
            _edge(_MOST, down_to=_LEAST),
            _points(_UNUSUAL),
        ],
    )  # fmt: skip


def _edge(name: str, *, down_to: str = "") -> dict[str, Any]:
    """An edge of the band; the upper one fills down to the lower one."""
    found = panels.coloured(name, palette.UNKNOWN, fill=20 if down_to else 0)
    found["properties"].append({"id": "custom.lineWidth", "value": 0})
    if down_to:
        found["properties"].append({"id": "custom.fillBelowTo", "value": down_to})
    return found


def _points(name: str) -> dict[str, Any]:
    found = panels.coloured(name, palette.SPENT)
    found["properties"] += [
        {"id": "custom.drawStyle", "value": "points"},
        {"id": "custom.showPoints", "value": "always"},
        {"id": "custom.pointSize", "value": 6},
    ]
    return found


def scores() -> core.TimeSeries:
    """How unusual it was."""
    return panels.chart(
        "Score",
        "How far off ÷ how far off is anomalous, of single steps and of what goes on for long; dashed: the edge.",
        [
            panels.ranged(of_series(ours.SCORE), "single steps"),
            panels.ranged(of_series(ours.SUSTAINED_SCORE), "sustained", ref="B"),
            panels.ranged("vector(1)", "anomalous above 1", ref="C"),
        ],
        "none", axisSoftMin=0, axisSoftMax=2,
        overrides=[
            panels.coloured("single steps", palette.HEALTHY),
            panels.coloured("sustained", palette.ON_PURPOSE),
            panels.coloured("anomalous above 1", palette.SPENT, dashed=True),
        ],
    )  # fmt: skip


def opened() -> core.StateTimeline:
    """When an anomaly was open."""
    return panels.state_timeline(
        "Anomaly open", "From when it was told until it was over, by what opened it.",
        of_series(ours.OPEN), "{{output}}", {"0": "usual", "1": "anomalous"}, ("transparent", palette.SPENT),
    )  # fmt: skip


def knowledge() -> tuple[core.Stat, ...]:
    """What is known of the picked series."""
    return (
        panels.stat("Maturity of the series", "How much past there is to compare with.", of_series(ours.MATURITY),
                    "none", mappings=[panels.worded(_MATURITY)]),
        panels.stat("Compared with", "The baseline that was right most often lately.",
                    f"max by ({ours.BASELINE}) ({ours.CHOSEN_BASELINE}{_SERIES} == 1)", "none", textMode="name"),
        panels.stat("Past known", "How much past its model knows.", of_series(ours.HISTORY), "s"),
        panels.stat("Samples of the past day", "Below 50 % nothing is scored.", of_series(ours.COVERAGE),
                    "percentunit",
                    thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0), core.Threshold("text", 1, 0.5)]),
    )  # fmt: skip


# --- whether detectors keep up ----------------------------------------------------------------------------------------
def series_states() -> core.TimeSeries:
    """How many series there are, and how many cannot be scored."""
    return panels.chart(
        "Series of each detector", "Scored; warming up (less than a day is known); missing; dropped above the limit.",
        [panels.ranged(f"max by ({ours.DETECTOR}, {ours.STATE}) ({ours.SERIES})", "{{detector}} {{state}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def coverage() -> core.TimeSeries:
    """How complete samples are."""
    of = f"{ours.COVERAGE}{_DETECTOR}"
    return panels.chart(
        "Samples that came", "Share of the past day's steps with a sample: mean and least of the detector's series.",
        [panels.ranged(f"avg({of})", "mean"), panels.ranged(f"min({of})", "least", ref="B")],
        "percentunit", axisSoftMin=0, axisSoftMax=1,
        overrides=[panels.coloured("mean", palette.HEALTHY), panels.coloured("least", palette.UNKNOWN, dashed=True)],
    )  # fmt: skip


def samples() -> core.TimeSeries:
    """What was read."""
    per = f"60 * sum by ({ours.DETECTOR}, outcome) (rate({ours.SAMPLES}[5m]))"
    return panels.chart(
        "Samples a minute", "By detector and what became of them; what is too late is lost.",
        [panels.ranged(per, "{{detector}} {{outcome}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def cycles() -> core.TimeSeries:
    """How long a turn takes."""
    mean = (
        f"sum by (phase) (rate({ours.CYCLE_SECONDS}_sum[15m]))"
        f" / (sum by (phase) (rate({ours.CYCLE_SECONDS}_count[15m])) > 0)"
    )
    return panels.chart(
        "A cycle takes", "Mean of reading, fitting, scoring and storing, of one detector.",
        [panels.ranged(mean, "{{phase}}")], "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def ages() -> core.TimeSeries:
    """Whether scoring and fitting go on."""
    return panels.chart(
        "Age of newest step and of models", "Both go up and down again; what only goes up stands still.",
        [
            panels.ranged(f"time() - max by ({ours.DETECTOR}) ({ours.SCORED_AT})", "{{detector}} step"),
            panels.ranged(f"time() - max by ({ours.DETECTOR}) ({ours.FITTED_AT})", "{{detector}} models", ref="B"),
        ],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def rebuilt() -> core.TimeSeries:
    """Models that did not fit."""
    return panels.chart(
        "Models built anew in an hour", "Because of another version, an edited definition, damage, or none kept.",
        [panels.ranged(f"sum by (reason) (increase({ours.REBUILT}[1h]))", "{{reason}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def alerts() -> core.StateTimeline:
    """What was told."""
    firing = f'max by (alertname, {ours.DETECTOR}) (ALERTS{{alertname=~"{_ALERTS}",{panels.FIRING}}})'
    return panels.state_timeline(
        "Alerts about anomalies", "When somebody was told, by detector.", firing, "{{alertname}} {{detector}}",
        {"1": "firing"}, ("transparent", palette.SPENT),
    )  # fmt: skip
