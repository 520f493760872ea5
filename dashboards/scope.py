"""What a panel is about: one SLO by name, or whichever one the reader picked in Grafana's variables."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from controlplane import burn_rate
from controlplane import conventions as names
from controlplane.model.slo import SLO, CalendarWindow, Window
from dashboards.promql_text import quoted

LEDGER_LOOKBACK: Final = "15m"  # three evaluations of the 5-minute rules: one may be late, one may fail


@dataclass(frozen=True, slots=True)
class BurnLine:
    """A burn rate and the threshold at which an alert looks at it: `window` as in `slo:burn_rate:1h`."""

    window: str
    factor: Decimal
    severity: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Matchers and names for the panels of one dashboard.

    `slo` and `service` are PromQL string literals, such as `"checkout"` or `"$slo"`; `window` is the SLO's period.
    `tiers` are the alert conditions that can come true. `groups` are labels of which the reader picks a value each, in
    variables of their names. `excluded`: whether a part of its time does not count.
    """

    slo: str
    service: str
    window: Window
    tiers: tuple[burn_rate.Tier, ...]
    groups: tuple[str, ...] = ()
    excluded: bool = False

    @property
    def window_name(self) -> str:
        """The period as series names have it, such as `30d` or `1M`."""
        return burn_rate.window_name(self.window)

    @property
    def length(self) -> str:
        """Its nominal length as Grafana writes it, such as `30d`."""
        return burn_rate.duration(self.window.length)

    @property
    def begins_anew(self) -> bool:
        """Whether the budget is full again when the calendar says so."""
        return isinstance(self.window, CalendarWindow)

    @property
    def in_words(self) -> str:
        """`last 30d`, `this month`."""
        if not isinstance(self.window, CalendarWindow):
            return f"last {self.window_name}"
        several = f" of {self.window.count} {self.window.unit.value}s"
        return f"this {self.window.unit.value}" if self.window.count == 1 else f"this period{several}"

    def burn_lines(self, severity: str) -> tuple[BurnLine, ...]:
        """The burn rates that alerts of this severity look at, fastest first."""
        return tuple(
            BurnLine(burn_rate.duration(tier.short), burn_rate.threshold(tier, self.window.length), severity)
            for tier in self.tiers
            if tier.urgency.value == severity
        )

    def series(self, metric: str, *matchers: str) -> str:
        """A selector of this SLO's series of a metric."""
        picked = (f'{label}="${label}"' for label in self.groups)
        return f"{metric}{{{','.join([f'{names.SLO}={self.slo}', *picked, *matchers])}}}"

    def latest(self, metric: str, *matchers: str) -> str:
        """The last value of a series that is written every 5 minutes, at most 15 minutes old."""
        return f"last_over_time({self.series(metric, *matchers)}[{LEDGER_LOOKBACK}])"


def scope_of(slo: SLO) -> Scope:
    """The scope of one SLO, whatever characters its name has."""
    window = slo.window.length
    fitting = burn_rate.tiers_within(window, slo.alerting.tiers)
    tiers = tuple(tier for tier in fitting if burn_rate.can_fire(tier, window, slo.budget_ratio))
    return Scope(quoted(slo.name), quoted(slo.service), slo.window, tiers, slo.groups, bool(slo.exclusions))


def shared_scope(window: Window) -> Scope:
    """The scope of the SLO that the reader picked."""
    return Scope('"$slo"', '"$service"', window, burn_rate.tiers_within(window.length))
