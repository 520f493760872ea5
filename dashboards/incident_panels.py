"""The panels about incidents and about how people are told of them.

A series that is missing stays missing: Grafana shows "no data" then, never a zero.
"""

from typing import Final

from grafanalib import core

from controlplane import conventions as names
from controlplane import incident_names as ours
from dashboards import palette, panels

_LOW: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.LOW, 1, 1.0))
_BAD: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.SPENT, 1, 1.0))
_ALERTS: Final = "|".join(
    (
        ours.ALERT_WATCHDOG_SILENT,
        ours.ALERT_DEAD_LETTERS,
        ours.ALERT_DELIVERY_SLOW,
        ours.ALERT_CHANNEL_DOWN,
        ours.ALERT_NOBODY_ON_CALL,
        ours.ALERT_HEARTBEAT_FAILING,
        ours.ALERT_ACTION_OVERDUE,
        ours.ALERT_SPOOL,
    )
)


def figures() -> tuple[core.Stat, ...]:
    """The answer at the top."""
    unowned = f'sum({ours.INCIDENTS}{{state="open"}}) or vector(0)'
    return (
        panels.stat("Open incidents", "Those that are not resolved.", f"sum({ours.INCIDENTS}) or vector(0)", "none",
                    thresholds=list(_LOW)),
        panels.stat("Nobody has them", "Open ones that nobody acknowledged.", unowned, "none", thresholds=list(_BAD)),
        panels.stat("On call now", "Who is told first.", f"max by (person) ({ours.ON_CALL}) > 0", "none",
                    textMode="name"),
        panels.stat("Messages waiting", "News that did not leave yet.", f"max({names.OUTBOX_BACKLOG})", "none",
                    thresholds=list(_LOW)),
        panels.stat("Messages given up", "Dead letters: somebody was not told.", f"max({names.OUTBOX_DEAD})", "none",
                    thresholds=list(_BAD)),
        panels.stat("Watchdog", "How long ago the alert arrived that fires always.",
                    f"time() - max({ours.WATCHDOG_SEEN})", "s"),
        panels.stat("Heartbeat", "How long ago the outside heard of us.",
                    f"time() - max({ours.HEARTBEAT_AT})", "s"),
    )  # fmt: skip


def incidents() -> core.TimeSeries:
    """Incidents over time."""
    return panels.chart(
        "Incidents by priority", "Those that are not resolved.",
        [panels.ranged(f"sum by ({ours.PRIORITY}) ({ours.INCIDENTS})", "{{priority}}")],
        "none", colorMode="palette-classic", lineInterpolation="stepAfter", valueDecimals=0, axisSoftMin=0,
    )  # fmt: skip


def deliveries() -> core.TimeSeries:
    """Attempts by outcome."""
    return panels.chart(
        "Deliveries a minute", "Attempts to tell somebody, by channel and how they ended.",
        [panels.ranged(f"60 * sum by (channel, outcome) (rate({names.DELIVERIES}[5m]))", "{{channel}} {{outcome}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def delays() -> core.TimeSeries:
    """How long pages take."""
    by = f"sum by (kind, le) (rate({ours.RECEIPT_SECONDS}_bucket[10m]))"
    return panels.chart(
        "Received → taken outside, p99", "How long news took until the provider had it.",
        [panels.ranged(f"histogram_quantile(0.99, {by})", "{{kind}}")],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def waiting() -> core.TimeSeries:
    """How old the oldest message of each channel is."""
    return panels.chart(
        "Oldest waiting message", "By channel; a provider that is away makes it grow.",
        [panels.ranged(f"time() - min by (channel) ({ours.OUTBOX_OLDEST})", "{{channel}}")],
        "s", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def on_call() -> core.StateTimeline:
    """Who was on call."""
    return panels.state_timeline(
        "On call", "Who had which schedule when.", f"max by (schedule, person) ({ours.ON_CALL})",
        "{{schedule}}: {{person}}", {"1": "on call"}, ("transparent", palette.HEALTHY),
    )  # fmt: skip


def follow_up() -> core.BarGauge:
    """What is left to do."""
    return core.BarGauge(
        title="Actions of postmortems",
        description="What somebody promised to do so that it does not happen again.",
        targets=[panels.instant(f"max by (state) ({ours.ACTIONS_OPEN})", "{{state}}")],
        format="none", min=0, calc="lastNotNull", displayMode="basic",
        thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0)],
        extraJson={"fieldConfig": {"overrides": []}},
    )  # fmt: skip


def alerts() -> core.StateTimeline:
    """Alerts about alerting itself."""
    firing = f'max by (alertname) (ALERTS{{alertname=~"{_ALERTS}",{panels.FIRING}}})'
    return panels.state_timeline(
        "Alerts about alerting", "When somebody might not have been told.", firing, "{{alertname}}",
        {"1": "firing"}, ("transparent", palette.SPENT),
    )  # fmt: skip
