"""The panels about downshift ladders: where one stands, what drives it, what holds it, and what it saves.

A series that is missing stays missing: Grafana shows "no data" then, never a zero.
"""

from typing import Final

from grafanalib import core

from controlplane import conventions as names
from dashboards import palette, panels

_PICKED: Final = f'{names.LADDER}="$ladder"'
_LOW: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.LOW, 1, 1.0))
_ON_PURPOSE: Final = (core.Threshold("text", 0, 0.0), core.Threshold(palette.ON_PURPOSE, 1, 1.0))
_ALERTS: Final = "|".join(
    (
        names.ALERT_LADDER_NO_DATA,
        names.ALERT_LADDER_ASKS,
        names.ALERT_LADDER_YIELDED,
        names.ALERT_LADDER_STEP_FAILED,
        names.ALERT_LADDER_STUCK,
        names.ALERT_FLAG_STORE_DOWN,
        names.ALERT_TIER_EXPIRES,
        names.ALERT_TIER_SAVES_NOTHING,
        names.ALERT_LADDER_SILENT,
    )
)


def _of(metric: str, *matchers: str) -> str:
    return f"{metric}{{{','.join((_PICKED, *matchers))}}}"


# --- where it stands --------------------------------------------------------------------------------------------------
def figures() -> tuple[core.Stat, ...]:
    """The answer at the top."""
    age = f"time() - max({_of(names.LADDER_SAMPLED_AT)})"
    return (
        panels.stat("Tier in force", "0 is full service.", f"max({_of(names.LADDER_TIER)})", "none",
                    thresholds=list(_ON_PURPOSE), mappings=[panels.worded({"0": "full service"})]),
        panels.stat("Mode", "shadow writes nothing, recommend asks for every step up, enforce acts.",
                    f"max by ({names.MODE}) ({_of(names.LADDER_INFO)})", "none", textMode="name"),
        panels.stat("Judged", "How long ago its signals were looked at.", age, "s"),
        panels.stat("Approvals asked for", "Steps that wait for somebody: flyball ladder approve.",
                    f"sum({_of(names.LADDER_ASKS)}) or vector(0)", "none", thresholds=list(_LOW)),
        panels.stat("Flags that people changed", "The ladder holds until somebody says what becomes of them.",
                    f"max({_of(names.LADDER_THEIRS)}) or vector(0)", "none", thresholds=list(_LOW)),
        panels.stat("Kill switch", "While it is set no flag is written.", f"max({names.LADDER_KILLED})", "none",
                    thresholds=list(_LOW), mappings=[panels.worded({"0": "not set", "1": "set"})]),
        panels.stat("Saved by what is in force", "By what receipts measured, in the ladder's currency.",
                    f"sum by (currency) ({_of(names.LADDER_SAVED)})", "none"),
    )  # fmt: skip


def tiers() -> core.TimeSeries:
    """The tier over time; dashed: where it would be, had it acted."""
    return panels.chart(
        "Tier over time",
        "0 is full service. In shadow mode the dashed line says where the ladder would be, had it acted.",
        [panels.ranged(f"max({_of(names.LADDER_TIER)})", "in force"),
         panels.ranged(f"max({_of(names.LADDER_SHADOW_TIER)})", "in shadow", ref="B")],
        "none", lineInterpolation="stepAfter", fillOpacity=20, valueDecimals=0, axisSoftMin=0, axisSoftMax=6,
        overrides=[panels.coloured("in force", palette.ON_PURPOSE),
                   panels.coloured("in shadow", palette.UNKNOWN, dashed=True)],
    )  # fmt: skip


# --- what drives it, what holds it ------------------------------------------------------------------------------------
def signals() -> core.TimeSeries:
    """Every signal that may be used."""
    return panels.chart(
        "Signals",
        "What each signal said. A gap: it was missing, stale or contradictory, and moved nothing.",
        [panels.ranged(f"max by ({names.SIGNAL}) ({_of(names.LADDER_SIGNAL)})", "{{signal}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def good_signals() -> core.StateTimeline:
    """Which signals could be used when."""
    return panels.state_timeline(
        "Signals that may be used",
        "Missing, stale and contradictory data holds the ladder where it is.",
        f"min by ({names.SIGNAL}) ({_of(names.LADDER_SIGNAL_GOOD)})", "{{signal}}",
        {"0": "not usable", "1": "good"}, (palette.UNKNOWN, palette.HEALTHY),
    )  # fmt: skip


def held() -> core.StateTimeline:
    """What holds the ladder."""
    return panels.state_timeline(
        "What holds it",
        "Why the ladder may not move although something asks it to: flyball ladder explain says more.",
        f"max by ({names.REASON}) ({_of(names.LADDER_HELD)})", "{{reason}}",
        {"0": "no", "1": "holds"}, ("transparent", palette.LOW),
    )  # fmt: skip


# --- what it saves, how steps end -------------------------------------------------------------------------------------
def savings() -> core.TimeSeries:
    """Predicted and realised savings of each tier."""
    by = f"{names.TIER}, {names.OF}"
    return panels.chart(
        "Savings an hour",
        "What each tier in force was said to save and what it does, with the 80 % interval (low, high).",
        [panels.ranged(f"max by ({by}) ({_of(names.LADDER_SAVING)})", "tier {{tier}}, {{of}}")],
        "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def steps() -> core.BarGauge:
    """How steps ended."""
    return core.BarGauge(
        title="How steps ended",
        description="Steps that are remembered, by how they ended: undone and yielded ones left no flag behind.",
        targets=[panels.instant(f"max by ({names.OUTCOME}) ({_of(names.LADDER_STEPS)})", "{{outcome}}")],
        format="none", min=0, calc="lastNotNull", displayMode="basic",
        thresholds=[core.Threshold(palette.UNKNOWN, 0, 0.0)],
        extraJson={"fieldConfig": {"overrides": []}},
    )  # fmt: skip


def expiry() -> core.BarGauge:
    """When tiers in force expire."""
    left = f"(min by ({names.TIER}) ({_of(names.LADDER_EXPIRES_AT)}) - time()) / 3600"
    return core.BarGauge(
        title="Hours until tiers expire",
        description="Nobody forgets a reduced service: a tier that nobody extends is left when it expires.",
        targets=[panels.instant(left, "tier {{tier}}")],
        format="h", min=0, max=48, calc="lastNotNull", displayMode="basic",
        thresholds=[core.Threshold(palette.SPENT, 0, 0.0), core.Threshold(palette.LOW, 1, 1.0),
                    core.Threshold(palette.HEALTHY, 2, 4.0)],
        extraJson={"fieldConfig": {"overrides": []}},
    )  # fmt: skip


def alerts() -> core.StateTimeline:
    """Alerts about the ladder."""
    firing = f'max by (alertname) (ALERTS{{alertname=~"{_ALERTS}",{panels.FIRING},{_PICKED}}})'
    return panels.state_timeline(
        "Alerts about the ladder", "When something about the ladder needed a person.", firing, "{{alertname}}",
        {"1": "firing"}, ("transparent", palette.SPENT),
    )  # fmt: skip
