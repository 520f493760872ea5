"""The panels about checks from outside: their verdicts, one check by region, probers, golden paths, status pages.

A series that is missing stays missing: Grafana shows "no data" then, never a zero.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grafanalib import core

from controlplane import check_names as names
from controlplane.conventions import SEVERITY, SEVERITY_PAGE, SEVERITY_TICKET
from dashboards import palette, panels
from dashboards.overview import column

SHOWN: Final = 200  # rows of a table
_BY: Final = "kind, check"
_PICKED: Final = 'kind="$kind",check="$check"'
_DAY_SECONDS: Final = 86_400
_LOW: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.LOW, 1, 1.0))
# Numbers that stand for words, worst highest but for what is not known.
_VERDICTS: Final = {"up": 1, "regional": 2, "global": 3, "unknown": 0}
_STATES: Final = {"up": 1, "flapping": 2, "down": 3, "fault": 4, "silent": 5, "pending": 0}
_COMPONENTS: Final = {
    "operational": 1,
    "degraded_performance": 2,
    "partial_outage": 3,
    "major_outage": 4,
    "under_maintenance": 5,
    "unknown": 0,
}
_ALERTS: Final = (
    f'alertname=~"{names.ALERT_CHECK_DOWN}|{names.ALERT_CHECK_REGIONAL}|{names.ALERT_CHECK_FLAPPING}|'
    f"{names.ALERT_CHECK_STALE}|{names.ALERT_REGION_SILENT}|{names.ALERT_PROBER_FAULT}|{names.ALERT_CERTIFICATE}|"
    f'{names.ALERT_STATUS_OVERDUE}|{names.ALERT_STATUS_STALE}|{names.ALERT_GOLDEN_PATH}"'
)


def coded(metric: str, label: str, codes: Mapping[str, int], by: str, *matchers: str) -> str:
    """PromQL: the number of the word that stands, by series; absent while none does."""
    parts = []
    for word, code in codes.items():
        selector = ",".join((*matchers, f'{label}="{word}"'))
        parts.append(f"{code} * (max by ({by}) ({metric}{{{selector}}}) == 1)")
    return " or ".join(parts)


def firing(severity: str) -> str:
    """PromQL: 1 for each alert of ours that fires."""
    return f'ALERTS{{{_ALERTS},{panels.FIRING},{SEVERITY}="{severity}"}}'


# --- all checks -------------------------------------------------------------------------------------------------------
def counts() -> tuple[core.Stat, ...]:
    """The answer at the top: how many there are, and how many need somebody."""

    def counted(title: str, description: str, expr: str, steps: Sequence[core.Threshold] = panels.QUIET) -> core.Stat:
        return panels.stat(title, description, f"count({expr}) or vector(0)", "none", thresholds=list(steps))

    def standing(verdict: str) -> str:
        return f'max by ({_BY}) ({names.CHECK_VERDICT}{{verdict="{verdict}"}}) == 1'

    silent = f"time() - max by (region) ({names.REGION_REPORTED}) > 180"
    return (
        counted("Checks", "Probes and journeys with a verdict.", f"max by ({_BY}) ({names.CHECK_VERDICT})"),
        counted("Down everywhere", "Checks that fail in most regions that can tell.", standing("global"), panels.ALARM),
        counted("Down in a region", "Checks that fail in some regions only.", standing("regional"), _LOW),
        counted("Flapping", "Checks that change so often that nothing is declared.",
                f"max by ({_BY}) ({names.CHECK_FLAPPING}) == 1", _LOW),
        counted("Not known", "Checks of which no region can tell.", standing("unknown"), _LOW),
        counted("Silent regions", "Regions whose prober has not reported for three minutes.", silent, _LOW),
        panels.stat("Golden-path gaps", "What is missing of golden paths and was not accepted.",
                    f"sum(max by (golden_path, gap) ({names.GOLDEN_PATH_GAPS}))", "none", thresholds=list(_LOW)),
    )  # fmt: skip


def checks_table() -> core.Table:
    """Every check, the worst first."""
    good = f'sum by ({_BY}) (increase({names.CHECK_RUNS}{{outcome="ok"}}[1d]))'
    judged = f'sum by ({_BY}) (increase({names.CHECK_RUNS}{{outcome=~"ok|failed"}}[1d]))'
    columns = {
        "Verdict": coded(names.CHECK_VERDICT, "verdict", _VERDICTS, _BY),
        "Regions down": f'count by ({_BY}) (max by ({_BY}, region) ({names.CHECK_REGION_STATE}{{state="down"}}) == 1) '
        f"or 0 * max by ({_BY}) ({names.CHECK_VERDICT})",
        "Good runs, 1 d": f"{good} / ({judged} > 0)",
        "Last run": f"time() - max by ({_BY}) ({names.CHECK_LAST_RUN})",
    }
    refs = "ABCD"
    targets = [panels.instant(expr, ref=ref, table=True) for ref, expr in zip(refs, columns.values(), strict=True)]
    renamed = {"check": "Check", "kind": "Kind"}
    renamed |= {f"Value #{ref}": name for ref, name in zip(refs, columns, strict=True)}
    order = {field: index for index, field in enumerate(renamed)}
    here = "?var-kind=${__data.fields.Kind:percentencode}&var-check=${__data.fields.Check:percentencode}"
    return core.Table(
        title="All checks, the worst first",
        description="Every probe and journey. A name shows it by region below.",
        targets=targets, unit="none", thresholds=list(panels.QUIET),
        overrides=[
            column("Check", links=[{"title": "By region", "url": f"/d/flyball-synthetics{here}"}]),
            column("Verdict", mappings=[_words(_VERDICTS)], thresholds=_steps(_VERDICTS_COLOURS),
                   **{"custom.cellOptions": {"type": "color-text"}}),
            column("Good runs, 1 d", unit="percentunit"),
            column("Last run", unit="s"),
        ],
        sortBy=[core.TableSortByField("Verdict", desc=True)],
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "includeByName": {},
                                           "indexByName": order, "renameByName": renamed}},
        ],
    )  # fmt: skip


_VERDICTS_COLOURS: Final = {0: palette.UNKNOWN, 1: palette.HEALTHY, 2: palette.LOW, 3: palette.SPENT}
_STATES_COLOURS: Final = {0: palette.UNKNOWN, 1: palette.HEALTHY, 2: palette.LOW, 3: palette.SPENT,
                          4: palette.ON_PURPOSE, 5: palette.UNKNOWN}  # fmt: skip
_COMPONENTS_COLOURS: Final = {0: palette.UNKNOWN, 1: palette.HEALTHY, 2: palette.LOW, 3: palette.LOW,
                              4: palette.SPENT, 5: palette.ON_PURPOSE}  # fmt: skip


def _words(codes: Mapping[str, int]) -> dict[str, Any]:
    return panels.worded({str(code): word.replace("_", " ") for word, code in codes.items()})


def _steps(colours: Mapping[int, str]) -> dict[str, Any]:
    steps = [{"color": colour, "value": code if code else None} for code, colour in sorted(colours.items())]
    return {"mode": "absolute", "steps": steps}


def _timeline(title: str, description: str, expr: str, name: str, codes: Mapping[str, int],
              colours: Mapping[int, str]) -> core.StateTimeline:  # fmt: skip
    thresholds = [core.Threshold(colour, code, float(code)) for code, colour in sorted(colours.items())]
    return core.StateTimeline(
        title=title, description=description, targets=[panels.ranged(expr, name)],
        showValue="never", maxDataPoints=None, thresholds=thresholds, mappings=[_words(codes)],
        extraJson={"fieldConfig": {"defaults": {"unit": "none"}}},
    )  # fmt: skip


# --- one check --------------------------------------------------------------------------------------------------------
def region_states() -> core.StateTimeline:
    """What each region said of the picked check."""
    return _timeline(
        "$check by region",
        "What each region says of the picked check. A region that is silent or at fault says nothing about it.",
        coded(names.CHECK_REGION_STATE, "state", _STATES, "region", _PICKED), "{{region}}", _STATES, _STATES_COLOURS,
    )  # fmt: skip


def success() -> core.TimeSeries:
    """The share of good runs by region."""
    good = f'sum by (region) (increase({names.CHECK_RUNS}{{{_PICKED},outcome="ok"}}[1h]))'
    judged = f'sum by (region) (increase({names.CHECK_RUNS}{{{_PICKED},outcome=~"ok|failed"}}[1h]))'
    return panels.chart(
        "Good runs of $check",
        "Share of good runs in the last hour, by region. Faults of the prober count for nothing.",
        [panels.ranged(f"{good} / ({judged} > 0)", "{{region}}")],
        "percentunit", colorMode="palette-classic", axisSoftMin=0, valueMax=1,
    )  # fmt: skip


def durations() -> core.TimeSeries:
    """How long good runs take, with a way to their traces."""
    buckets = f"sum by (region, le) (rate({names.CHECK_RUN_SECONDS}_bucket{{{_PICKED}}}[1h]))"
    return panels.chart(
        "How long $check takes",
        "Median and 95th percentile of the last hour, by region; a diamond is one run and leads to its trace.",
        [panels.ranged(f"histogram_quantile(0.5, {buckets})", "{{region}}, median"),
         panels.ranged(f"histogram_quantile(0.95, {buckets})", "{{region}}, 95 %", ref="B", exemplar=True)],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def _stacked(title: str, description: str, expr: str, name: str) -> core.TimeSeries:
    return panels.chart(
        title, description, [panels.ranged(expr, name)], "s", colorMode="palette-classic", axisSoftMin=0,
        valueMin=0, fillOpacity=30, lineWidth=1, stacking={"group": "A", "mode": "normal"},
    )  # fmt: skip


def phases() -> core.TimeSeries:
    """Where the time of an HTTP probe goes."""
    seconds = f'avg by (phase) ({names.PROBE_HTTP_SECONDS}{{probe="$check"}})'
    description = "Seconds of each phase, in the mean of all regions. Only HTTP probes have them."
    return _stacked("Phases of the HTTP probe", description, seconds, "{{phase}}")


def steps() -> core.TimeSeries:
    """Where the time of a journey goes."""
    seconds = f'avg by (step) ({names.JOURNEY_STEP_SECONDS}{{journey="$check"}})'
    description = "Seconds of each step, in the mean of all regions. Only journeys have them."
    return _stacked("Steps of the journey", description, seconds, "{{step}}")


def failures() -> core.TimeSeries:
    """Why runs fail."""
    return panels.chart(
        "Runs that failed",
        "Failed runs an hour of the picked check, by region, and runs in which the prober itself was at fault.",
        [panels.ranged(f'sum by (region) (increase({names.CHECK_RUNS}{{{_PICKED},outcome="failed"}}[1h]))',
                       "{{region}} failed"),
         panels.ranged(f'sum by (region) (increase({names.CHECK_RUNS}{{{_PICKED},outcome="fault"}}[1h]))',
                       "{{region}} at fault", ref="B")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


# --- certificates, probers --------------------------------------------------------------------------------------------
def certificates() -> core.BarGauge:
    """The certificates that end first."""
    left = f'bottomk(12, (min by (probe) ({names.PROBE_CERTIFICATE_ENDS}{{probe!=""}}) - time()) / {_DAY_SECONDS})'
    thresholds = [core.Threshold(palette.SPENT, 0, 0.0), core.Threshold(palette.LOW, 1, 3.0),
                  core.Threshold(palette.HEALTHY, 2, 21.0)]  # fmt: skip
    return core.BarGauge(
        title="Days until certificates end",
        description="The twelve that end first: a ticket below 21 days (or a week before the probe fails), then a page "
        "at 3.",
        targets=[panels.instant(left, "{{probe}}")],
        format="d", min=0, max=90, calc="lastNotNull", displayMode="basic", thresholds=thresholds,
        extraJson={"fieldConfig": {"overrides": []}},
    )  # fmt: skip


def reports() -> core.TimeSeries:
    """How long each prober has said nothing."""
    return panels.chart(
        "Since the last report",
        "Seconds since each region's prober reported; after three minutes it counts as silent.",
        [panels.ranged(f"time() - max by (region) ({names.REGION_REPORTED})", "{{region}}")],
        "s", colorMode="palette-classic", axisSoftMin=0, axisSoftMax=180,
    )  # fmt: skip


def buffered() -> core.TimeSeries:
    """What waits at the probers."""
    return panels.chart(
        "Results that wait at the prober",
        "Results that a region's prober keeps until it can send them: a line that rises is a prober that is cut off.",
        [panels.ranged(f"max by (region) ({names.REGION_BUFFERED})", "{{region}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def refused() -> core.TimeSeries:
    """What happened to reports."""
    return panels.chart(
        "Reports by what became of them",
        "Reports an hour; anything but taken and repeated was refused: forged, replayed, oversized, malformed.",
        [panels.ranged(f"sum by (outcome) (increase({names.PROBER_REPORTS}[1h]))", "{{outcome}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


# --- golden paths, status pages ---------------------------------------------------------------------------------------
def path_table() -> core.Table:
    """What is missing of golden paths; one row says so when nothing is."""
    gaps = f"max by (golden_path, gap) ({names.GOLDEN_PATH_GAPS}) > 0"
    nothing = 'label_replace(label_replace(vector(0), "golden_path", "all", "", ""), "gap", "none", "", "")'
    return core.Table(
        title="Gaps in golden paths",
        description="What is missing of each golden path, gaps that were accepted aside.",
        targets=[panels.instant(f"{gaps} or on () {nothing}", "Gaps", table=True)],
        unit="none",
        transformations=[{"id": "organize", "options": {
            "excludeByName": {"Time": True}, "includeByName": {},
            "indexByName": {"golden_path": 0, "gap": 1, "Value": 2},
            "renameByName": {"golden_path": "Golden path", "gap": "Gap", "Value": "How many"},
        }}],
    )  # fmt: skip


def disagreements() -> core.StateTimeline:
    """When checks and SLOs contradicted each other."""
    codes = {"agree": 0, "contradict": 1}
    return _timeline(
        "Checks and SLOs contradict each other",
        "When the checks of a golden path were up while its SLOs burned, or failed while its SLOs were calm.",
        f"max by (golden_path, kind) ({names.PATH_DISAGREES})", "{{golden_path}} {{kind}}", codes,
        {0: "transparent", 1: palette.LOW},
    )  # fmt: skip


def components() -> core.StateTimeline:
    """What status pages said."""
    return _timeline(
        "What status pages say",
        "The status of each component as the public was told.",
        coded(names.STATUS_COMPONENT, "status", _COMPONENTS, "status_page, component"),
        "{{status_page}} {{component}}", _COMPONENTS, _COMPONENTS_COLOURS,
    )  # fmt: skip


def status_figures() -> tuple[core.Panel, ...]:
    """What waits on status pages, and how old they are."""
    return (
        panels.stat("Open incidents", "Incidents that status pages show as open.",
                    f"sum(max by (status_page) ({names.STATUS_INCIDENTS}))", "none", thresholds=list(_LOW)),
        panels.stat("Drafts", "Updates that wait for somebody's approval.",
                    f"sum(max by (status_page) ({names.STATUS_DRAFTS}))", "none", thresholds=list(_LOW)),
        panels.stat("Overdue by", "By how much the most overdue promised update is late.",
                    f"max({names.STATUS_UPDATE_OVERDUE})", "s", thresholds=list(panels.ALARM), noValue="nothing due"),
        panels.stat("Published", "How long ago the oldest page was published.",
                    f"time() - min(max by (status_page) ({names.STATUS_PUBLISHED}))", "s",
                    thresholds=[core.Threshold("text", 0, 0.0), core.Threshold(palette.LOW, 1, 300.0)]),
        panels.stat("Routes on no path", "Routes that people use and that no golden path names.",
                    f"max({names.UNCOVERED_ROUTES})", "none", thresholds=list(_LOW)),
        panels.stat("Pages", "Alerts about checks that page now.", f"count({firing(SEVERITY_PAGE)}) or vector(0)",
                    "none", thresholds=list(panels.ALARM)),
        panels.stat("Tickets", "Alerts about checks with a ticket now.",
                    f"count({firing(SEVERITY_TICKET)}) or vector(0)", "none", thresholds=list(_LOW)),
    )  # fmt: skip


def uptime_table() -> core.Table:
    """The uptime that the public reads."""
    return core.Table(
        title="Uptime of components, 90 days",
        description=f"What status pages show as uptime, the {SHOWN} lowest.",
        targets=[panels.instant(f"bottomk({SHOWN}, max by (status_page, component) ({names.STATUS_UPTIME}))", "Uptime",
                                table=True)],
        unit="percentunit",
        transformations=[{"id": "organize", "options": {
            "excludeByName": {"Time": True}, "includeByName": {},
            "indexByName": {"status_page": 0, "component": 1, "Value": 2},
            "renameByName": {"status_page": "Page", "component": "Component", "Value": "Uptime"},
        }}],
    )  # fmt: skip
